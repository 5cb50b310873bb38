// A consumer of timelines that goes on at another server, which began at another time and looked away at others: what
// the two know of the past differs, and the consumer must not read what one of them told by what the other one knows.
//
// DIGGER_SEED sets where the histories begin, DIGGER_HISTORIES how many there are; a failure prints the seed.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createHistory, type Delivery } from '../addresses/adversary.ts';
import { pod, T0 } from '../addresses/world.ts';
import { createRandom } from '../random.ts';
import { Copy } from './copy.ts';
import { describeAnswer, Server } from './server.ts';

const firstSeed = Number(process.env['DIGGER_SEED'] ?? 1);
const histories = Number(process.env['DIGGER_HISTORIES'] ?? 10);

type Shown = NonNullable<Delivery['put']>;

describe('15.4: a consumer of timelines that goes on at another server', () => {
  it('does not take the holes of a younger server for moments at which no object held the address', async () => {
    const [older, younger] = [new Server({}, 1), new Server({ opened: false }, 2)];
    const put = (server: Server, name: string, version: number) =>
      server.put(pod(name, { addresses: ['10.1.0.1'] }), { version });
    older.at(1_000);
    put(older, 'a', 1);
    older.at(60_000);
    older.remove('a', { version: 2 });
    // It knows nothing of the first one, which had the address before it began.
    younger.at(90_000);
    put(younger, 'b', 3);
    younger.open();
    older.at(90_000);
    put(older, 'b', 3);
    for (const server of [older, younger]) {
      await server.settle();
      server.at(120_000);
      server.put(pod('other', { addresses: ['10.1.0.2'] }), { version: 4 });
      await server.settle();
      server.at(200_000);
    }
    const reader = younger.subscribe(new Copy());
    younger.scheduler.settle();
    assert.deepEqual(reader.copy.ask({ address: '10.1.0.1', atMs: T0 + 30_000 }, younger.nowMs), ['UNKNOWN']);
    const { copy } = older.subscribe(reader.close());
    older.scheduler.settle();
    assert.ok(copy.isSynced);
    const question = { address: '10.1.0.1', atMs: T0 + 30_000 };
    assert.deepEqual(copy.ask(question, older.nowMs), describeAnswer(older.book.resolve(question)));
  });

  it('answers as that server, whatever one of them missed and the other one saw', async () => {
    let asked = 0;
    let hops = 0;
    let resets = 0;
    // In the last one a server tells that an object is gone, and ends before it tells what that means for its address.
    for (const seed of [...Array.from({ length: histories }, (_, index) => firstSeed + index), 117]) {
      const random = createRandom(seed);
      const history = createHistory(random);
      const cluster = new Map<string, Shown>();
      const watchers = [1, 2].map((epoch) => new Watcher(epoch, random.between(0, epoch === 1 ? 0 : 60_000)));
      let copy = new Copy();
      let close = (): void => undefined;
      let next = random.between(5_000, 20_000);
      for (const [index, { atMs, put, removeName }] of history.deliveries.entries()) {
        if (put !== undefined) cluster.set(put.name, put);
        if (removeName !== undefined) cluster.delete(removeName);
        for (const watcher of watchers) {
          if (random.chance(0.01)) watcher.lookAway(atMs, random.between(500, 15_000));
          watcher.follow(cluster, index + 1, atMs);
        }
        if (atMs < next) continue;
        next = atMs + random.between(200, 10_000);
        const { server, isFollowing } = random.pick(watchers);
        if (!isFollowing) continue;
        await server.settle();
        close();
        const reader = server.subscribe(copy);
        close = () => reader.close();
        ({ copy } = reader);
        hops += 1;
        await server.settle();
        server.scheduler.advance(1_000);
        assert.ok(copy.isSynced, `seed ${seed}: not synced`);
        for (let i = 0; i < 30; i++) {
          const place = random.chance(0.3) ? random.pick(history.ports) : { address: random.pick(history.addresses) };
          const question = { ...place, atMs: Math.max(T0, server.nowMs - random.between(0, 60_000)) };
          // Each has seen for itself since when an object holds an address of which the API tells no start.
          const [given, owed] = [copy.ask(question, server.nowMs), describeAnswer(server.book.resolve(question))].map(
            (answer) => answer.map((part) => part.replace(/ \d+–/, ' –')),
          );
          assert.deepEqual(given, owed, `seed ${seed}, hop ${hops}: ${JSON.stringify(question)} at ${atMs}`);
          asked += 1;
        }
      }
      resets += copy.resets - 1;
    }
    assert.ok(asked > 100 * histories, `${asked} questions`);
    assert.ok(resets < hops, `all of ${hops} hops began with a snapshot`);
  });
});

/** A server with a watch of its own: it begins with a list, and closes its gaps with lists. */
class Watcher {
  readonly server: Server;
  readonly #beginsMs: number;
  #gap: { readonly sinceMs: number; readonly untilMs: number } | undefined;
  #isOpen = false;
  readonly #seen = new Map<string, Shown>();

  constructor(epoch: number, beginsMs: number) {
    this.server = new Server({ opened: false }, epoch);
    this.#beginsMs = beginsMs;
  }

  /** It has begun, and its watch is up. */
  get isFollowing(): boolean {
    return this.#isOpen && this.#gap === undefined;
  }

  lookAway(sinceMs: number, forMs: number): void {
    if (this.isFollowing) this.#gap = { sinceMs, untilMs: sinceMs + forMs };
  }

  /** The cluster is like that now. */
  follow(cluster: ReadonlyMap<string, Shown>, version: number, atMs: number): void {
    if (atMs < this.#beginsMs) return;
    const { server } = this;
    const gap = this.#gap;
    if (gap !== undefined && atMs < gap.untilMs) {
      server.at(atMs, T0 + gap.sinceMs);
      return;
    }
    this.#gap = undefined;
    const isList = gap !== undefined || !this.#isOpen;
    server.at(atMs, gap && T0 + gap.sinceMs);
    const changes: { put?: Shown; remove?: string }[] = [];
    for (const [name, { uid }] of this.#seen) if (cluster.get(name)?.uid !== uid) changes.push({ remove: name });
    for (const [name, put] of cluster) if (this.#seen.get(name) !== put) changes.push({ put });
    this.#seen.clear();
    for (const [name, put] of cluster) this.#seen.set(name, put);
    server.change(changes, { version, ...(gap === undefined ? {} : { gapSinceMs: gap.sinceMs }), isList });
    server.at(atMs);
    if (this.#isOpen) return;
    this.#isOpen = true;
    server.open();
  }
}
