// Consumers that go from replica to replica while a cluster changes, and are compared whenever they are synced.
//
// Everything is random from one seed: what happens, how far each replica is with each resource, when a consumer is cut
// off (also in the middle of a snapshot or a replay), where it goes, what it filters, when replicas restart.

import assert from 'node:assert/strict';
import type { SubscribeRequest } from '../../../src/feed/feed-options.ts';
import type { FilterCriteria } from '../../../src/feed/log/filter.ts';
import type { Entity } from '../../../src/model/entities.ts';
import { decode, isVisible, keyOf, labelsOf } from '../expected-copy.ts';
import { parseToken } from '../../../src/feed/tokens/resume-token.ts';
import { createRandom, type Random } from '../../random.ts';
import { ManualScheduler } from '../manual-scheduler.ts';
import { RawCopy } from '../raw-copy.ts';
import { Replica } from './replica.ts';
import { ReplicaHistory } from './replica-history.ts';
import { encodedBytes } from '../../../src/wire/encoded-entity.ts';

export interface HopsOptions {
  readonly seed: number;
  /** Connections with a token from another process. */
  readonly cuts: number;
  /** Chance of a restart per round. */
  readonly restarts: number;
}

export interface HopsResult {
  /** Connections with the token of another process. */
  cuts: number;
  /** Of those, continued without Reset. */
  resumed: number;
  /** Of those, told to come back because the replica was behind. */
  behind: number;
  /** Of those, how often it had to forget everything, by what explains it. */
  readonly resets: Map<string, number>;
  /** Cuts whose token names a state that the replica went through since it started, and kept. */
  insideRetention: number;
  /** Comparisons of a copy with a replica's state, and entities in them. */
  compared: number;
  entities: number;
}

interface Consumer {
  readonly filter: FilterCriteria;
  readonly copy: RawCopy;
  /** The process that its token is from. */
  from: Replica | undefined;
  /** Round in which it was connected last. */
  seenIn: number;
  connection: Connection | undefined;
}

const FILTERS: readonly Partial<FilterCriteria>[] = [
  {},
  {},
  { kinds: ['Pod'] },
  { labels: new Map([['app', 'x']]) },
  { nodeNames: ['n0'] },
  { namespaces: ['mall'] },
  { kinds: ['Service', 'Workload'] },
  { namespaceSelector: [{ key: 'app', operator: 'in', values: ['x'] }] },
  { kinds: ['Pod'], namespaceSelector: [{ key: 'app', operator: 'notin', values: ['x'] }] },
];

/** Runs until enough cuts were made; throws at the first difference. */
export function hop({ seed, cuts, restarts }: HopsOptions, result: HopsResult = emptyResult()): HopsResult {
  const random = createRandom(seed);
  const scheduler = new ManualScheduler();
  const history = new ReplicaHistory(random);
  for (let step = 0; step < 60; step++) history.step();
  let epochs = 0;
  let round = 0;
  const limits = { maxFrameBytes: random.pick([1, 400, 65_536]), stallTimeoutMs: 1e9, removalRetentionMs: 1e9 };
  const start = (): Replica => new Replica(history, random, scheduler, ++epochs, limits, round);
  const replicas = [start(), start()];
  const consumers = FILTERS.map(
    (filter): Consumer => ({
      filter: { kinds: [], namespaces: [], nodeNames: [], labels: new Map(), ...filter },
      copy: new RawCopy(),
      from: undefined,
      seenIn: 0,
      connection: undefined,
    }),
  );
  const end = result.cuts + cuts;
  while (result.cuts < end) {
    round += 1;
    for (let steps = random.between(0, 12); steps > 0; steps--) history.step();
    for (const replica of replicas) for (let steps = random.between(0, 60); steps > 0; steps--) replica.step();
    if (random.chance(restarts)) replicas[random.between(0, 1)] = start();
    const consumer = random.pick(consumers);
    consumer.connection?.close();
    connect(consumer, random.pick(replicas), scheduler, result, random);
    for (const each of consumers) if (each.connection !== undefined) each.seenIn = round;
    if (random.chance(0.3)) {
      // Cut off again before it has everything.
      for (let turns = random.between(1, 6); turns > 0; turns--) scheduler.turn();
      continue;
    }
    scheduler.settle();
    for (const each of consumers) compare(each, result, seed);
  }
  for (const replica of replicas) replica.catchUp();
  assert.deepEqual(picture(replicas[1]), picture(replicas[0]), `seed ${seed}: replicas that saw the same are the same`);
  scheduler.advance(5_000);
  for (const consumer of consumers) {
    consumer.connection?.close();
    connect(consumer, random.pick(replicas), scheduler, result, random);
  }
  scheduler.advance(5_000);
  for (const each of consumers) {
    assert.equal(
      each.connection?.ended,
      undefined,
      `seed ${seed}: no consumer is ahead of a replica that has everything`,
    );
    compare(each, result, seed);
  }
  return result;
}

export function emptyResult(): HopsResult {
  return { cuts: 0, resumed: 0, behind: 0, resets: new Map(), insideRetention: 0, compared: 0, entities: 0 };
}

/** One subscription; takes its frames at once, or one in each turn. */
class Connection {
  readonly replica: Replica;
  ended: string | undefined;
  readonly #close: () => void;
  #isClosed = false;

