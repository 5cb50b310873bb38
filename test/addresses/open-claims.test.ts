// The claims that a service keeps, gets and loses as its endpoints change, against deriving all of them anew.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Claim, HolderEntity } from '../../src/addresses/claims/claim.ts';
import { openClaim } from '../../src/addresses/claims/claim-times.ts';
import { claimKey } from '../../src/addresses/claims/derived-claim.ts';
import { deriveClaims } from '../../src/addresses/claims/derive-claims.ts';
import { OpenClaims } from '../../src/addresses/claims/open-claims.ts';
import type { ServiceEntity } from '../../src/model/entities.ts';
import { service } from './world.ts';

const SEEN = { atMs: 1_000 };

const address = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 30 }).map((at) => `203.0.113.${at}`) },
  // Claimed by no entity, wherever in the list they stand.
  { weight: 1, arbitrary: fc.constantFrom('127.0.0.1', '169.254.1.1', '::1', 'fe80::1', '224.0.0.1') },
);
const endpoints = fc.uniqueArray(address, { maxLength: 25 });
const state = fc.record({
  manualEndpoints: fc.oneof(
    endpoints.map((each) => each.toSorted()),
    endpoints,
  ),
  clusterAddresses: fc.constantFrom([], ['10.96.0.1'], ['10.96.0.1']),
  externalAddresses: fc.constantFrom([], [], ['203.0.113.1']),
  externalName: fc.constantFrom(false, false, false, true),
});

describe('the open claims of a service', () => {
  it('are those that are derived from its newest state, and one that stays is never opened again', () => {
    fc.assert(
      fc.property(fc.array(state, { minLength: 2, maxLength: 12 }), (states) => {
        const claims = new OpenClaims(() => false);
        const open = new Set<Claim>();
        const ended = new Map<Claim, HolderEntity>();
        const listener = {
          opened: (derived: Parameters<typeof openClaim>[0], entity: Parameters<typeof openClaim>[1]): Claim => {
            const claim = openClaim(derived, entity, SEEN, false);
            open.add(claim);
            return claim;
          },
          ended: (claim: Claim): void => {
            assert.ok(open.delete(claim), 'it was open');
            ended.set(claim, claim.entity);
          },
        };
        let before: ServiceEntity | undefined;
        for (const facts of states) {
          const after = service('s', { ...facts, ports: [{ port: 80, protocol: 'TCP' }] });
          const keptOf = new Map(
            claims.of(after.uid).map((claim) => [claimKey(claim.derivedRole, claim.place), claim]),
          );
          claims.update(before, after, SEEN, listener);
          const derived = deriveClaims(after, { isFirstClaim: false, isFirstSight: false, isTaken: () => false });
          const now = claims.of(after.uid);
          assert.deepEqual(
            now.map((claim) => claimKey(claim.derivedRole, claim.place)),
            derived.map(({ role, place }) => claimKey(role, place)),
          );
          for (const claim of now) {
            assert.equal(claim.entity, after, 'its newest state');
            const kept = keptOf.get(claimKey(claim.derivedRole, claim.place));
            assert.ok(kept === undefined || kept === claim, 'it stays what it is');
          }
          assert.deepEqual(new Set(now), open);
          assert.equal(claims.count, open.size);
          before = after;
        }
        claims.update(before, undefined, SEEN, listener);
        assert.deepEqual([claims.count, open.size], [0, 0]);
        for (const [claim, entity] of ended) assert.equal(claim.entity, entity, 'as it was when it ended');
      }),
      { numRuns: 500 },
    );
  });

  it('14.8: are not touched where they stay: one of n and of 4 n endpoints changes, wherever in the list it stands', () => {
    const touchesOf = (count: number): number => {
      let touches = 0;
      const claims = new OpenClaims(() => false);
      const listener = {
        opened: (derived: Parameters<typeof openClaim>[0], entity: Parameters<typeof openClaim>[1]): Claim => {
          const claim = openClaim(derived, entity, SEEN, false);
          const { place } = claim;
          Object.defineProperty(claim, 'place', { get: () => ((touches += 1), place) });
          return claim;
        },
        ended: (): void => undefined,
      };
      const listed = Array.from({ length: count }, (_, at) => `10.144.${at >> 8}.${at & 255}`).sort();
      const first = service('s', { manualEndpoints: listed });
      claims.update(undefined, first, SEEN, listener);
      touches = 0;
      let before = first;
      for (const [at, address] of [listed[0], listed[count >> 1], listed.at(-1)].entries()) {
        const manualEndpoints = [...listed.filter((each) => each !== address), `10.9.9.${at}`].sort();
        const after = service('s', { manualEndpoints });
        claims.update(before, after, SEEN, listener);
        assert.equal(claims.of(after.uid).length, count);
        before = after;
      }
      return touches;
    };
    const [few, many] = [touchesOf(100), touchesOf(400)];
    assert.ok(few > 0 && many <= few, `${few} touches of claims among 100, ${many} among 400`);
  });
});
