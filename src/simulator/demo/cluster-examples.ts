// Objects that exist in a cluster for as long as callers may want to ask about them, one of each kind.

export interface ClusterExamples {
  readonly pod: { readonly namespace: string; readonly name: string; readonly address: string };
  readonly service: {
    readonly namespace: string;
    readonly name: string;
    readonly address: string;
    readonly port: number;
  };
  readonly node: string;
  /** `group` is empty for the core group. */
  readonly workload: {
    readonly group: string;
    readonly kind: string;
    readonly namespace: string;
    readonly name: string;
  };
}
