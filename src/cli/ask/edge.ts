// Where a command that asks a service meets the process that runs it: what it reads and writes, and what ends it.

import { once } from 'node:events';

/** Where a command writes. */
export interface Output {
  readonly isTTY?: boolean;
  /** False: enough is waiting to be taken; `drain` tells when it was. */
  write(text: string): boolean;
  once?(event: 'drain', listener: () => void): unknown;
}

export interface AskEdge {
  /** Read by `resolve -` only. */
  readonly stdin: NodeJS.ReadableStream;
  readonly stdout: Output;
  readonly stderr: Output;
  /** For NO_COLOR and TERM. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** ms since the epoch; unset: the system's clock. */
  readonly nowMs?: () => number;
  /** Ends a watch, as if it had been asked to end here. */
  readonly signal?: AbortSignal;
}

/** Writes, and waits until a slow reader has taken it. */
export async function written(output: Output, text: string): Promise<void> {
  if (output.write(text) || !('once' in output)) return;
  await once(output as unknown as NodeJS.WritableStream, 'drain');
}
