// A catalog that starts and is told which owners were gone knows what one knows that never stopped: chains, workloads,
// and for how long. DIGGER_SEED sets the seed of fast-check; a failure prints it.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { FormerOwner, OwnerRecord, PodRecord } from '../../src/model/kubernetes/records.ts';
import { Harness, SEEN } from './harness.ts';
import { owner as ownerOf, pod } from './records.ts';

const RETENTION_MS = 1_000;
const seed = process.env['DIGGER_SEED'] === undefined ? {} : { seed: Number(process.env['DIGGER_SEED']) };
const NAMES = ['a', 'b', 'c', 'd', 'e'];

/** Put or remove an owner or a pod under another controller, or let time go by. */
const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ is: fc.constant('owner'), at: fc.nat(4), above: fc.nat(5), there: fc.boolean() }),
  },
  { weight: 4, arbitrary: fc.record({ is: fc.constant('pod'), at: fc.nat(4), above: fc.nat(5), there: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ is: fc.constant('time'), ms: fc.integer({ min: 1, max: RETENTION_MS }) }) },
);

describe('15.8: owners that were gone before the start', () => {
  it('are known as at the replica that never stopped, whatever came and went before and after', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.array(step, { maxLength: 20 }), async (before, after) => {
        const steady = new Harness({ ownerRetentionMs: RETENTION_MS });
        await steady.catalog.open();
        const records = new Map<string, OwnerRecord | PodRecord>();
        const clock = { ms: SEEN.atMs };
        for (const each of before) play(each, [steady], records, clock);
        const started = new Harness({ ownerRetentionMs: RETENTION_MS });
        started.put(...records.values());
        await started.catalog.open();
        const handed = [...steady.catalog.formerOwners(clock.ms)];
        started.catalog.inheritOwners(handed, clock.ms);
        await started.catalog.settled();
        // What is due goes with a write.
        const tick = pod('tick', { uid: 'uid-tick' });
        put(tick, [steady, started], clock.ms);
        assert.deepEqual(view(started), view(steady));
        for (const each of after) {
          play(each, [steady, started], records, clock);
          assert.deepEqual(view(started), view(steady));
        }
        // Nothing stays when nothing refers to it and the time is over.
        clock.ms += 2 * RETENTION_MS;
        put({ ...tick, labels: { at: 'end' } }, [steady, started], clock.ms);
        const left = (harness: Harness) => [...harness.catalog.formerOwners(clock.ms)].map(({ uid }) => uid).sort();
        assert.deepEqual(left(started), left(steady));
      }),
      { numRuns: 300, ...seed },
    );
  });

  it('are taken as far as they are of use, and change nothing of what is known', async () => {
    const harness = new Harness({ ownerRetentionMs: RETENTION_MS });
    harness.put(owner('known'), pod('p', { controller: ref('known') }));
    await harness.catalog.open();
    harness.told();
    const former = (name: string, more: Partial<FormerOwner> = {}): FormerOwner => {
      const { apiVersion, kind, namespace, uid } = owner(name);
      return { apiVersion, kind, namespace, name, uid, controller: undefined, goneAtMs: undefined, ...more };
    };
    const taken = harness.catalog.inheritOwners(
      [
        former('known', { name: 'a-lie' }),
        former('p', { uid: 'uid-p', kind: 'Pod' }),
        former('long ago'),
        former('lately', { goneAtMs: SEEN.atMs - 10 }),
        former('round', { goneAtMs: SEEN.atMs, controller: ref('round') }),
        former('ahead', { goneAtMs: SEEN.atMs + 10 * RETENTION_MS }),
      ],
      SEEN.atMs,
    );
    assert.equal(taken, 3);
    assert.deepEqual(harness.told(), []);
    const names = [...harness.catalog.formerOwners(SEEN.atMs)].map(({ name }) => name);
    assert.deepEqual(names.sort(), ['ahead', 'lately', 'round']);
    put(pod('later'), [harness], SEEN.atMs + RETENTION_MS);
    assert.deepEqual([...harness.catalog.formerOwners(SEEN.atMs)], [], 'one that says it went later than now, too');
  });
});

const owner = (name: string, some: Partial<Omit<OwnerRecord, 'type'>> = {}): OwnerRecord =>
  ownerOf('Deployment', name, some);

function play(
  each: {
    readonly is: string;
    readonly at?: number;
    readonly above?: number;
    readonly there?: boolean;
    readonly ms?: number;
  },
  harnesses: readonly Harness[],
  records: Map<string, OwnerRecord | PodRecord>,
  clock: { ms: number },
): void {
  const { at = 0, above = 0, there = true, ms = 0 } = each;
  clock.ms += ms;
  if (each.is === 'time') return;
  const name = `${each.is}-${NAMES[at]}`;
  const over = NAMES[above];
  const controller = over === undefined ? undefined : ref(`owner-${over}`);
  const record = each.is === 'pod' ? pod(name, { controller }) : owner(name, { controller });
  const known = records.get(name);
  if (there) {
    records.set(name, record);
    put(record, harnesses, clock.ms);
  } else if (known !== undefined) {
    records.delete(name);
    for (const harness of harnesses) harness.store(known).remove(known, harness.version(), { atMs: clock.ms });
  }
}

function put(record: OwnerRecord | PodRecord, harnesses: readonly Harness[], atMs: number): void {
  for (const harness of harnesses) harness.store(record).upsert(record, harness.version(), { atMs });
}

function ref(name: string) {
  const { apiVersion, kind, uid } = owner(name);
  return { apiVersion, kind, name, uid };
}

/** Chains of all pods and owners, as they are told. */
function view(harness: Harness): unknown {
  return [...harness.catalog.entities()]
    .flatMap((entity) => {
      if (entity.kind !== 'Pod' && entity.kind !== 'Workload') return [];
      const workload = entity.kind === 'Pod' ? entity.workload : undefined;
      return [{ uid: entity.uid, chain: entity.ownerChain, workload }];
    })
    .sort((a, b) => (a.uid < b.uid ? -1 : 1));
}
