// What a replica that starts takes over, and what it does not: siblings that mean well, and siblings that do not.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { credentials, Metadata, ServerCredentials, status } from '@grpc/grpc-js';
import type { HandedHistory } from '../../src/addresses/heritage/handed-history.ts';
import type { Lookup } from '../../src/handover/siblings.ts';
import { Taker, type TakerOptions } from '../../src/handover/taker.ts';
import { createCertificate } from '../simulator/server/certificate.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import {
  CLUSTER,
  FakeSibling,
  firstPart,
  formerPod,
  type HandOverCall,
  LAST,
  part,
  refuse,
  SilentListener,
} from './fake-sibling.ts';

const OWN_EPOCH = Buffer.alloc(16, 1);

const good = (call: HandOverCall, beganAgoMs = 60_000, name = 'a'): void => {
  call.write(firstPart({ beganMs: Date.now() - beganAgoMs }));
  call.write(part({ objects: [formerPod(name)] }));
  call.write(LAST);
  call.end();
};

describe('15.8: the history of a sibling', () => {
  it('is taken over whole, with the objects that it names', async () => {
    await using sibling = await FakeSibling.start((call) => good(call));
    const { taker, taken } = await run([sibling.port]);
    assert.equal(taker.outcome, 'taken');
    const [claim] = taken[0]?.claims ?? [];
    assert.equal(claim?.place, '10.1.0.1');
    assert.equal(claim?.end?.entity.name, 'a');
    const { from, claims, message } = taker.status;
    assert.deepEqual({ from, claims, message }, { from: sibling.target, claims: 1, message: '' });
  });

  it('is that of the one that reaches back furthest', async () => {
    await using short = await FakeSibling.start((call) => good(call, 10_000, 'short'));
    await using long = await FakeSibling.start((call) => good(call, 500_000, 'long'));
    const { taker } = await run([short.port, long.port]);
    assert.equal(taker.status.from, long.target);
  });

  const refused: readonly [what: string, answer: (call: HandOverCall) => void, message: RegExp][] = [
    [
      'another cluster',
      (call) => call.write(firstPart({ clusterUid: 'elsewhere' })),
      /it is of cluster elsewhere, this replica of c1u5-7e12/,
    ],
    ['this very replica', (call) => call.write(firstPart({ epoch: OWN_EPOCH })), /this is the replica that asks/],
    [
      'a clock that is ahead',
      (call) => call.write(firstPart({ serverTimeMs: Date.now() + 30_000 })),
      /its clock is (29|30)\.\d s from that of this replica/,
    ],
    [
      'a clock that is behind',
      (call) => call.write(firstPart({ serverTimeMs: Date.now() - 30_000 })),
      /its clock is (29|30)\.\d s from that of this replica/,
    ],
    [
      'one that began later',
      (call) => call.write(firstPart({ beganMs: Date.now() + 10 })),
      /knows nothing of the time before this replica began/,
    ],
    ['no permission', (call) => refuse(call, status.UNAUTHENTICATED, 'no token'), /UNAUTHENTICATED: no token/],
    ['one without a role', (call) => refuse(call, status.PERMISSION_DENIED, 'no'), /PERMISSION_DENIED: no/],
    ['an older version', (call) => refuse(call, status.UNIMPLEMENTED, ''), /it is older and hands nothing over/],
    [
      'other options',
      (call) => refuse(call, status.FAILED_PRECONDITION, 'other values of --deny-label', 'OTHER_CONFIGURATION'),
      /OTHER_CONFIGURATION: other values of --deny-label/,
    ],
    [
      'one that is not ready itself',
      (call) => refuse(call, status.UNAVAILABLE, 'not synced yet', 'NOT_SYNCED'),
      /NOT_SYNCED: not synced yet/,
    ],
    ['bytes that are no message', (call) => call.write(Buffer.from('hello there')), /cannot be read/],
    ['a first part without facts', (call) => call.write(part({ objects: [] })), /has no facts/],
    [
      'a claim that ends before it begins',
      (call) => tell(call, formerPod('a', { end: { earliestMs: 5, latestMs: 6, knownAtMs: 7 } })),
      /cannot be read: a claim that ended before it began/,
    ],
    ['a claim with a role that is not known', (call) => tell(call, formerPod('a', { role: 77 })), /cannot be read/],
    [
      'an address that is none',
      (call) => tell(call, formerPod('a', { address: '010.1.0.1' })),
      /cannot be read: not an address: 010\.1\.0\.1/,
    ],
    [
      'a moment that is none',
      (call) => tell(call, formerPod('a', { startEarliestMs: -(2 ** 60) })),
      /cannot be read: no moment: -1152921504606847000/,
    ],
    [
      'an object whose message cannot be read',
      (call) => {
        const pod = formerPod('a') as { state: object };
        tell(call, { ...pod, state: { ...pod.state, own: Buffer.of(0x0a, 200, 1) } });
      },
      /cannot be read/,
    ],
    [
      'more bytes than there is room for',
      (call) => {
        call.write(firstPart());
        for (let i = 0; i < 40; i++) call.write(part({ objects: [formerPod(`a-${'x'.repeat(100_000)}`)] }));
      },
      /has more than 2000000 bytes, see --max-history-memory/,
    ],
    [
      'text that means to write to a terminal',
      (call) => refuse(call, status.FAILED_PRECONDITION, 'a\u001b[2Jb', 'NO_HISTORY'),
      /a\\u001b\[2Jb|a.\[2Jb/,
    ],
  ];
  for (const [what, answer, message] of refused) {
    it(`is not taken over from ${what}: at once, and the status says why`, async () => {
      await using sibling = await FakeSibling.start(answer);
      const { taker, taken } = await run([sibling.port], { waitMs: 60_000 });
      assert.equal(taker.outcome, 'refused');
      assert.match(taker.status.message, message);
      assert.ok(taker.status.message.startsWith(`${sibling.target}: `), taker.status.message);
      assert.deepEqual([taken.length, sibling.calls], [0, 1]);
    });
  }

  it('is not taken over in part: one that breaks off is asked again, and left when the time is up', async () => {
    await using sibling = await FakeSibling.start((call) => {
      call.write(firstPart());
      call.write(part({ objects: [formerPod('a')] }));
      call.end();
    });
    const { taker, taken } = await run([sibling.port], { waitMs: 1_000 });
    assert.equal(taker.outcome, 'timeout');
    assert.match(taker.status.message, /its history broke off/);
    assert.ok(sibling.calls > 1);
    assert.equal(taken.length, 0);
  });

  it('comes from another one when the first that is asked hangs, before or after its first words', async () => {
    await using silent = await SilentListener.start();
    await using drips = await FakeSibling.start((call) => {
      call.write(firstPart({ beganMs: Date.now() - 900_000 }));
      const timer = setInterval(() => call.write(part({ objects: [formerPod('slow')] })), 50);
      call.on('cancelled', () => clearInterval(timer));
    });
    await using sibling = await FakeSibling.start((call) => good(call));
    const { taker } = await run([silent.port, drips.port, sibling.port], { waitMs: 8_000 });
    assert.equal(taker.outcome, 'taken');
    assert.equal(taker.status.from, sibling.target);
  });

  it('keeps the start waiting no longer than is allowed', async () => {
    await using silent = await SilentListener.start();
    const startedMs = performance.now();
    const { taker } = await run([silent.port], { waitMs: 1_000 });
    assert.equal(taker.outcome, 'timeout');
    assert.ok(performance.now() - startedMs < 10_000);
    assert.match(taker.status.message, /did not answer in time/);
  });

  it('is asked for again while a sibling is behind, and taken when it is not', async () => {
    let calls = 0;
    await using sibling = await FakeSibling.start((call) => {
      calls += 1;
      if (calls < 3) refuse(call, status.UNAVAILABLE, 'not seen yet', 'REPLICA_BEHIND');
      else good(call);
    });
    const { taker } = await run([sibling.port]);
    assert.equal(taker.outcome, 'taken');
    assert.equal(calls, 3);
  });

  it('is looked for at all addresses of a name, and not waited for where a name has none', async () => {
    await using sibling = await FakeSibling.start((call) => good(call));
    const asked: string[] = [];
    const lookup: Lookup = async (host) => {
      asked.push(host);
      if (host === 'nowhere') throw Object.assign(new Error('no'), { code: 'ENOTFOUND' });
      return [
        { address: '127.0.0.1', family: 4 },
        { address: '127.0.0.1', family: 4 },
      ];
    };
    const { taker } = await run([], { places: [{ host: 'digger-headless', port: sibling.port }], lookup });
    assert.equal(taker.outcome, 'taken');
    assert.equal(sibling.calls, 1, 'an address counts once');
    const none = await run([], { places: [{ host: 'nowhere', port: 1 }], lookup, waitMs: 60_000 });
    assert.equal(none.taker.outcome, 'refused');
    assert.match(none.taker.status.message, /nowhere: the name has no address/);
    assert.deepEqual(asked, ['digger-headless', 'nowhere']);
  });

  it('is given up when the process is told to stop', async () => {
    await using silent = await SilentListener.start();
    const stopping = new AbortController();
    const running = run([silent.port], { waitMs: 60_000 }, stopping.signal);
    stopping.abort();
    assert.equal((await running).taker.outcome, 'aborted');
  });

  it('comes over TLS, from the name that is in the certificate, with the token, and from no other', async () => {
    const ca = createCertificate({ commonName: 'CA' });
    const names = { dnsNames: ['digger-headless.digger.svc'], addresses: [] };
    const { cert, key } = createCertificate({ issuer: ca, commonName: 'server', ...names });
    const pair = { cert_chain: Buffer.from(cert), private_key: Buffer.from(key) };
    let shown: unknown;
    await using sibling = await FakeSibling.start(
      (call) => {
        [shown] = call.metadata.get('authorization');
        good(call);
      },
      ServerCredentials.createSsl(null, [pair]),
    );
    const secure: Partial<TakerOptions> = {
      createCredentials: () => credentials.createSsl(Buffer.from(ca.cert)),
      createMetadata: () => {
        const metadata = new Metadata();
        metadata.set('authorization', 'Bearer t');
        return metadata;
      },
      waitMs: 1_500,
    };
    const lookup: Lookup = async () => [{ address: '127.0.0.1', family: 4 }];
    const found = { ...secure, lookup, places: [{ host: 'digger-headless.digger.svc', port: sibling.port }] };
    assert.equal((await run([], found)).taker.outcome, 'taken', 'by the name that it was found by');
    assert.equal(shown, 'Bearer t');
    const named = { ...secure, serverName: 'digger-headless.digger.svc' };
    assert.equal((await run([sibling.port], named)).taker.outcome, 'taken', 'by the name that is given');
    const other = await run([sibling.port], { ...secure, serverName: 'elsewhere.svc' });
    assert.equal(other.taker.outcome, 'timeout');
    assert.match(other.taker.status.message, /does not match certificate's altnames/);
    const untrusted = await run([sibling.port], { ...named, createCredentials: () => credentials.createSsl() });
    assert.match(untrusted.taker.status.message, /UNAVAILABLE: .*(?:unable to verify|unable to get|self-signed)/);
  });

  it('is not asked for with a token that must not be shown, and the service starts all the same', async () => {
    await using sibling = await FakeSibling.start((call) => good(call));
    const { taker } = await run([sibling.port], {
      waitMs: 500,
      createMetadata: () => {
        throw new Error('cannot read /nowhere/token: ENOENT');
      },
    });
    assert.equal(taker.outcome, 'timeout');
    assert.match(taker.status.message, /cannot read \/nowhere\/token: ENOENT/);
    assert.equal(sibling.calls, 0);
  });

  it('is not waited for where a file of this replica stays away, and is taken where it comes', async () => {
    await using sibling = await FakeSibling.start((call) => good(call));
    const startedMs = performance.now();
    const without = await run([sibling.port], {
      waitMs: 60_000,
      createCredentials: () => {
        throw new Error('cannot read /etc/digger/tls/ca.crt: ENOENT');
      },
    });
    assert.equal(without.taker.outcome, 'refused');
    assert.match(without.taker.status.message, /cannot read \/etc\/digger\/tls\/ca.crt: ENOENT/);
    assert.ok(performance.now() - startedMs < 20_000);
    let asked = 0;
    const late = await run([sibling.port], {
      createCredentials: () => {
        asked += 1;
        if (asked === 1) throw new Error('cannot read /etc/digger/tls/ca.crt: ENOENT');
        return credentials.createInsecure();
      },
    });
    assert.equal(late.taker.outcome, 'taken');
  });
});

function tell(call: HandOverCall, object: Record<string, unknown>): void {
  call.write(firstPart());
  call.write(part({ objects: [object] }));
  call.write(LAST);
  call.end();
}

async function run(
  ports: readonly number[],
  options: Partial<TakerOptions> = {},
  signal = new AbortController().signal,
): Promise<{ readonly taker: Taker; readonly taken: readonly HandedHistory[] }> {
  const taken: HandedHistory[] = [];
  const beganMs = Date.now();
  const taker = new Taker({
    places: ports.map((port) => ({ host: '127.0.0.1', port })),
    createCredentials: () => credentials.createInsecure(),
    createMetadata: () => new Metadata(),
    serverName: undefined,
    waitMs: 10_000,
    maxBytes: 2_000_000,
    question: () => ({ epoch: OWN_EPOCH, clusterUid: CLUSTER, settings: [], positions: [] }),
    beganMs: () => beganMs,
    isWorthIt: () => true,
    inherit: (history) => {
      taken.push(history);
      return { ended: history.claims.length, matched: 0, unknown: 0, formerEntities: [] };
    },
    now: Date.now,
    logger: createLogger({ level: 'silent', pretty: false }),
    ...options,
  });
  await taker.run(signal);
  return { taker, taken };
}
