// Containers by id: found from the first question on, for as long as the history lasts, and never the wrong one.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ContainerIndex, type ContainerIndexOptions } from '../../src/containers/container-index.ts';
import { parseContainerId } from '../../src/model/kubernetes/container-id.ts';
import type { PodRecord } from '../../src/model/kubernetes/records.ts';
import { done, eventually, notYet } from '../observers/eventually.ts';
import { Harness, SEEN } from '../catalog/harness.ts';
import { container, pod } from '../catalog/records.ts';

const id = (start: string, scheme = 'containerd'): string => `${scheme}://${start.padEnd(64, '0')}`;

/** A catalog, and the index beside it as the service has it. */
class World {
  readonly harness: Harness;
  readonly index: ContainerIndex;
  nowMs: number = SEEN.atMs;
  pauses = 0;

  private constructor(harness: Harness, options: Partial<ContainerIndexOptions>) {
    this.harness = harness;
    const { catalog } = harness;
    this.index = new ContainerIndex({
      pods: () => catalog.pods(),
      pod: (uid) => catalog.podWithUid(uid),
      formerPods: () => [],
      formerPod: () => undefined,
      nowMs: () => this.nowMs,
      retentionMs: 60_000,
      maxFormerPods: 1_000,
      maxFormerBytes: 10_000_000,
      slice: () => ({
        due: () => true,
        pause: async () => {
          this.pauses += 1;
        },
      }),
      ...options,
    });
    catalog.onBatch((batch) => this.index.onBatch(batch));
  }

  static async open(records: readonly PodRecord[], options: Partial<ContainerIndexOptions> = {}): Promise<World> {
    return new World(await Harness.open(...records), options);
  }

  find(text: string) {
    const asked = parseContainerId(text) ?? assert.fail(`${text} cannot be asked for`);
    return this.index.find(asked);
  }

  /** `POD CONTAINER`, with a + where the container has ended; or the outcome. */
  told(text: string): string {
    const found = this.find(text);
    if (found.is === 'ambiguous') return `ambiguous ${found.count}`;
    if (found.is !== 'found') return found.is;
    const { pod: of, name, ended } = found.container;
    return `${of.name} ${name}${ended ? '+' : ''}`;
  }
}

