// Namespaces, names of nodes and workloads come with each timeline that names them; a replica keeps one of each.
//
// Bounded without counting references: when there are too many, all are forgotten here, and what comes later is shared
// among itself. What is in use stays, because its users hold it.

import type { Sharing, ToldReference } from './holder-message.ts';

const MAX_VALUES = 65_536;

export class SharedValues implements Sharing {
  readonly #texts = new Map<string, string>();
  readonly #workloads = new Map<string, ToldReference>();

  text(text: string): string {
    return share(this.#texts, text, text);
  }

  workload(reference: ToldReference): ToldReference {
    const { apiVersion, kind, namespace, name, uid, incomplete, hidden } = reference;
    const shared = share(this.#workloads, uid, reference);
    const isEqual =
      shared.apiVersion === apiVersion &&
      shared.kind === kind &&
      shared.namespace === namespace &&
      shared.name === name &&
      shared.incomplete === incomplete &&
      shared.hidden === hidden;
    if (isEqual) return shared;
    // What is known of it has changed.
    this.#workloads.set(uid, reference);
    return reference;
  }
}

function share<T>(values: Map<string, T>, key: string, value: T): T {
  const kept = values.get(key);
  if (kept !== undefined) return kept;
  if (values.size >= MAX_VALUES) values.clear();
  values.set(key, value);
  return value;
}
