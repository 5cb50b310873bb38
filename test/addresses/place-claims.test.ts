// A timeline finds by search what a scan over all claims would find.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import type { Claim } from '../../src/addresses/claims/claim.ts';
import { distanceTo, endClaim, openClaim } from '../../src/addresses/claims/claim-times.ts';
import { PlaceClaims } from '../../src/addresses/claims/place-claims.ts';
import { pod } from './world.ts';

const SLACK_MS = 5;

it('finds every claim that reaches the moment, whatever was added, ended and forgotten before', () => {
  const step = fc.record({
    verb: fc.constantFrom('open', 'end', 'forget'),
    pick: fc.nat(50),
    start: fc.integer({ min: 0, max: 200 }),
    length: fc.integer({ min: 0, max: 60 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), fc.array(fc.integer({ min: -20, max: 300 })), (steps, moments) => {
      const timeline = new PlaceClaims();
      const open: Claim[] = [];
      const ended: Claim[] = [];
      for (const { verb, pick, start, length } of steps) {
        if (verb === 'open') {
          const claim = openClaim(
            { role: 'POD_IP', place: '10.0.0.1', apiStart: undefined },
            pod('a'),
            { atMs: start + 2, sinceMs: start },
            false,
          );
          timeline.add(claim);
          open.push(claim);
        } else if (verb === 'end' && open.length > 0) {
          const [claim] = open.splice(pick % open.length, 1) as [Claim];
          endClaim(claim, { atMs: claim.startLatestMs + length }, undefined);
          timeline.end(claim);
          ended.push(claim);
        } else if (verb === 'forget' && ended.length > 0) {
          const [claim] = ended.splice(pick % ended.length, 1) as [Claim];
          timeline.forget(claim);
        }
      }
      for (const moment of moments) {
        const found = new Set(timeline.around(moment, SLACK_MS));
        const scanned = [...open, ...ended].filter((claim) => distanceTo(claim, moment) <= SLACK_MS);
        for (const claim of scanned) assert.ok(found.has(claim), `missing at ${moment}`);
        const started = ended.filter((claim) => claim.startEarliestMs <= moment);
        if (started.length > 0) {
          const latest = Math.max(...started.map((claim) => claim.startEarliestMs));
          assert.ok(
            [...found].some((claim) => claim.endLatestMs !== undefined && claim.startEarliestMs === latest),
            `the last one that had started is missing at ${moment}`,
          );
        }
      }
    }),
    { numRuns: 500 },
  );
});

it('looks at few claims however many held the place before', () => {
  const timeline = new PlaceClaims();
  for (let i = 0; i < 1_000; i++) {
    const claim = openClaim(
      { role: 'POD_IP', place: '10.0.0.1', apiStart: undefined },
      pod(`p${i}`),
      { atMs: i * 10 },
      false,
    );
    timeline.add(claim);
    endClaim(claim, { atMs: i * 10 + 9 }, undefined);
    timeline.end(claim);
  }
  assert.ok([...timeline.around(5_003, 0)].length <= 2);
  assert.ok([...timeline.around(20_000, 0)].length <= 1);
});
