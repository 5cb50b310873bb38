// Names of load balancers, many at a time: which are asked for, and when.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BalancerNames } from '../../src/balancers/balancer-names.ts';
import type { ServiceEntity } from '../../src/model/entities.ts';
import { VirtualClock } from '../kube/reflector/virtual-clock.ts';
import { fakeService } from '../rpc/fake-picture.ts';

/** 48 questions a second at the shortest TTL, which is 10 s: more than are open at once. */
const NAMES = 240;

const balancer = (at: number): ServiceEntity => ({
  ...fakeService(`lb-${at}`, []),
  loadBalancerHostnames: [`lb-${at}.elb.example.com`],
});

for (const [how, latencyMs] of [
  ['at once', 5],
  ['slowly', 400],
] as const) {
  test(`names take turns where name servers answer ${how}, whatever their TTLs`, async () => {
    const clock = new VirtualClock();
    const asked = new Map<string, number>();
    let [open, most] = [0, 0];
    const names = new BalancerNames({
      resolve: async (name) => {
        asked.set(name, (asked.get(name) ?? 0) + 1);
        open += 1;
        most = Math.max(most, open);
        await new Promise<void>((resolve) => void clock.setTimer(resolve, latencyMs));
        open -= 1;
        return { addresses: [{ address: '192.0.2.1', ttlSeconds: 1 }] };
      },
      nowMs: () => clock.now(),
      setTimer: (callback, ms) => clock.setTimer(callback, ms),
      random: () => 0,
      logger: { warn: () => {}, info: () => {} },
      count: () => {},
      countCut: () => {},
      changed: () => {},
    });
    const services = Array.from({ length: NAMES }, (_, at) => balancer(at));
    names.show({
      changes: services.map((after, at) => ({ sequence: at, before: undefined, after })),
      seen: { atMs: clock.now() },
      position: { resource: 'services', resourceVersion: '1' },
    });
    await clock.advance(60_000);
    names.close();
    const counts = [...asked.values()];
    assert.equal(asked.size, NAMES, 'every name is asked for');
    assert.ok(Math.max(...counts) - Math.min(...counts) <= 4, `${Math.min(...counts)}–${Math.max(...counts)} times`);
    assert.ok(most <= 16, `${most} at once`);
    assert.equal(names.size.addresses, 2 * NAMES);
  });
}
