// Addresses that a service claims only while nothing in the cluster has them, beside everything else that may take them
// or let go of them: the claims that are open are those that a book which begins now would open, and what is kept of
// plain holders is what a question would find.
//
// DIGGER_SEED sets the seed of fast-check; a failure prints it.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { PlainHolder } from '../../src/addresses/reader.ts';
import { deriveClaims } from '../../src/addresses/claims/derive-claims.ts';
import { claimKey } from '../../src/addresses/claims/derived-claim.ts';
import type { NodeEntity, PodEntity, ServiceEntity } from '../../src/model/entities.ts';
import { node, pod, service, T0, World } from './world.ts';

const seed = process.env['DIGGER_SEED'] === undefined ? {} : { seed: Number(process.env['DIGGER_SEED']) };
/** Few, so that they meet. */
const ADDRESSES = ['10.1.0.1', '10.1.0.2', '10.96.0.1', '192.0.2.1', '192.0.2.2', '127.0.0.1'];
const addresses = fc.uniqueArray(fc.constantFrom(...ADDRESSES), { maxLength: 3 });
const hostPorts = fc.constantFrom([], [], [{ port: 80, protocol: 'TCP' as const, hostAddress: undefined }]);

const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .record({ addresses, terminal: fc.boolean(), hostNetwork: fc.boolean(), hostAddresses: addresses, hostPorts })
      .map((facts) => ({ kind: 'Pod' as const, facts })),
  },
  {
    weight: 6,
    arbitrary: fc
      .record({
        ...{ clusterAddresses: addresses, loadBalancerAddresses: addresses, externalAddresses: addresses },
        ...{ manualEndpoints: addresses, externalName: fc.constantFrom(false, false, false, true) },
        proxiedAddresses: fc.oneof(addresses, fc.constant(undefined)),
        ports: fc.constantFrom([], [{ port: 80, protocol: 'TCP' as const }]),
      })
      .map(({ proxiedAddresses, ...facts }) => ({
        kind: 'Service' as const,
        facts: { ...facts, ...(proxiedAddresses === undefined ? {} : { proxiedAddresses }) },
      })),
  },
  { weight: 3, arbitrary: fc.record({ addresses }).map((facts) => ({ kind: 'Node' as const, facts })) },
  { weight: 3, arbitrary: fc.constant({ kind: 'gone' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'blind' as const }) },
);
const steps = fc.array(fc.tuple(step, fc.nat(2), fc.integer({ min: 0, max: 2_000 })), { minLength: 1, maxLength: 40 });

describe('addresses of load balancers that nothing takes traffic for', () => {
  it('are claimed while nothing in the cluster has them, and what is kept of other holders follows', () => {
    fc.assert(
      fc.property(steps, (all) => {
        const played = new Played();
        for (const [each, at, waitMs] of all) {
          played.play(each, at, waitMs);
          played.assertClaims();
          played.assertPlain();
          for (const address of ADDRESSES) {
            for (const port of [undefined, 80]) played.world.ask(address, port === undefined ? {} : { port });
          }
        }
      }),
      { numRuns: 300, ...seed },
    );
  });
});

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;
type There = PodEntity | ServiceEntity | NodeEntity;

class Played {
  readonly world = new World();
  readonly #there = new Map<string, There>();
  readonly #kept = new Map<string, PlainHolder>();
  #ms = 0;
  #generation = 0;

  constructor() {
    this.world.book.plain.onChange((address) => this.#kept.delete(address));
  }

  play(each: Step, at: number, waitMs: number): void {
    this.world.at((this.#ms += waitMs));
    if (each.kind === 'blind') {
      this.world.blindSinceMs = this.world.blindSinceMs === undefined ? this.world.nowMs - 100 : undefined;
    } else if (each.kind === 'gone') {
      const [name] = [...this.#there.keys()].slice(at);
      if (name !== undefined && this.#there.delete(name)) this.world.remove(name);
    } else {
      const name = `${each.kind}-${at}`;
      const uid = this.#there.get(name)?.uid ?? `uid-${name}-${(this.#generation += 1)}`;
      const facts = { ...each.facts, uid, creationTimeMs: T0 };
      const entity =
        each.kind === 'Pod'
          ? pod(name, { ...facts, nodeName: 'Node-0' } as Partial<PodEntity>)
          : each.kind === 'Service'
            ? service(name, facts as Partial<ServiceEntity>)
            : node(name, facts as Partial<NodeEntity>);
      this.#there.set(name, entity);
      this.world.put(entity);
    }
  }

  /** By rule, from the states alone. */
  assertClaims(): void {
    const taken = new Set<string>();
    const derive = (entity: There, isTaken: (address: string) => boolean) =>
      deriveClaims(entity, { isFirstClaim: false, isFirstSight: false, isTaken });
    for (const entity of this.#there.values()) {
      for (const { role, place } of derive(entity, () => true)) {
        const isWhole = ['POD_IP', 'CLUSTER_IP', 'NODE_ADDRESS', 'HOST_ADDRESS', 'NETWORK_IP'].includes(role);
        if (isWhole && typeof place === 'string') taken.add(place);
      }
    }
    const expected = [...this.#there.values()].flatMap((entity) =>
      derive(entity, (address) => taken.has(address)).map(
        ({ role, place }) => `${entity.uid} ${claimKey(role, place)}`,
      ),
    );
    const open = [...this.world.book.heritage.claims()].filter(({ end }) => end === undefined);
    const found = open.map(({ uid, role, place }) => `${uid} ${claimKey(role, place)}`);
    assert.deepEqual(found.sort(), [...new Set(expected)].sort());
  }

  assertPlain(): void {
    const { book, nowMs } = this.world;
    for (const address of ADDRESSES) {
      const holder = book.plain.of(address);
      const kept = this.#kept.get(address);
      if (kept !== undefined) assert.deepEqual(holder, kept, `what is kept of ${address} is what is there`);
      if (holder !== undefined) this.#kept.set(address, holder);
      if (holder === undefined) continue;
      const moment = book.plain.moment();
      for (const atMs of [undefined, nowMs, nowMs - 500, nowMs - 3_000, holder.sinceMs, holder.sinceMs + 1]) {
        const ms = atMs ?? nowMs;
        const isIn = ms >= holder.sinceMs && ms > moment.afterMs && ms < moment.beforeMs && ms >= moment.historySinceMs;
        if (!isIn || ms > nowMs) continue;
        for (const port of [undefined, 80]) {
          const answer = book.resolve({
            address,
            ...(port === undefined ? {} : { port }),
            ...(atMs === undefined ? {} : { atMs }),
          });
          assert.equal(answer.outcome, 'RESOLVED', `${address} at ${ms - T0}`);
          assert.ok(answer.outcome === 'RESOLVED');
          const { role, entity, fromMs, uncertain } = answer.holder;
          assert.deepEqual(
            [role, entity.uid, fromMs, uncertain, answer.alternatives.length],
            [holder.role, holder.entity.uid, holder.fromMs, false, 0],
          );
          assert.equal(entity, holder.entity);
        }
      }
    }
  }
}
