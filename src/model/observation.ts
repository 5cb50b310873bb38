// When we learned something, which is never quite when it happened.

/**
 * The moment at which a write reached us. The change itself happened between `sinceMs` and `atMs`: while a watch is
 * healthy the two are the same to us and `sinceMs` is unset; after a gap (the watch was down, then resumed or relisted)
 * `sinceMs` is the last moment at which this resource was known to be up to date.
 */
export interface Observation {
  /** Our clock, ms since the epoch. */
  readonly atMs: number;
  /** Our clock, ms since the epoch; unset when there was no gap. At most `atMs`. */
  readonly sinceMs?: number;
  /**
   * The gap was closed by a relist, not by a resumed watch: an object may have come and gone in between without any
   * event.
   */
  readonly relisted?: true;
}

/**
 * Where a resource's stream of changes stands. The version is the API server's and opaque but for its order, see
 * `resource-version.ts`; outside `kube/` it is only carried into resume tokens and compared there.
 */
export interface SourcePosition {
  /** `pods`, `deployments.apps`. */
  readonly resource: string;
  readonly resourceVersion: string;
  /**
   * Stands for all records of the resource as they are now: equal in every process that holds equal records. Below
   * 2^53; unset where none is kept. Meaningless in an unfinished batch.
   */
  readonly digest?: number;
  /** Reached by a list: what happened on the way to it was not seen step by step. */
  readonly listed?: true;
}
