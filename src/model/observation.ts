// When we learned something, which is never quite when it happened.

/**
 * The moment at which a write reached us. The fact itself came about between `sinceMs` and `atMs`: while a watch is
 * healthy the two are the same to us and `sinceMs` is unset; after a gap (the watch was down, then resumed or relisted)
 * `sinceMs` is the last moment at which this resource was known to be up to date.
 */
export interface Observation {
  /** Our clock, ms since the epoch. */
  readonly atMs: number;
  /** Our clock, ms since the epoch; unset when nobody was blind. At most `atMs`. */
  readonly sinceMs?: number;
  /**
   * The gap was closed by a relist, not by a resumed watch: an object may have come and gone in between without anybody
   * ever hearing of it.
   */
  readonly relisted?: true;
}

/**
 * Where a resource's stream of changes stands. The version is the API server's and opaque: only `kube/` makes and
 * compares versions; everybody else carries them unopened into resume tokens.
 */
export interface SourcePosition {
  /** `pods`, `deployments.apps`. */
  readonly resource: string;
  readonly resourceVersion: string;
}
