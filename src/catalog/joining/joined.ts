// What a join comes to, one entity at a time.

import type { Entity, ObjectReference } from '../../model/entities.ts';

/** A change before it has a number. */
export interface JoinedChange {
  readonly resource: string;
  readonly before: Entity | undefined;
  readonly after: Entity | undefined;
  /** Addresses of a service's endpoints that come or go with it: each is work too. */
  readonly addresses?: number;
}

/** Looked at again, and the same; a reference: looked for, and there is no such workload. */
export interface JoinedTouch {
  readonly touched: Entity | ObjectReference;
  /** What is told of the same object under another key, after that: never the one without the other. */
  readonly held?: Entity | undefined;
}
