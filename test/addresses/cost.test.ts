// What a change costs the address book, in places whose timelines it marks to be written: for each kind of change n and
// 4 n objects around it, as docs/cost-of-a-change.md states it. Nothing here measures time.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AddressBook } from '../../src/addresses/address-book.ts';
import type { Entity } from '../../src/model/entities.ts';
import { node, pod, service, T0 } from './world.ts';

const many = <T>(count: number, make: (at: number) => T): T[] => Array.from({ length: count }, (_, at) => make(at));
const podAt = (at: number, nodeName = 'node-1') =>
  pod(`p${at}`, { nodeName, addresses: [`10.0.${at >> 8}.${at & 255}`] });
const onLoadBalancer = (name: string) =>
  service(name, {
    clusterAddresses: [`10.96.0.${name.length}`],
    externalAddresses: ['203.0.113.1'],
    ports: [{ port: 1_000 + name.length, protocol: 'TCP' }],
  });

class Book {
  readonly book = new AddressBook({
    now: () => T0,
    slackMs: 500,
    retentionMs: 600_000,
    maxClaims: 1_000_000,
    maxBytes: 256e6,
    maxWaiters: 1,
    clusterRanges: [],
    blindSinceMs: () => undefined,
  });
  readonly #held = new Map<string, Entity>();

  put(...entities: readonly Entity[]): void {
    for (const after of entities) this.#tell(this.#held.get(after.uid), after);
  }

  remove(...entities: readonly Entity[]): void {
    for (const { uid } of entities) this.#tell(this.#held.get(uid), undefined);
  }

  #tell(before: Entity | undefined, after: Entity | undefined): void {
    const { uid } = after ?? before ?? assert.fail('a change of nothing');
    if (after === undefined) this.#held.delete(uid);
    else this.#held.set(uid, after);
    const position = { resource: 'pods', resourceVersion: '1' };
    this.book.apply({ changes: [{ sequence: 1, before, after } as never], seen: { atMs: T0 }, position });
  }
}

/** Places that one change marks, where all was written before. */
function marksOf(entities: readonly Entity[], change: (book: Book) => void): number {
  const book = new Book();
  book.put(...entities);
  book.book.open();
  assert.ok(book.book.timelines.settle());
  change(book);
  return book.book.timelines.marked;
}

const CONSTANT: Record<string, (n: number) => number> = {
  'a pod beside n pods of its node': (n) =>
    marksOf([node('node-1'), ...many(n, (at) => podAt(at))], (book) => book.put(podAt(n))),
  'a pod that goes beside n pods of its node': (n) =>
    marksOf([node('node-1'), ...many(n, (at) => podAt(at))], (book) => book.remove(podAt(0))),
  'a service beside n services on the same external address': (n) =>
    marksOf(
      many(n, (at) => onLoadBalancer('s'.repeat(at + 1))),
      (book) => book.put(onLoadBalancer('s'.repeat(n + 1))),
    ),
  'one more of n endpoints of a service': (n) => {
    const of = (count: number) =>
      service('s', { manualEndpoints: many(count, (at) => `203.0.${at >> 8}.${at & 255}`) });
    return marksOf([of(n)], (book) => book.put(of(n + 1)));
  },
  'another state of a service of n endpoints that claims the same, and a pod': (n) => {
    const manualEndpoints = many(n, (at) => `203.0.${at >> 8}.${at & 255}`);
    return marksOf([service('s', { manualEndpoints })], (book) =>
      book.put(service('s', { manualEndpoints, creationTimeMs: T0 }), podAt(0)),
    );
  },
  'a node beside n nodes with a pod each': (n) =>
    marksOf(
      many(n, (at) => [node(`n${at}`, { addresses: [`192.168.${at >> 8}.${at & 255}`] }), podAt(at, `n${at}`)]).flat(),
      (book) => book.put(node('one', { addresses: ['192.168.200.1'] })),
    ),
};

const LINEAR: Record<string, (n: number) => number> = {
  'a node of n pods that is lost': (n) =>
    marksOf([node('node-1'), node('node-2'), ...many(n, (at) => podAt(at))], (book) => book.remove(node('node-1'))),
  'a service of n endpoints that goes': (n) => {
    const manualEndpoints = many(n, (at) => `203.0.${at >> 8}.${at & 255}`);
    return marksOf([service('s', { manualEndpoints })], (book) => book.remove(service('s')));
  },
};

describe('the cost of one change for addresses', () => {
  for (const [change, measure] of Object.entries(CONSTANT)) {
    it(`14.8: does not depend on what is around it: ${change}`, () => {
      const [few, most] = [measure(100), measure(400)];
      assert.ok(few > 0 && most <= few, `${few} places among 100, ${most} among 400`);
    });
  }
  for (const [change, measure] of Object.entries(LINEAR)) {
    it(`14.8: grows with what hangs on it and no faster: ${change}`, () => {
      const [few, most] = [measure(100), measure(400)];
      assert.ok(few >= 100 && most <= 4 * few + 10, `${few} places for 100, ${most} for 400`);
    });
  }
});
