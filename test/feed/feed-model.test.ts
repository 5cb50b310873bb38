// Whatever happens to a subscriber, its copy comes out right: random changes, filters, pauses, disconnects, resumes and
// a log that forgets early, against a picture that is filtered by a few plain lines.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import * as fc from 'fast-check';
import type { EntityKind } from '../../src/model/entities.ts';
import { type LabelSelector, parseLabelSelector } from '../../src/model/kubernetes/label-selector.ts';
import type { FilterCriteria } from '../../src/feed/log/filter.ts';
import type { EntitySpec } from './cluster.ts';
import { Consumer, type DecodedEntity, decodeEntity } from './consumer.ts';
import { Harness, type Subscriber } from './harness.ts';
import { encodedBytes } from '../../src/wire/encoded-entity.ts';
import type { ChosenKeys } from '../../src/wire/value-choice.ts';

const kind = fc.constantFrom<EntityKind[]>('Pod', 'Pod', 'Pod', 'Service', 'Node', 'Workload', 'Namespace');
const namespace = fc.constantFrom('a', 'b');
const name = fc.constantFrom('n0', 'n1', 'n2', 'n3');
const labels = fc.constantFrom<Record<string, string>[]>({}, { app: 'x' }, { app: 'y' }, { app: 'x', tier: 't' });
const spec: fc.Arbitrary<EntitySpec> = fc.record({
  kind,
  namespace,
  name,
  nodeName: fc.constantFrom('', 'n0', 'n1'),
  labels,
  revision: fc.nat(50),
});
/** Objects are in these, so namespaces are named so. */
const namespaceSpec: fc.Arbitrary<EntitySpec> = spec.map((each) => ({
  ...each,
  kind: 'Namespace',
  name: each.namespace,
}));

function selectorOf(text: string): LabelSelector {
  const parsed = parseLabelSelector(text);
  assert.ok(parsed.ok);
  return parsed.selector;
}

const filter: fc.Arbitrary<FilterCriteria> = fc.record({
  kinds: fc.subarray<EntityKind>(['Pod', 'Service', 'Node', 'Workload', 'Namespace'], { maxLength: 2 }),
  namespaces: fc.oneof({ weight: 2, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: fc.constant(['a']) }),
  nodeNames: fc.oneof({ weight: 2, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: fc.constant(['n0']) }),
  labels: fc
    .constantFrom<Record<string, string>[]>({}, { app: 'x' }, { app: 'x', tier: 't' })
    .map((wanted) => new Map(Object.entries(wanted))),
  labelSelector: fc.constantFrom('', '', 'app!=x', '!app', 'app in (x),tier').map(selectorOf),
  namespaceSelector: fc
    .oneof(
      { weight: 1, arbitrary: fc.constant('') },
      {
        weight: 2,
        arbitrary: fc.constantFrom('app', '!app', 'app=x', 'app!=x', 'app in (x,y),!tier', 'app notin (y)'),
      },
    )
    .map(selectorOf),
});

/** What a reader wants to see of labels and annotations: entities have `app`, `tier` and `note`. */
const values: fc.Arbitrary<ChosenKeys | undefined> = fc.constantFrom(
  undefined,
  { labels: ['app'], annotations: [] },
  { labels: [], annotations: ['note'] },
  { labels: ['*'], annotations: ['example.com/*'] },
  { labels: [], annotations: [] },
);

type Act =
  | { readonly act: 'set' | 'recreate'; readonly spec: EntitySpec }
  | { readonly act: 'remove'; readonly kind: EntityKind; readonly namespace: string; readonly name: string }
  | { readonly act: 'turns'; readonly turns: number }
  | { readonly act: 'wait'; readonly ms: number }
  | { readonly act: 'pause' | 'resume' | 'disconnect' | 'connect'; readonly reader: number };

