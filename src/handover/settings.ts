// The options that two replicas have to have in common if one is to go on with the history of the other: those that
// decide which claims there are, and what of objects is told.
//
// Only digests leave the process: that they are equal is all that has to be known.

import { hash } from 'node:crypto';

/** An option by its flag, and what stands for its value. */
export interface Setting {
  readonly name: string;
  readonly digest: string;
}

/** `values`: by flag; lists in an order that does not depend on how they were given. */
export function toSettings(values: Readonly<Record<string, unknown>>): readonly Setting[] {
  return Object.entries(values).map(([name, value]) => ({
    name,
    digest: hash('sha256', JSON.stringify([name, value])).slice(0, 16),
  }));
}
