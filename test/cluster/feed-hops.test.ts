// Two replicas before a real API server, and a consumer that goes from one to the other at random while workloads are
// rolled, scaled and deleted. It keeps one copy and the newest token, and at every quiet point has what the API lists.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import type { DiggerProcess } from '../observers/digger-process.ts';
import { done, eventually, notYet } from '../observers/eventually.ts';
import { expectedEntities } from '../observers/expected-entities.ts';
import { createRandom, type Random } from '../random.ts';
import type { ApiClient } from './api-client.ts';
import { HoppingConsumer } from './hopping-consumer.ts';
import { Scene } from './scene.ts';
import { barePod, createPod, object, scaled, service, WORLD_NAMESPACE } from './world.ts';

const ROUNDS = 4;
const HOPS_PER_ROUND = 25;
const SEED = Number(process.env['FEED_HOPS_SEED'] ?? 1);

describe(`a consumer between two replicas (seed ${SEED})`, () => {
  const random = createRandom(SEED);
  const consumer = new HoppingConsumer();
  let scene: Scene;
  let diggers: DiggerProcess[];

  before(async () => {
    scene = await Scene.set();
    const client = scene.plane.client;
    await client.apply(object('v1', 'Namespace', WORLD_NAMESPACE));
    for (const name of ['web', 'api']) {
      await client.apply(object('apps/v1', 'Deployment', name, scaled(name, 3)));
      await client.apply(service(name, { selector: { app: name }, ports: [{ port: 80 }] }));
    }
    diggers = [await scene.startDigger(), await scene.startDigger()];
    for (const digger of diggers) await digger.untilReady();
  });
  after(async () => {
    consumer.leave();
    await scene?.strike();
  });

  for (let round = 1; round <= ROUNDS; round++) {
    it(`has what the API lists after ${HOPS_PER_ROUND} hops while things change (${round} of ${ROUNDS})`, async () => {
      const client = scene.plane.client;
      for (let hop = 0; hop < HOPS_PER_ROUND; hop++) {
        await disturb(client, random, round * 1_000 + hop);
        await consumer.hop(random.pick(diggers));
        // Away again at any moment: in the middle of what was missed, or a while later.
        if (random.chance(0.5)) await consumer.untilSynced();
        if (random.chance(0.3)) await consumer.untilFrames(random.between(1, 3));
      }
      await client.apply(object('apps/v1', 'Deployment', 'web', scaled('web', 2)));
      await untilQuiet(scene);
      for (const digger of diggers) {
        await consumer.hop(digger);
        await consumer.untilSynced();
        await untilEqual(scene, consumer);
      }
    });
  }

  it('goes on at a process that was started while nothing happened', async () => {
    await untilQuiet(scene);
    await consumer.hop(diggers[0]);
    await consumer.untilSynced();
    const resets = consumer.resets.length;
    const fresh = await scene.startDigger();
    await fresh.untilReady();
    await consumer.hop(fresh);
    await consumer.untilSynced();
    await untilEqual(scene, consumer);
    assert.deepEqual(consumer.resets.slice(resets), []);
  });

  it('hardly ever had to start over', () => {
    const { hops, behind, resets, changes, longestToken } = consumer;
    console.log(`${hops} hops, ${changes} changes applied, ${behind} times behind, resets: ${resets.join(', ')}`);
    console.log(`the longest token had ${longestToken} bytes`);
    assert.ok(hops >= ROUNDS * HOPS_PER_ROUND, `${hops} hops`);
    assert.ok(changes > 100, `${changes} changes`);
    assert.equal(resets[0], 'RESET_REASON_NO_TOKEN');
    assert.ok(resets.length - 1 <= hops * 0.05, `${resets.length} resets in ${hops} hops`);
  });
});

/** Something that has consequences in several resources, which reach the replicas in any order. */
async function disturb(client: ApiClient, random: Random, number: number): Promise<void> {
  const name = random.pick(['web', 'api']);
  switch (random.between(0, 4)) {
    case 0:
      await client.apply(object('apps/v1', 'Deployment', name, scaled(name, random.between(1, 4))));
      return;
    case 1:
      // A rollout: another ReplicaSet, and all pods anew.
      await client.patch(object('apps/v1', 'Deployment', name), {
        spec: { template: { metadata: { annotations: { 'example.dev/rolled': String(number) } } } },
      });
      return;
    case 2:
      await client.apply(service(`extra-${random.between(0, 2)}`, { selector: { app: name }, ports: [{ port: 81 }] }));
      return;
    case 3:
      await client.delete(service(`extra-${random.between(0, 2)}`, {}));
      return;
    default:
      await createPod(client, barePod(`bare-${number}`, {}));
  }
}

/** The controllers have nothing to do any more: the lists are the same for a while. */
async function untilQuiet(scene: Scene): Promise<void> {
  let last: unknown;
  let same = 0;
  await eventually(
    'the cluster is quiet',
    async () => {
      const lists = expectedEntities(await scene.readLists());
      const phases = (await scene.readLists()).pods.map((pod) => pod.status?.phase);
      same = isDeepStrictEqual(lists, last) && !phases.includes('Pending') ? same + 1 : 0;
      last = lists;
      return same >= 4 ? done(undefined) : notYet(phases);
    },
    { deadlineMs: 120_000, intervalMs: 500 },
  );
}

async function untilEqual(scene: Scene, consumer: HoppingConsumer): Promise<void> {
  await eventually(
    'the copy equals the lists',
    async () => {
      const owed = expectedEntities(await scene.readLists());
      const held = consumer.entities;
      const differing = [...new Set([...owed.keys(), ...held.keys()])].filter(
        (key) => !isDeepStrictEqual(owed.get(key), held.get(key)),
      );
      const shown = differing.slice(0, 3).map((key) => ({ key, owed: owed.get(key), held: held.get(key) }));
      return differing.length === 0 && owed.size > 0 ? done(undefined) : notYet(shown);
    },
    { deadlineMs: 20_000, intervalMs: 200 },
  );
}
