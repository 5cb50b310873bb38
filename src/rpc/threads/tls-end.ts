// TLS in a thread that carries connections: the same server as in the main thread, whose material, counters and log are
// the main thread's.

import type { Server, TLSSocket } from 'node:tls';

import type { TlsBytes, TlsMaterial } from '../tls/files.ts';
import type { TlsMetrics } from '../tls/metrics.ts';
import { createTlsServer, type TlsSource } from '../tls/termination.ts';
import type { Logger } from '../../telemetry/logger.ts';

export interface TlsEndOptions {
  readonly accept: (socket: TLSSocket) => void;
  readonly countFailure: (reason: string) => void;
  readonly log: (level: 'debug' | 'warn', facts: object, message: string) => void;
}

/** `take` throws when it cannot be served with; then what was served before is. */
export function createTlsEnd(
  first: TlsBytes,
  { accept, countFailure, log }: TlsEndOptions,
): { readonly server: Server; take(material: TlsBytes): void } {
  const listeners: ((material: TlsMaterial) => void)[] = [];
  const source: TlsSource = {
    current: toMaterial(first),
    // Nothing else of them is used where handshakes are made.
    metrics: {
      handshakeFailures: { inc: ({ reason }: { reason: string }) => countFailure(reason) },
    } as unknown as TlsMetrics,
    onChange: (listener) => listeners.push(listener),
  };
  const logger = {
    debug: (facts: object, message: string) => log('debug', facts, message),
    warn: (facts: object, message: string) => log('warn', facts, message),
  } as unknown as Logger;
  const server = createTlsServer({ source, logger, nowMs: () => performance.now() }, accept);
  return {
    server,
    take(material) {
      for (const listener of listeners) listener(toMaterial(material));
    },
  };
}

/** Bytes that came from another thread are no Buffers any more; what is told of the certificate is told elsewhere. */
function toMaterial({ cert, key, clientCa }: TlsBytes): TlsMaterial {
  return {
    cert: Buffer.from(cert),
    key: Buffer.from(key),
    clientCa: clientCa === undefined ? undefined : Buffer.from(clientCa),
    notAfterMs: 0,
    serialNumber: '',
  };
}
