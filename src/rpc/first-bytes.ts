// Waits for the first bytes of a connection before anything is made for it: no session of HTTP/2, no keys of TLS. Who
// says nothing has its socket and no more, and not for long.

import type { Socket } from 'node:net';

/** A round trip and a slow start of the client; more is a port scanner, or someone who holds a place. */
export const FIRST_BYTES_TIMEOUT_MS = 10_000;

/** The client's preface of HTTP/2 (RFC 9113, section 3.4). */
const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

/** Whether the preface is complete, or will never be one, which HTTP/2 refuses. */
export function isPreface(bytes: Buffer): boolean {
  const length = Math.min(bytes.length, PREFACE.length);
  return length === PREFACE.length || bytes.compare(PREFACE, 0, length, 0, length) !== 0;
}

/**
 * Calls `begin` once `isEnough` says so of the bytes that have come; they are the first to be read from the socket then.
 * Calls `late` instead when that takes too long; neither when the socket closes before.
 */
export function awaitFirstBytes(
  socket: Socket,
  isEnough: (bytes: Buffer) => boolean,
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
    if (!isEnough(bytes)) return;
    stop();
    socket.unshift(bytes);
    begin();
  };
  const timer = setTimeout(() => {
    stop();
    late();
  }, FIRST_BYTES_TIMEOUT_MS).unref();
  socket.on('readable', read).once('close', stop);
}
