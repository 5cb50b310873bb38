// Tokens come back from consumers who may have stored anything.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { encodeToken, MAX_TOKEN_BYTES, parseToken, type ResumeToken, sourceId } from '../../src/feed/resume-token.ts';

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const moment = fc.record({
  version: fc.maxSafeNat().map(String),
  digest: fc.maxSafeNat(),
});
const token: fc.Arbitrary<ResumeToken> = fc.record({
  projection: bytes(8),
  epoch: bytes(16),
  issuedMs: fc.maxSafeNat(),
  cursor: fc.maxSafeNat(),
  floor: fc.maxSafeNat(),
  held: fc.maxSafeNat(),
  sources: fc.array(
    fc.record({
      id: fc.constantFrom('pods', 'deployments.apps', 'endpointslices.discovery.k8s.io').map(sourceId),
      low: moment,
      high: moment,
    }),
    { maxLength: 12 },
  ),
});

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

  it('has room for twelve resources at the largest versions there are', () => {
    const encoded = encodeToken({ ...EMPTY, sources: sources(12) });
    assert.ok(encoded.byteLength <= 840, `${encoded.byteLength} bytes`);
    assert.equal(parseToken(encoded)?.sources.length, 12);
  });

  it('leaves out the sources when they would not fit', () => {
    const encoded = encodeToken({ ...EMPTY, cursor: 7, sources: sources(40) });
    assert.ok(encoded.byteLength <= MAX_TOKEN_BYTES);
    assert.deepEqual(parseToken(encoded)?.sources, []);
    assert.equal(parseToken(encoded)?.cursor, 7);
  });

  it('is told from a damaged one', () => {
    fc.assert(
      fc.property(token, fc.nat(), fc.integer({ min: 1, max: 255 }), (given, where, change) => {
        const encoded = encodeToken(given);
        const at = where % encoded.byteLength;
        encoded[at] = (encoded[at] ?? 0) ^ change;
        assert.equal(parseToken(encoded), undefined);
      }),
    );
  });

  it('is told from any other bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 1200 }), (other) => {
        assert.equal(parseToken(other), undefined);
      }),
    );
  });
});

const EMPTY = {
  projection: new Uint8Array(8),
  epoch: new Uint8Array(16),
  issuedMs: 0,
  cursor: 0,
  floor: 0,
  held: 0,
  sources: [],
};

/** With versions of 19 digits, the length of the largest 64-bit number, and two moments each. */
function sources(count: number): ResumeToken['sources'] {
  return Array.from({ length: count }, (_, index) => ({
    id: sourceId(`resource-${index}.example.com`),
    low: { version: '9223372036854775806', digest: index },
    high: { version: '9223372036854775807', digest: Number.MAX_SAFE_INTEGER },
  }));
}

/** Without the difference between Buffer and Uint8Array, and as text. */
function plain(given: ResumeToken | undefined): string | undefined {
  const digits = (value: Uint8Array): string => Buffer.from(value).toString('hex');
  return given && JSON.stringify({ ...given, projection: digits(given.projection), epoch: digits(given.epoch) });
}