  constructor(replica: Replica, copy: RawCopy, request: SubscribeRequest, scheduler: ManualScheduler) {
    this.replica = replica;
    const opened = replica.feed.open(request, {
      write: (frame, taken) => {
        assert.equal(this.#isClosed, false, 'nothing is written after close');
        copy.apply(frame.message);
        scheduler.soon(taken);
      },
      end: (reason) => {
        this.ended = reason;
      },
    });
    assert.equal(opened.outcome, 'opened');
    this.#close = opened.outcome === 'opened' ? opened.close : () => undefined;
  }

  close(): void {
    this.#isClosed = true;
    this.#close();
  }
}

function connect(
  consumer: Consumer,
  replica: Replica,
  scheduler: ManualScheduler,
  result: HopsResult,
  random: Random,
): void {
  const { copy, filter } = consumer;
  const isCut = copy.token.byteLength > 0 && consumer.from !== undefined && consumer.from !== replica;
  const resets = copy.resets.length;
  copy.synced = false;
  const before = copy.token;
  const request = { filter, view: 'FULL', resumeToken: before, snapshotOnly: false, heartbeatMs: 1e9 } as const;
  consumer.connection = new Connection(replica, copy, request, scheduler);
  // Whether it goes on shows in the first frame, which needs a few turns, or never comes while the replica is behind.
  for (let turns = 0; turns < 4 && copy.token === before; turns++) scheduler.turn();
  if (copy.token === before && random.chance(0.5)) {
    for (let steps = random.between(0, 60); steps > 0; steps--) replica.step();
    scheduler.advance(300);
  }
  if (copy.token === before) scheduler.advance(4_000);
  if (copy.token !== before) consumer.from = replica;
  if (!isCut) return;
  result.cuts += 1;
  const isPartial = isWithoutSources(before);
  const isOlder = replica.startedIn > consumer.seenIn;
  if (!isPartial && !isOlder) result.insideRetention += 1;
  const reset = copy.resets[resets];
  if (reset !== undefined) {
    const why = isPartial ? 'cut off in a snapshot' : isOlder ? 'replica restarted since' : 'went over it by a list';
    const reason = `${reset.replace('RESET_REASON_', '')}, ${why}`;
    result.resets.set(reason, (result.resets.get(reason) ?? 0) + 1);
  } else if (consumer.connection.ended === 'behind') result.behind += 1;
  else result.resumed += 1;
}

function isWithoutSources(bytes: Uint8Array): boolean {
  const token = parseToken(bytes);
  return typeof token === 'object' && token.sources.ranges.length === 0;
}

function compare({ connection, copy, filter }: Consumer, result: HopsResult, seed: number): void {
  if (connection === undefined || connection.ended !== undefined || !copy.synced) return;
  const expected = new Map<string, Entity>();
  const labelsOfNamespaces = new Map<string, Record<string, string>>();
  for (const entity of connection.replica.entities()) {
    if (entity.kind === 'Namespace') labelsOfNamespaces.set(entity.name, labelsOf(entity));
  }
  for (const entity of connection.replica.entities()) {
    if (isVisible(entity, filter, labelsOfNamespaces)) expected.set(keyOf(entity), entity);
  }
  const where = `seed ${seed}, cut ${result.cuts}, filter ${JSON.stringify(filter)}`;
  copy.assertOnePicture();
  assert.deepEqual([...copy.entities.keys()].sort(), [...expected.keys()].sort(), where);
  for (const [key, { bytes }] of copy.entities) {
    const live = encodedBytes(expected.get(key) ?? assert.fail(where));
    if (Buffer.compare(live, bytes) !== 0) {
      assert.deepEqual(decode(key, bytes), decode(key, live), `${where}: ${key}`);
      assert.fail(`${where}: ${key} has other bytes`);
    }
  }
  result.compared += 1;
  result.entities += expected.size;
}

/** What a replica serves, by key. */
function picture(replica: Replica | undefined): Record<string, unknown> {
  const shown: Record<string, unknown> = {};
  for (const entity of replica?.entities() ?? []) {
    const key = keyOf(entity);
    assert.equal(shown[key], undefined, `${key} is served twice`);
    shown[key] = decode(key, encodedBytes(entity));
  }
  return shown;
}

/** For people. */
export function describeResult({
  cuts,
  resumed,
  behind,
  resets,
  insideRetention,
  compared,
  entities,
}: HopsResult): string {
  const percent = (part: number, whole: number): string => `${((100 * part) / whole).toFixed(1)} %`;
  const reasons = [...resets].map(([reason, count]) => `${count} × ${reason}`).join('; ');
  return [
    `${cuts} hops, ${compared} comparisons of ${entities} entities, 0 differences`,
    `continued without Reset: ${resumed} (${percent(resumed, cuts)} of all)`,
    `inside retention: ${insideRetention}, continued or asked to wait: ${percent(insideRetention - unexplained(resets), insideRetention)}`,
    `asked to come back, as the replica was behind: ${behind}`,
    `Reset: ${reasons}`,
  ].join('\n');
}

function unexplained(resets: ReadonlyMap<string, number>): number {
  let count = 0;
  for (const [reason, times] of resets) if (reason.endsWith('by a list')) count += times;
  return count;
}
