// Tokens come back from consumers who may have stored anything.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { encodeToken, MAX_TOKEN_BYTES, parseToken, type ResumeToken } from '../../src/feed/resume-token.ts';

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const token: fc.Arbitrary<ResumeToken> = fc.record({
  projection: bytes(8),
  epoch: bytes(16),
  cursor: fc.maxSafeNat(),
  floor: fc.maxSafeNat(),
  positions: fc.array(
    fc.record({
      resource: fc.constantFrom('pods', 'deployments.apps', 'endpointslices.discovery.k8s.io'),
      resourceVersion: fc.maxSafeNat().map(String),
      digest: bytes(8),
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

  it('leaves out the positions of resources when they would not fit', () => {
    const digest = new Uint8Array(8);
    const positions = Array.from({ length: 40 }, (_, index) => ({
      resource: `resource-${index}.example.com`,
      resourceVersion: '123456789',
      digest,
    }));
    const given = { projection: new Uint8Array(8), epoch: new Uint8Array(16), cursor: 7, floor: 3, positions };
    const encoded = encodeToken(given);
    assert.ok(encoded.byteLength <= MAX_TOKEN_BYTES);
    assert.deepEqual(parseToken(encoded)?.positions, []);
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

/** Without the difference between Buffer and Uint8Array. */
function plain(given: ResumeToken | undefined): unknown {
  const digits = (value: Uint8Array): string => Buffer.from(value).toString('hex');
  return (
    given && {
      ...given,
      projection: digits(given.projection),
      epoch: digits(given.epoch),
      positions: given.positions.map((position) => ({ ...position, digest: digits(position.digest) })),
    }
  );
}
