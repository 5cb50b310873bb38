// Both sides of carried connections in one thread, so that a test can see and say what passes between them: the sockets
// of `Carrier`, and `CarriedCalls`, with what they tell each other on its way for a turn, as between threads.

import type { ServerHttp2Session } from 'node:http2';

import type { TakeStream } from '../../../src/rpc/calls/grpc-js-streams.ts';
import type { ServedConnection } from '../../../src/rpc/served-connection.ts';
import { CarriedCalls, type CarriedCallsOptions } from '../../../src/rpc/threads/carried-calls.ts';
import { Carrier } from '../../../src/rpc/threads/carrier.ts';
import type { CarriedLimits, FromCarrier } from '../../../src/rpc/threads/protocol.ts';

export const LIMITS: CarriedLimits = {
  maxStreamsPerConnection: 100,
  maxSessionMemoryMiB: 10,
  maxSockets: 100,
  keepaliveTimeMs: 60_000,
  keepaliveTimeoutMs: 60_000,
};

/** Decides nothing: every connection is admitted, and every stream is taken. */
export function admitAll(more: Partial<CarriedCallsOptions>): CarriedCallsOptions {
  return {
    listener: {
      begin: (_connection, isGone, admitted) => {
        if (!isGone()) admitted();
      },
      noteHandshake: () => undefined,
      noteEnd: () => undefined,
      closed: () => undefined,
    },
    onSession: () => undefined,
    takeStream: () => undefined,
    countOverrun: () => undefined,
    countHeld: () => undefined,
    send: () => undefined,
    ...more,
  };
}

export interface InOneThread {
  readonly target: string;
  readonly calls: CarriedCalls;
  readonly connections: ServedConnection[];
  readonly sessions: ServerHttp2Session[];
  /** Everything that was told has been taken, and nothing more is told. */
  settled(): Promise<void>;
  close(): void;
}

export async function serveInOneThread(takeStream: TakeStream, limits = LIMITS): Promise<InOneThread> {
  let listening: (address: { host: string; port: number }) => void = () => undefined;
  let onTheWay = 0;
  let passed = 0;
  const later = (run: () => void): void => {
    onTheWay += 1;
    passed += 1;
    setImmediate(() => {
      onTheWay -= 1;
      run();
    });
  };
  const carrier = new Carrier({ limits, tls: undefined }, (message: FromCarrier) => {
    if ('listening' in message) listening(message.listening);
    if ('notes' in message) later(() => calls.take(message.notes));
  });
  const connections: ServedConnection[] = [];
  const sessions: ServerHttp2Session[] = [];
  const calls = new CarriedCalls(
    admitAll({
      takeStream,
      onSession: (session) => sessions.push(session),
      send: (notes, frames) => later(() => carrier.take({ notes, frames })),
      listener: {
        ...admitAll({}).listener,
        begin: (connection, isGone, admitted) => {
          connections.push(connection);
          if (!isGone()) admitted();
        },
      },
    }),
  );
  const { port } = await new Promise<{ port: number }>((resolve) => {
    listening = resolve;
    carrier.take({ listen: { host: '127.0.0.1', port: 0, shared: false } });
  });
  return {
    target: `127.0.0.1:${port}`,
    calls,
    connections,
    sessions,
    async settled() {
      // Notes are told at the end of a turn, and each may cause others.
      for (let quiet = 0; quiet < 4; ) {
        const before = passed;
        await new Promise((resolve) => setImmediate(resolve));
        quiet = before === passed && onTheWay === 0 ? quiet + 1 : 0;
      }
    },
    close() {
      for (const connection of connections) connection.destroy();
      carrier.take({ stopAccepting: true });
    },
  };
}
