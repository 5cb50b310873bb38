// Random histories against the slow model, and against the same records in another order.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { ControllerReference, KubernetesRecord } from '../../src/model/kubernetes/records.ts';
import { decode, Harness } from './harness.ts';
import { Model } from './model.ts';
import { type Listed, node, owner, pod, service, slice, targetOf } from './records.ts';

const generation = fc.integer({ min: 0, max: 1 });
const podName = fc.constantFrom('p0', 'p1', 'p2', 'p3');
const ownerName = fc.constantFrom('o0', 'o1', 'o2', 'o3');
const serviceName = fc.constantFrom('s0', 's1');
const zones = fc.constantFrom(
  { 'topology.kubernetes.io/zone': 'a', 'topology.kubernetes.io/region': 'r' },
  { 'topology.kubernetes.io/zone': 'b', 'topology.kubernetes.io/region': 'r' },
);
const labels = fc.constantFrom({}, { tier: 'front' });
const kind = (name: string) => `Kind${name}`;

/** Towards any owner, a pod or a node, of either generation; two dependants may say different API versions. */
const controller: fc.Arbitrary<ControllerReference | undefined> = fc.option(
  fc
    .oneof(
      { weight: 6, arbitrary: fc.tuple(ownerName, generation, fc.constantFrom('apps/v1', 'apps/v1', 'apps/v1beta1')) },
      { weight: 1, arbitrary: fc.tuple(fc.constantFrom('p0'), generation, fc.constant('v1')) },
      { weight: 1, arbitrary: fc.tuple(fc.constantFrom('n0'), generation, fc.constant('v1')) },
    )
    .map(([name, number, apiVersion]) => ({
      apiVersion,
      kind: name === 'p0' ? 'Pod' : name === 'n0' ? 'Node' : kind(name),
      name,
      uid: `${name}-${number}`,
    })),
  { nil: undefined, freq: 3 },
);

const pods = fc
  .tuple(
    podName,
    generation,
    controller,
    labels,
    fc.constantFrom([], ['10.0.0.1'], ['10.0.0.2']),
    fc.constantFrom('', 'n0', 'n0', 'n1'),
    fc.boolean(),
  )
  .map(([name, number, of, some, podIps, nodeName, ready]) =>
    pod(name, { uid: `${name}-${number}`, controller: of, labels: some, podIps, nodeName, ready }),
  );

const owners = fc
  .tuple(ownerName, generation, controller, labels)
  .map(([name, number, of, some]) =>
    owner(kind(name), name, { uid: `${name}-${number}`, controller: of, labels: some }),
  );

const services = fc
  .tuple(serviceName, generation, labels)
  .map(([name, number, some]) => service(name, { uid: `${name}-${number}`, labels: some }));

const nodes = fc
  .tuple(fc.constantFrom('n0', 'n0', 'n1'), generation, fc.oneof(labels, zones))
  .map(([name, number, some]) => node(name, { uid: `${name}-${number}`, labels: some }));

const listed: fc.Arbitrary<Listed> = fc.oneof(
  pods,
  pods.map((each) => ({ addresses: ['10.0.0.1'], target: { ...targetOf(each), uid: '' } })),
  fc.constantFrom({ addresses: ['192.0.2.1'] }, { addresses: ['192.0.2.2', '192.0.2.1'] }),
);

const slices = fc
  .tuple(fc.constantFrom('e0', 'e1', 'e2'), serviceName, fc.array(listed, { maxLength: 4 }))
  .map(([name, of, some]) => slice(name, of, some));

const records: fc.Arbitrary<KubernetesRecord> = fc.oneof(
  { weight: 4, arbitrary: pods },
  { weight: 4, arbitrary: owners },
  { weight: 2, arbitrary: services },
  { weight: 1, arbitrary: nodes },
  { weight: 3, arbitrary: slices },
);

type Step =
  | { readonly does: 'put' | 'remove'; readonly record: KubernetesRecord }
  | {
      readonly does: 'relist' | 'abort';
      readonly of: KubernetesRecord['type'];
      readonly list: readonly KubernetesRecord[];
    }
  | { readonly does: 'drop'; readonly at: number }
  | { readonly does: 'open' };