const READERS = 4;
const reader = fc.nat(READERS - 1);
const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 12, arbitrary: fc.record({ act: fc.constantFrom('set' as const), spec }) },
  {
    weight: 3,
    arbitrary: fc.record({ act: fc.constantFrom('set' as const, 'recreate' as const), spec: namespaceSpec }),
  },
  { weight: 2, arbitrary: fc.record({ act: fc.constantFrom('recreate' as const), spec }) },
  { weight: 4, arbitrary: fc.record({ act: fc.constantFrom('remove' as const), kind, namespace, name }) },
  {
    weight: 1,
    arbitrary: namespace.map((each) => ({
      act: 'remove' as const,
      kind: 'Namespace' as const,
      namespace: '',
      name: each,
    })),
  },
  {
    weight: 6,
    arbitrary: fc.record({ act: fc.constantFrom('turns' as const), turns: fc.integer({ min: 1, max: 4 }) }),
  },
  { weight: 2, arbitrary: fc.record({ act: fc.constantFrom('wait' as const), ms: fc.constantFrom(5, 300, 2_000) }) },
  {
    weight: 7,
    arbitrary: fc.record({
      act: fc.constantFrom('pause' as const, 'resume' as const, 'disconnect' as const, 'connect' as const),
      reader,
    }),
  },
);

interface Reader {
  readonly criteria: FilterCriteria;
  readonly values: ChosenKeys | undefined;
  readonly consumer: Consumer;
  subscriber: Subscriber | undefined;
}

describe('the copy of a consumer', () => {
  for (const [retention, limits] of [
    ['everything is kept', { maxRemovals: 1000, removalRetentionMs: 1e9 }],
    ['little is kept', { maxRemovals: 3, removalRetentionMs: 3_000 }],
  ] as const) {
    it(`equals the filtered picture at every quiet point, when ${retention}`, () => {
      const scenario = fc.record({
        filters: fc.array(fc.tuple(filter, values), { minLength: READERS, maxLength: READERS }),
        acts: fc.array(act, { minLength: 10, maxLength: 120, size: 'max' }),
        maxFrameBytes: fc.constantFrom(1, 150, 65_536),
      });
      fc.assert(
        fc.property(scenario, ({ filters, acts, maxFrameBytes }) => {
          const harness = new Harness({ ...limits, maxFrameBytes, stallTimeoutMs: 1e9 });
          const readers = filters.map(
            ([criteria, chosen]): Reader => ({
              criteria,
              values: chosen,
              consumer: new Consumer(),
              subscriber: undefined,
            }),
          );
          for (const one of readers) connect(harness, one);
          for (const [index, each] of acts.entries()) {
            perform(harness, readers, each);
            if (index % 40 === 39) compare(harness, readers);
          }
          compare(harness, readers);
        }),
        { numRuns: 400 },
      );
    });
  }

  it('16.3 hears nothing of a change that leaves what it is sent as it was, while it keeps up', () => {
    let unseen = 0;
    fc.assert(
      fc.property(filter, values, fc.array(act, { maxLength: 60, size: 'max' }), (criteria, chosen, acts) => {
        const harness = new Harness();
        const { consumer } = harness.subscribe({ filter: criteria, values: chosen });
        harness.scheduler.advance(1);
        for (const each of acts) {
          const whole = (): Map<string, DecodedEntity> =>
            new Map(
              [...harness.picture.visible(criteria)].map(([key, live]) => [
                key,
                decodeEntity(live.kind, encodedBytes(live)),
              ]),
            );
          const [before, upserts] = [whole(), consumer.upserts];
          perform(harness, [], each);
          harness.scheduler.advance(1);
          const after = [...whole()].map(([key, entity]) => [entity, before.get(key)] as const);
          const changed = after.filter(([now, old]) => !isDeepStrictEqual(now, old)).length;
          const differs = after.filter(([now, old]) => !isDeepStrictEqual(seen(now, chosen), old && seen(old, chosen)));
          const isChoice = chosen !== undefined;
          if (isChoice && each.act === 'set') {
            const heard = consumer.upserts - upserts;
            // Once its labels changed it is not known any more whether an older state passed a filter by labels, so
            // that the entity is told once more.
            const looksAtLabels = criteria.labels.size + (criteria.labelSelector?.length ?? 0) > 0;
            const most = looksAtLabels ? changed : differs.length;
            assert.ok(differs.length <= heard && heard <= most, `${JSON.stringify(each)}: ${heard}`);
            if (heard === 0) unseen += 1;
          }
        }
      }),
      { numRuns: 300 },
    );
    assert.ok(unseen > 100, `${unseen} changes were not seen`);
  });

  it('is told only of removals of what it holds, unless labels, namespaces or nodes decide', () => {
    fc.assert(
      fc.property(filter, fc.array(act, { maxLength: 100, size: 'max' }), (some, acts) => {
        const criteria = { ...some, nodeNames: [], labels: new Map(), namespaceSelector: [], labelSelector: [] };
        const harness = new Harness();
        const { consumer } = harness.subscribe({ filter: criteria });
        for (const each of acts) {
          perform(harness, [], each);
          harness.scheduler.advance(1);
        }
        assert.equal(consumer.idleRemovals, 0);
      }),
      { numRuns: 200 },
    );
  });
});