describe('16.9 containers by id', () => {
  it('are found by the whole id or 12 digits of it, with and without the scheme, whatever their letters', async () => {
    const world = await World.open([
      pod('cart', {
        containers: [
          container('mesh', { type: 'sidecar', containerId: id('aaaabbbbcccc1') }),
          container('app', { containerId: id('aaaabbbbcccc2'), previousContainerId: id('dddd00000001') }),
        ],
        otherContainers: [
          container('setup', { type: 'init', containerId: id('dddd00000002'), ended: true }),
          container('debug', { type: 'ephemeral', containerId: id('dddd00000003', 'cri-o') }),
        ],
      }),
    ]);
    await world.index.ready();
    assert.equal(world.told('aaaabbbbcccc1'), 'cart mesh');
    assert.equal(world.told(id('aaaabbbbcccc2')), 'cart app');
    assert.equal(world.told(id('aaaabbbbcccc2').toUpperCase()), 'cart app');
    assert.equal(world.told('dddd00000001'), 'cart app+', 'the one before the restart has ended');
    assert.equal(world.told('dddd00000002'), 'cart setup+');
    assert.equal(world.told('dddd00000003'), 'cart debug');
    assert.equal(world.told(`cri-o://dddd00000003`), 'cart debug');
    assert.equal(world.told(`containerd://dddd00000003`), 'none', 'of another runtime');
    assert.equal(world.told('aaaabbbbcccc'), 'ambiguous 2');
    assert.equal(world.told('eeeeeeeeeeee'), 'none');
  });

  it('cannot be asked for with less than 12 digits, with more than 64, or with anything else', () => {
    for (const text of [
      '',
      'a',
      'aaaabbbbccc',
      'g'.repeat(12),
      'a'.repeat(65),
      '://aaaabbbbcccc',
      'a b://aaaabbbbcccc',
    ])
      assert.equal(parseContainerId(text), undefined, text);
    assert.deepEqual(parseContainerId('docker://AAAABBBBCCCC'), { scheme: 'docker', digits: 'aaaabbbbcccc' });
    const begun = performance.now();
    assert.equal(parseContainerId('a'.repeat(1_000_000)), undefined);
    assert.ok(performance.now() - begun < 100, 'a megabyte is refused at once');
  });

  it('cost nothing before the first question, which goes through all pods in slices', async () => {
    const world = await World.open(
      Array.from({ length: 50 }, (_, at) =>
        pod(`p${at}`, { containers: [container('app', { containerId: id(`ab${String(at).padStart(10, '0')}`) })] }),
      ),
    );
    world.harness.put(pod('late', { containers: [container('app', { containerId: id('cd0000000000') })] }));
    assert.equal(world.index.size.entries, 0);
    const building = world.index.ready();
    assert.ok(building);
    // Comes while the others are gone through, and goes.
    world.harness.put(pod('new', { containers: [container('app', { containerId: id('ef0000000000') })] }));
    world.harness.remove(pod('p49'));
    await building;
    assert.ok(world.pauses >= 50);
    assert.equal(world.told('ab0000000000'), 'p0 app');
    assert.equal(world.told('cd0000000000'), 'late app');
    assert.equal(world.told('ef0000000000'), 'new app');
    assert.equal(world.told('ab0000000049'), 'p49 app+', 'gone, and told for the history');
    assert.equal(world.index.ready(), undefined);
  });

  it('that ended are told for the history and no longer, in pods that live on and in those that are gone', async () => {
    const run = (at: number) =>
      pod('crashes', {
        containers: [
          container('app', {
            containerId: id(`${at}`.padStart(12, 'a')),
            previousContainerId: id(`${at - 1}`.padStart(12, 'a')),
          }),
        ],
      });
    const world = await World.open([run(1)]);
    await world.index.ready();
    for (const at of [2, 3, 4]) world.harness.put(run(at));
    assert.deepEqual(
      [0, 1, 2, 3, 4].map((at) => world.told(`${at}`.padStart(12, 'a'))),
      ['crashes app+', 'crashes app+', 'crashes app+', 'crashes app+', 'crashes app'],
    );
    world.harness.remove(run(4));
    assert.equal(world.told('aaaaaaaaaaa4'), 'crashes app+');
    assert.equal(world.index.pod('uid-crashes')?.isFormer, true);
    world.nowMs += 60_001;
    world.index.expire();
    assert.deepEqual(
      [0, 2, 4].map((at) => world.told(`${at}`.padStart(12, 'a'))),
      ['none', 'none', 'none'],
    );
    assert.deepEqual(world.index.size, { entries: 0, leftOut: 0, endedContainers: 0, formerPods: 0, formerBytes: 0 });
  });

  it('of two pods with one id are ambiguous, of a hundred and more as many as are looked at', async () => {
    const same = (at: number) => pod(`p${at}`, { containers: [container('app', { containerId: id('abcdefabcdef') })] });
    const world = await World.open([same(0), same(1)]);
    await world.index.ready();
    assert.equal(world.told('abcdefabcdef'), 'ambiguous 2');
    for (let at = 2; at < 300; at += 1) world.harness.put(same(at));
    assert.equal(world.told('abcdefabcdef'), 'ambiguous 100');
    assert.equal(world.index.size.leftOut, 0, 'others lose nothing by it');
    world.harness.put(pod('other', { containers: [container('app', { containerId: id('abcdefabcde0') })] }));
    assert.equal(world.told('abcdefabcde0'), 'other app');
  });

  it('are ready from the first question on, also where going through all pods took no pause', async () => {
    const slice = () => ({ due: () => false, pause: () => assert.fail('a pause') });
    const world = await World.open([pod('a', {})], { slice });
    await world.index.ready();
    assert.equal(world.index.ready(), undefined);
    assert.equal(world.told('ffffffffffff'), 'none');
  });

  it('that are left out for want of room are unknown, not absent, until there is room again', async () => {
    const many = (at: number) =>
      pod(`p${at}`, { containers: [container('app', { containerId: id(`${at}`.padStart(12, 'b')) })] });
    const world = await World.open(
      Array.from({ length: 10 }, (_, at) => many(at)),
      { maxEntries: 8, retentionMs: 0 },
    );
    await world.index.ready();
    assert.deepEqual([world.index.size.entries, world.index.size.leftOut], [8, 2]);
    assert.equal(world.told('bbbbbbbbbbb9'), 'unknown');
    assert.equal(world.told('ffffffffffff'), 'unknown');
    for (const at of [0, 1, 2, 3]) world.harness.remove(many(at));
    world.nowMs += 1;
    const added: number[] = [];
    world.index.onAdded((key) => added.push(key));
    world.index.expire();
    assert.equal(world.told('bbbbbbbbbbb9'), 'unknown', 'while all pods are gone through once more');
    // Without a question: who waits for it asked before.
    await eventually('what was left out is added', () =>
      added.includes(0xbbbbbbbbbbb9) ? done(undefined) : notYet(added),
    );
    await world.index.ready();
    assert.equal(world.told('bbbbbbbbbbb9'), 'p9 app');
    assert.equal(world.told('ffffffffffff'), 'none');
  });

  it('of a pod that goes, comes back under its uid and goes again leave nothing behind', async () => {
    const world = await World.open([]);
    await world.index.ready();
    for (const containers of [[container('app', { containerId: id('aaaaaaaaaaaa') })], []]) {
      world.harness.put(pod('x', { containers }));
      world.harness.remove(pod('x', { containers }));
    }
    world.nowMs += 100_000;
    world.index.expire();
    assert.equal(world.index.size.entries, 0);
  });

  it('are those of the pods, on made-up histories, and nothing is left of what is forgotten', async () => {
    const digits = fc.constantFrom('a', 'b', 'c').map((letter) => letter.repeat(12));
    const ids = fc.tuple(digits, fc.constantFrom('1', '2', '')).map(([start, end]) => id(`${start}${end}`));
    const containers = fc.array(
      fc.record({ containerId: fc.option(ids, { nil: '' }), previousContainerId: fc.option(ids, { nil: '' }) }),
      { maxLength: 3 },
    );
    const step = fc.oneof(
      fc.record({ name: fc.constantFrom('x', 'y', 'z'), containers }),
      fc.record({ gone: fc.constantFrom('x', 'y', 'z') }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), fc.nat(12), async (steps, first) => {
        const world = await World.open([]);
        const live = new Map<string, PodRecord>();
        for (const [at, each] of steps.entries()) {
          if (at === first) await world.index.ready();
          if ('gone' in each) {
            const record = live.get(each.gone);
            if (record !== undefined) world.harness.remove(record);
            live.delete(each.gone);
          } else {
            const record = pod(each.name, { containers: each.containers.map((of, nth) => container(`c${nth}`, of)) });
            live.set(each.name, record);
            world.harness.put(record);
          }
        }
        await world.index.ready();
        // Once the past is over only what pods say now counts.
        world.nowMs += 100_000;
        world.index.expire();
        const told = new Map<string, Set<string>>();
        for (const { name, containers: of } of live.values()) {
          for (const { containerId, previousContainerId } of of) {
            for (const each of [containerId, previousContainerId]) {
              if (each !== '') told.set(each, (told.get(each) ?? new Set()).add(name));
            }
          }
        }
        for (const digit of ['a', 'b', 'c']) {
          for (const end of ['1', '2', '']) {
            const whole = id(`${digit.repeat(12)}${end}`);
            const of = told.get(whole) ?? new Set();
            const found = world.find(whole);
            if (of.size === 0) assert.equal(found.is, 'none');
            else if (of.size > 1) assert.deepEqual(found, { is: 'ambiguous', count: of.size });
            else assert.equal(found.is === 'found' && found.container.pod.name, [...of][0]);
          }
        }
        for (const record of live.values()) world.harness.remove(record);
        world.nowMs += 200_000;
        world.index.expire();
        assert.deepEqual(world.index.size, {
          entries: 0,
          leftOut: 0,
          endedContainers: 0,
          formerPods: 0,
          formerBytes: 0,
        });
      }),
      { numRuns: 200 },
    );
  });
});