const lists = fc
  .oneof(fc.array(pods), fc.array(owners), fc.array(services), fc.array(slices))
  .map((list) => [...new Map(list.map((record: KubernetesRecord) => [record.name, record])).values()])
  .filter((list) => list.length > 0);

const steps: fc.Arbitrary<Step> = fc.oneof(
  { weight: 12, arbitrary: records.map((record): Step => ({ does: 'put', record })) },
  { weight: 2, arbitrary: records.map((record): Step => ({ does: 'remove', record })) },
  // Whatever is there: most random records are not.
  { weight: 5, arbitrary: fc.nat().map((at): Step => ({ does: 'drop', at })) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(lists, fc.constantFrom('relist', 'relist', 'abort'))
      .map(([list, does]): Step => ({ does: does as 'relist', of: list[0]?.type ?? 'Pod', list })),
  },
  { weight: 1, arbitrary: fc.constant<Step>({ does: 'open' }) },
);

describe('the catalog', () => {
  it('holds and tells what the present records say, whatever came before', async () => {
    let compared = 0;
    let retained = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(steps, { minLength: 10, maxLength: 60, size: 'max' }), async (history) => {
        const harness = new Harness();
        const model = new Model();
        let open = false;
        for (const step of [...history, { does: 'open' } as const]) {
          await play(step, harness, model, open);
          open ||= step.does === 'open';
          if (!open) continue;
          compared += 1;
          retained += model.retained.size;
          assert.deepEqual(decodedCopy(harness), model.entities());
          assert.deepEqual(new Set(harness.catalog.entities()), new Set(harness.copy.values()));
          for (const batch of harness.batches.splice(0)) {
            const uids = batch.changes.map(({ before, after }) => after?.uid ?? before?.uid);
            assert.equal(new Set(uids).size, uids.length, 'one change per entity in a batch');
          }
        }
      }),
      { numRuns: 300 },
    );
    assert.ok(compared > 400 && retained > 100, `${compared} comparisons, ${retained} retained owners met`);
  });

  it('has equal bytes from equal records in any order', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(records, { maxLength: 30 }), fc.array(fc.nat()), async (all, shuffle) => {
        const distinct = [...new Map(all.map((record) => [`${record.type} ${record.name}`, record])).values()];
        const one = await Harness.open(...distinct);
        const other = await Harness.open();
        const order = distinct.map((record, at) => ({ record, rank: shuffle[at] ?? 0 }));
        other.put(...order.sort((a, b) => a.rank - b.rank).map(({ record }) => record));
        assert.deepEqual(entitiesOf(other), entitiesOf(one));
      }),
      { numRuns: 200 },
    );
  });
});

async function play(step: Step, harness: Harness, model: Model, open: boolean): Promise<void> {
  switch (step.does) {
    case 'put':
      harness.put(step.record);
      model.put(step.record);
      return;
    case 'remove':
      harness.remove(step.record);
      model.remove(step.record);
      return;
    case 'drop': {
      const present = [...model.records.values()];
      const record = present[step.at % present.length];
      if (record === undefined) return;
      harness.remove(record);
      model.remove(record);
      return;
    }
    case 'relist':
      await harness.relist(step.of, step.list);
      model.relist(step.of, step.list);
      return;
    case 'abort': {
      const replacement = harness.storeOf(step.of).beginReplace();
      for (const record of step.list) replacement.add(record);
      replacement.abort();
      return;
    }
    case 'open':
      if (!open) await harness.catalog.open();
  }
}

function decodedCopy(harness: Harness): Map<string, Record<string, unknown>> {
  return new Map([...harness.byKey].map(([key, entity]) => [key, decode(entity)]));
}

function entitiesOf(harness: Harness): unknown[] {
  const entities = [...harness.catalog.entities()];
  return entities.sort((a, b) => (a.uid < b.uid ? -1 : 1));
}
