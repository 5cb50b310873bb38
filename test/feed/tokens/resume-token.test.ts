// Tokens come back from consumers who may have stored anything.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { crc32 } from 'node:zlib';
import * as fc from 'fast-check';
import { UNKNOWN_CLUSTER } from '../../../src/model/cluster-identity.ts';
import { encodeToken, MAX_TOKEN_BYTES, parseToken, type ResumeToken } from '../../../src/feed/tokens/resume-token.ts';
import { type MomentRange, NO_SOURCES, sourceSet } from '../../../src/feed/tokens/token-sources.ts';

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const moment = fc.record({
  version: fc.oneof(fc.maxSafeNat().map(String), fc.bigInt(0n, 2n ** 64n - 1n).map(String)),
  digest: fc.oneof(fc.constant(0), fc.maxSafeNat()),
});
const one = moment.map((each): MomentRange => ({ low: each, high: each }));
const token: fc.Arbitrary<ResumeToken> = fc.record({
  projection: bytes(8),
  epoch: bytes(16),
  issuedMs: fc.maxSafeNat(),
  cursor: fc.maxSafeNat(),
  floor: fc.maxSafeNat(),
  held: fc.maxSafeNat(),
  followedForMs: fc.nat(),
  isSettled: fc.boolean(),
  sources: fc.oneof(
    fc.constant(NO_SOURCES),
    fc.record({
      set: bytes(8).map((set) => Buffer.from(set).toString('hex')),
      ranges: fc.array(fc.oneof(one, fc.record({ low: moment, high: moment })), { minLength: 1, maxLength: 12 }),
    }),
  ),
  cluster: fc.record({
    uid: fc.oneof(fc.constant(''), fc.uuid(), fc.constant('not-a-uuid')),
    name: fc.oneof(fc.constant(''), fc.string({ unit: 'grapheme', maxLength: 20 })),
  }),
});

const RESOURCES = [
  'pods',
  'services',
  'endpointslices.discovery.k8s.io',
  'nodes',
  'replicasets.apps',
  'deployments.apps',
  'statefulsets.apps',
  'daemonsets.apps',
  'jobs.batch',
  'cronjobs.batch',
  'replicationcontrollers',
  'rollouts.argoproj.io',
];

