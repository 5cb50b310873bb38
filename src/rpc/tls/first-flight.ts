// Waits for the first flight of a TLS connection before TLS is given anything: who says nothing, or not all of it, has
// its socket and no more, and not for long.

import type { Socket } from 'node:net';

import { isFirstFlight } from './client-hello.ts';

/** A round trip and a slow start of the client; more is a port scanner, or someone who holds a place. */
const FIRST_FLIGHT_TIMEOUT_MS = 10_000;

/** What `late` is told as: node calls it so when TLS itself has begun. */
export class HandshakeTimeout extends Error {
  readonly code = 'ERR_TLS_HANDSHAKE_TIMEOUT';
}

/**
 * Calls `begin` once a ClientHello has come, or what will never be one; it is what is read first from the socket then.
 * Calls `late` instead when that takes too long; neither when the socket closes before.
 */
export function awaitFirstFlight(
  socket: Socket,
  { begin, late }: { readonly begin: () => void; readonly late: () => void },
): void {
  let bytes: Buffer | undefined;
  const stop = (): void => {
    clearTimeout(timer);
    socket.off('readable', read).off('close', stop);
  };
  const read = (): void => {
    const chunk = socket.read() as Buffer | null;
    // At its end it closes by itself.
    if (chunk === null) return;
    bytes = bytes === undefined ? chunk : Buffer.concat([bytes, chunk]);
    if (!isFirstFlight(bytes)) return;
    stop();
    socket.unshift(bytes);
    begin();
  };
  const timer = setTimeout(() => {
    stop();
    late();
  }, FIRST_FLIGHT_TIMEOUT_MS).unref();
  socket.on('readable', read).once('close', stop);
}
