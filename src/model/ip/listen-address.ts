// Where a server listens.

export interface ListenAddress {
  /** An IP address without brackets, or a host name. */
  readonly host: string;
  /** 0: the system chooses. */
  readonly port: number;
}
