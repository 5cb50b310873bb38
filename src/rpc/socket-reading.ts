// Stops and starts to read a socket below HTTP/2 and TLS, which do not let go of one to be paused.
//
// What node reads a socket with is not part of its API: when it is not what it was, that is a bug to be seen at the
// first connection, not a bound that is silently gone.

import type { Socket } from 'node:net';

/** Throws when node does not read sockets as it did; to be called once for every connection. */
export function checkReading(socket: Socket): void {
  const handle: Partial<SocketHandle> | undefined = handleOf(socket);
  if (handle !== undefined && (typeof handle.readStop !== 'function' || typeof handle.writeQueueSize !== 'number')) {
    throw new Error('bug: node does not read sockets as it did');
  }
}

export function pauseReading(socket: Socket): void {
  handleOf(socket)?.readStop();
}

/** Of a socket that nothing has read until now. */
export function startReading(socket: Socket): void {
  handleOf(socket)?.readStart();
}

export function resumeReading(socket: Socket): void {
  const handle = handleOf(socket);
  // While something waits to be sent node reads nothing from it, and goes on by itself afterwards.
  if (handle?.writeQueueSize === 0) handle.readStart();
}

/** Unset: it has closed. */
function handleOf(socket: Socket): SocketHandle | undefined {
  return (socket as unknown as { readonly _handle: SocketHandle | null })._handle ?? undefined;
}

interface SocketHandle {
  readStop(): void;
  readStart(): void;
  /** Bytes that the system has not taken yet. */
  readonly writeQueueSize: number;
}
