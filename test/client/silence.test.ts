// How long a server may be silent before the replica for TypeScript says that its picture is old (rule 11 of
// proto/digger/v1/timeline.proto): a heartbeat that comes a little late is no gap.

import assert from 'node:assert/strict';
import { after, before, describe, it, mock } from 'node:test';
import { Server, ServerCredentials, type ServerWritableStream } from '@grpc/grpc-js';
import { connect, type Replica } from '../../src/client/replica.ts';
import { messageType } from '../../src/wire/schema.ts';

const WatchResponse = messageType('digger.v1.WatchResponse');
const WATCH = '/digger.v1.ChangeFeedService/Watch';
const HEARTBEAT_MS = 1_000;
const POD = '10.0.0.1';

const FRAMES = [
  { reset: { reason: 1 } },
  {
    changes: {
      changes: [
        { facts: { beganMs: 0, historyMs: 1e12, reportDelayMs: 0, rangesCompleteIpv4: true } },
        {
          timeline: {
            place: { address: POD },
            holders: [{ kind: 1, namespace: 'shop', name: 'a', uid: 'uid-a', role: 1, validFromMs: 1_000 }],
            spans: [{ fromMs: 1_000, holders: [0] }],
            inCluster: true,
          },
        },
      ],
    },
  },
  { synced: {} },
];

describe('15.7 the silence of a server', () => {
  const server = new Server();
  let replica: Replica;

  before(async () => {
    mock.timers.enable({ apis: ['Date'], now: 1e12 });
    server.addService(
      {
        Watch: {
          path: WATCH,
          requestStream: false,
          responseStream: true,
          requestSerialize: (bytes: Buffer) => bytes,
          requestDeserialize: (bytes: Buffer) => bytes,
          responseSerialize: (bytes: Buffer) => bytes,
          responseDeserialize: (bytes: Buffer) => bytes,
        },
      },
      {
        Watch: (call: ServerWritableStream<Buffer, Buffer>) => {
          for (const frame of FRAMES)
            call.write(Buffer.from(WatchResponse.encode(WatchResponse.create(frame)).finish()));
        },
      },
    );
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      );
    });
    replica = connect({ targets: [`127.0.0.1:${port}`], heartbeatMs: HEARTBEAT_MS });
    await replica.ready();
  });

  after(() => {
    replica.close();
    server.forceShutdown();
    mock.timers.reset();
  });

  it('makes no answer uncertain for as long as a heartbeat and a half', () => {
    mock.timers.setTime(1e12 + 1.5 * HEARTBEAT_MS);
    const { outcome, uncertain, staleness } = replica.resolve({ address: POD });
    assert.deepEqual([outcome, uncertain, staleness], ['RESOLVED', false, undefined]);
  });

  it('is a gap from the last frame on when it is longer', () => {
    mock.timers.setTime(1e12 + 1.5 * HEARTBEAT_MS + 1);
    const now = replica.resolve({ address: POD });
    assert.deepEqual([now.outcome, now.uncertain, now.staleness], ['RESOLVED', true, 1.5 * HEARTBEAT_MS + 1]);
    const before = replica.resolve({ address: POD, at: 1e12 - 1 });
    assert.deepEqual([before.outcome, before.uncertain], ['RESOLVED', false], 'what was heard of is certain');
  });
});