/** An entity as a reader with this choice is sent it. */
function seen(whole: DecodedEntity, chosen: ChosenKeys | undefined): DecodedEntity {
  if (chosen === undefined) return whole;
  const kept = (map: Readonly<Record<string, string>>, keys: readonly string[]): Record<string, string> =>
    Object.fromEntries(Object.entries(map).filter(([key]) => keys.includes('*') || keys.includes(key)));
  const { labels: all, annotations } = whole as {
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
  };
  return {
    ...whole,
    ...(all === undefined ? {} : { labels: kept(all, chosen.labels) }),
    ...(annotations === undefined ? {} : { annotations: kept(annotations, chosen.annotations) }),
  };
}

function perform(harness: Harness, readers: readonly Reader[], each: Act): void {
  const { picture, scheduler } = harness;
  switch (each.act) {
    case 'set':
      picture.set(each.spec);
      return;
    case 'recreate':
      picture.recreate(each.spec);
      return;
    case 'remove':
      picture.remove(each.kind, each.namespace, each.name);
      return;
    case 'turns':
      for (let turn = 0; turn < each.turns; turn++) scheduler.turn();
      return;
    case 'wait':
      scheduler.advance(each.ms);
      return;
    default:
      break;
  }
  const one = readers[each.reader];
  if (one === undefined) return;
  switch (each.act) {
    case 'pause':
      one.subscriber?.pause();
      return;
    case 'resume':
      one.subscriber?.resume();
      return;
    case 'disconnect':
      disconnect(one);
      return;
    case 'connect':
      if (one.subscriber === undefined) connect(harness, one);
      return;
  }
}

function connect(harness: Harness, one: Reader): void {
  const { criteria, consumer, values: chosen } = one;
  consumer.reconnect();
  one.subscriber = harness.subscribe({ filter: criteria, values: chosen, resumeToken: consumer.token }, consumer);
}

function disconnect(one: Reader): void {
  one.subscriber?.close();
  one.subscriber = undefined;
}

/** A quiet point: everybody connects, takes everything, and has what the picture shows. */
function compare(harness: Harness, readers: readonly Reader[]): void {
  for (const one of readers) {
    if (one.subscriber === undefined) connect(harness, one);
    one.subscriber?.resume();
  }
  harness.scheduler.advance(1_000);
  for (const { consumer, criteria, values: chosen } of readers) {
    const expected = harness.picture.visible(criteria);
    const story = consumer.story.join(', ');
    assert.equal(consumer.synced, true, story);
    assert.deepEqual([...consumer.copy.keys()].sort(), [...expected.keys()].sort(), story);
    for (const [key, held] of consumer.copy) {
      const live = expected.get(key);
      assert.ok(live, story);
      assert.deepEqual(held, seen(decodeEntity(live.kind, encodedBytes(live)), chosen), story);
    }
  }
}
