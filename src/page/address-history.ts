// What the page draws of an address: who held it through the whole history, as JSON. At most MAX_STRETCHES stretches,
// the newest, with MAX_HOLDERS holders each: more than a picture has room for.
//
// Of a holder in a namespace that is not published there is its role and no more, as callers are told.

import type { AddressQuestion, AddressReader, Holder } from '../addresses/reader.ts';
import { isHidden } from '../model/namespaces/published-namespaces.ts';

const MAX_STRETCHES = 200;
const MAX_HOLDERS = 10;

/** The stretches, newest first; `more`: older ones are left out. Moments in ms since the epoch. */
export function addressHistory(
  question: Pick<AddressQuestion, 'address' | 'port'>,
  addresses: Pick<AddressReader, 'history'>,
  nowMs: number,
): object {
  const { stretches, historySinceMs } = addresses.history(question, MAX_STRETCHES + 1);
  const shown = stretches.slice(0, MAX_STRETCHES);
  const more = stretches.length > shown.length;
  return {
    fromMs: more ? shown.at(-1)?.fromMs : historySinceMs,
    toMs: nowMs,
    more,
    stretches: shown.map(({ fromMs, toMs, outcome, holders }) => ({
      fromMs,
      toMs,
      outcome: outcome === 'RESOLVED' && holders.every(isHiddenHolder) ? 'HIDDEN' : outcome,
      holders: holders.slice(0, MAX_HOLDERS).map(shownHolder),
      moreHolders: Math.max(0, holders.length - MAX_HOLDERS),
    })),
  };
}

/** A holder as JSON of the page. */
export function shownHolder(holder: Holder): object {
  const { role, entity, fromMs, toMs, uncertain } = holder;
  if (isHiddenHolder(holder)) return { role, kind: entity.kind, hidden: true, fromMs, toMs, uncertain };
  const { kind, namespace, name, uid } = entity;
  const workload = entity.kind === 'Pod' ? entity.workload : undefined;
  return {
    ...{ role, kind, namespace, name, uid, fromMs, toMs, uncertain },
    ...(workload === undefined || isHidden(workload.namespace)
      ? {}
      : { workload: { kind: workload.kind, namespace: workload.namespace, name: workload.name } }),
  };
}

export function isHiddenHolder({ entity }: Holder): boolean {
  return isHidden(entity.namespace);
}