describe('a resume token', () => {
  it('comes back as it was given', () => {
    fc.assert(
      fc.property(token, (given) => {
        const encoded = encodeToken(given);
        assert.ok(encoded.byteLength <= MAX_TOKEN_BYTES);
        assert.deepEqual(plain(parseToken(encoded)), plain(given));
      }),
    );
  });

  it('takes 16 bytes more with the uid of the cluster', () => {
    const uid = '5d0b5d5e-0f0b-4a52-8f55-5f7f9f0f4c11';
    const encoded = encodeToken({ ...EMPTY, cluster: { name: 'prod', uid } });
    assert.equal(encoded.byteLength - encodeToken(EMPTY).byteLength, 16 + 'prod'.length);
    const parsed = parseToken(encoded);
    assert.deepEqual(typeof parsed === 'object' && parsed.cluster, { name: 'prod', uid });
  });

  it('is short: 190 bytes where a cluster is watched as a whole', () => {
    const encoded = encodeToken({ ...EMPTY, sources: sourcesOf(RESOURCES) });
    console.log(`${encoded.byteLength} bytes for ${RESOURCES.length} sources, all with records and at one moment`);
    assert.ok(encoded.byteLength <= 190, `${encoded.byteLength} bytes`);
  });

  it('has room for 16 namespaces watched one by one, also in the midst of changes and at the largest versions', () => {
    const namespaced = RESOURCES.filter((resource) => resource !== 'nodes');
    const names = Array.from({ length: 16 }, (_, index) => namespaced.map((each) => `team-${index}/${each}`)).flat();
    const encoded = encodeToken({ ...EMPTY, sources: sourcesOf([...names, 'nodes']) });
    console.log(`${encoded.byteLength} bytes for ${names.length + 1} sources`);
    assert.ok(encoded.byteLength <= 2_100, `${encoded.byteLength} bytes`);
    const changing = { low: '18446744073709551000', high: '18446744073709551615' };
    // A change of everything at once does not happen; a quarter is much.
    const busy = names.filter((_, index) => index % 4 === 0);
    const ranges = [...sourcesOf(names).ranges].map((range, index) =>
      index < busy.length
        ? { low: { version: changing.low, digest: 7 }, high: { version: changing.high, digest: 8 } }
        : { low: { version: changing.high, digest: 7 }, high: { version: changing.high, digest: 7 } },
    );
    const largest = encodeToken({ ...EMPTY, sources: { set: sourceSet(names), ranges } });
    const parsed = parseToken(largest);
    assert.ok(
      typeof parsed === 'object' && parsed.sources.ranges.length === names.length,
      `${largest.byteLength} bytes`,
    );
  });

  it('leaves out the sources when they would not fit, and still works where it came from', () => {
    const names = Array.from({ length: 500 }, (_, index) => `resource-${index}.example.com`);
    const encoded = encodeToken({ ...EMPTY, cursor: 7, sources: sourcesOf(names) });
    const parsed = parseToken(encoded);
    assert.ok(typeof parsed === 'object');
    assert.deepEqual([parsed.sources, parsed.cursor], [NO_SOURCES, 7]);
    assert.ok(encoded.byteLength < 100, `${encoded.byteLength} bytes`);
  });

  it('leaves them out too when their versions are no numbers, which cannot be compared', () => {
    for (const version of ['', '007', 'a1', '-1', '18446744073709551616']) {
      const range = { low: { version, digest: 1 }, high: { version, digest: 1 } };
      const parsed = parseToken(encodeToken({ ...EMPTY, sources: { set: sourceSet(['pods']), ranges: [range] } }));
      assert.ok(typeof parsed === 'object' && parsed.sources === NO_SOURCES, JSON.stringify(version));
    }
  });

  it('names the same sources whatever their order', () => {
    assert.equal(sourceSet(['pods', 'nodes']), sourceSet(['nodes', 'pods']));
    assert.notEqual(sourceSet(['pods', 'nodes']), sourceSet(['podsnodes']));
  });

  it('of another form is known as one', () => {
    const first = Buffer.alloc(62);
    first[0] = 1;
    first.writeUInt32BE(crc32(first.subarray(5)), 1);
    assert.equal(parseToken(first), 'other-form');
    fc.assert(
      fc.property(token, fc.integer({ min: 5, max: 255 }), (given, form) => {
        const encoded = encodeToken(given);
        encoded[0] = form;
        assert.equal(parseToken(encoded), 'other-form');
      }),
    );
  });

  it('is told from a damaged one', () => {
    fc.assert(
      fc.property(token, fc.nat(), fc.integer({ min: 1, max: 255 }), (given, where, change) => {
        const encoded = encodeToken(given);
        const at = 1 + (where % (encoded.byteLength - 1));
        encoded[at] = (encoded[at] ?? 0) ^ change;
        assert.equal(parseToken(encoded), undefined);
      }),
    );
  });

  it('is told from any other bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 5_000 }), (other) => {
        assert.equal(parseToken(other), undefined);
      }),
    );
  });

  it('is refused when the uid of its cluster is no text', () => {
    const forged = Buffer.from(encodeToken({ ...EMPTY, cluster: { uid: 'not-a-uuid', name: '' } }));
    forged[forged.indexOf('not-a-uuid')] = 0x80;
    forged.writeUInt32BE(crc32(forged.subarray(5)), 1);
    assert.equal(parseToken(forged), undefined);
  });

  it('that was made up is read or refused, and what is read is a token', () => {
    const edit = fc.record({ at: fc.nat(), byte: fc.nat(255) });
    fc.assert(
      fc.property(token, fc.array(edit, { maxLength: 8 }), fc.nat(40), (given, edits, cut) => {
        const encoded = encodeToken(given);
        const forged = Buffer.from(encoded.subarray(0, encoded.byteLength - cut));
        for (const { at, byte } of edits) forged[5 + (at % Math.max(1, forged.byteLength - 5))] = byte;
        if (forged.byteLength >= 5) forged.writeUInt32BE(crc32(forged.subarray(5)), 1);
        const parsed = parseToken(forged);
        if (typeof parsed !== 'object') return;
        assert.ok(parsed.sources.ranges.length <= forged.byteLength);
        assert.deepEqual(plain(parseToken(encodeToken(parsed))), plain(parsed));
      }),
      { numRuns: 2_000 },
    );
  });
});

const EMPTY: ResumeToken = {
  projection: new Uint8Array(8),
  epoch: new Uint8Array(16),
  issuedMs: 1_795_000_000_000,
  cursor: 123_456,
  floor: 123_456,
  held: 123_456,
  followedForMs: 0,
  isSettled: false,
  sources: NO_SOURCES,
  cluster: UNKNOWN_CLUSTER,
};

/** At one moment each, with versions of eight digits. */
function sourcesOf(names: readonly string[]): ResumeToken['sources'] {
  const ranges = names.map((_, index) => {
    const each = { version: String(12_345_678 + index), digest: Number.MAX_SAFE_INTEGER - index };
    return { low: each, high: each };
  });
  return { set: sourceSet(names), ranges };
}

/** Without the difference between Buffer and Uint8Array, and as text. */
function plain(given: ReturnType<typeof parseToken>): string | undefined {
  if (typeof given !== 'object') return given;
  const digits = (value: Uint8Array): string => Buffer.from(value).toString('hex');
  return JSON.stringify({ ...given, projection: digits(given.projection), epoch: digits(given.epoch) });
}
