// Where a command that asks a service meets the process that runs it: what it writes to, and what ends it.

/** Where a command writes. */
export interface Output {
  readonly isTTY?: boolean;
  write(text: string): boolean;
}

export interface AskEdge {
  readonly stdout: Output;
  readonly stderr: Output;
  /** Ends a watch, as if it had been asked to end here. */
  readonly signal?: AbortSignal;
}
