// Pings of a connection that is carried, as grpc-js sends them of its own.

import type { ServerHttp2Session } from 'node:http2';

export interface KeepaliveTimes {
  readonly keepaliveTimeMs: number;
  readonly keepaliveTimeoutMs: number;
}

/** Without it a peer that vanished keeps its streams for ever. */
export function keepAlive(session: ServerHttp2Session, { keepaliveTimeMs, keepaliveTimeoutMs }: KeepaliveTimes): void {
  let timer: NodeJS.Timeout;
  const plan = (): void => {
    timer = setTimeout(ping, keepaliveTimeMs).unref();
  };
  const ping = (): void => {
    if (session.destroyed) return;
    let isSent = false;
    timer = setTimeout(() => session.destroy(), keepaliveTimeoutMs).unref();
    try {
      isSent = session.ping((error: Error | null) => {
        clearTimeout(timer);
        if (error === null || error === undefined) plan();
        else session.destroy();
      });
    } catch {
      // It closes at the moment.
    }
    if (!isSent) session.destroy();
  };
  plan();
  session.once('close', () => clearTimeout(timer));
}
