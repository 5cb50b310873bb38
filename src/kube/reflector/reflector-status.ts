// What a reflector says about itself, for readiness, GetStatus, staleness and metrics.

/** States of a reflector. `backing-off` carries why in `message`. */
export type ReflectorState = 'idle' | 'listing' | 'watching' | 'backing-off' | 'stopped';

export interface ReflectorStatus {
  /** `pods`, `deployments.apps`; `shop/pods` where a reflector follows one namespace only. */
  readonly resource: string;
  /** Lookups wait for its first list. */
  readonly required: boolean;
  readonly state: ReflectorState;
  /** Its first list was applied. Never goes back to false. */
  readonly synced: boolean;
  /** The API says that we may not, or that there is no such resource: it cannot sync until that changes. */
  readonly unavailable: boolean;
  /**
   * Since when something may have happened to the resource that we have not heard of, ms since the epoch; unset while a
   * watch is up and has caught up.
   */
  readonly blindSinceMs: number | undefined;
  /** Last byte from the API server on this resource, ms since the epoch. */
  readonly lastContactMs: number | undefined;
  /** Last record that was written to the store, ms since the epoch. */
  readonly lastChangeMs: number | undefined;
  readonly lists: number;
  readonly watches: number;
  /** Watches that ended otherwise than planned, by reason. */
  readonly restarts: ReadonlyMap<string, number>;
  readonly events: number;
  /** The last error, `''` while healthy. Names verb and resource where a permission is missing. */
  readonly message: string;
}
