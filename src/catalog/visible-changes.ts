// What the feed is told where some namespaces are hidden: the changes of what is published, numbered anew, because the
// feed counts without a gap. What is hidden goes on to the address book alone, which answers that an address is held.

import type { ChangeBatch, EntityChange } from '../model/changes.ts';
import { isHidden } from '../model/namespaces/published-namespaces.ts';

/** A listener that is told only of what is published. */
export function publishedOnly(listen: (batch: ChangeBatch) => void): (batch: ChangeBatch) => void {
  let sequence = 0;
  return (batch) => {
    const changes: EntityChange[] = [];
    for (const { before, after } of batch.changes) {
      // Both have one namespace, or one of them is unset.
      if (isHidden((after ?? before)?.namespace ?? '')) continue;
      sequence += 1;
      changes.push({ sequence, before, after });
    }
    const touched = batch.touched?.filter(({ namespace }) => !isHidden(namespace)) ?? [];
    const { touched: _, ...rest } = batch;
    listen({ ...rest, changes, ...(touched.length > 0 ? { touched } : {}) });
  };
}
