// Timelines in the feed: a copy that is kept from frames answers every question as the server does.
//
// DIGGER_QUESTIONS sets how many questions are asked, DIGGER_SEED where the histories begin; a failure prints the seed.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { toByteString } from '../../src/model/byte-string.ts';
import { messageType } from '../../src/wire/schema.ts';
import { createHistory } from '../addresses/adversary.ts';
import { node, pod, service, serviceCidr, T0 } from '../addresses/world.ts';
import { everything } from '../feed/cluster.ts';
import { createRandom } from '../random.ts';
import { Copy } from './copy.ts';
import { describeAnswer, Server } from './server.ts';

const questions = Number(process.env['DIGGER_QUESTIONS'] ?? 20_000);
const firstSeed = Number(process.env['DIGGER_SEED'] ?? 1);
const QUESTIONS_PER_HISTORY = 400;

describe('15.4: timelines in the feed', () => {
  it('let a copy answer as the server does, whenever it connects, however far it was behind', async () => {
    let asked = 0;
    const histories = Math.ceil(questions / QUESTIONS_PER_HISTORY);
    for (let seed = firstSeed; seed < firstSeed + histories; seed++) {
      const random = createRandom(seed);
      const history = createHistory(random);
      const server = new Server(history.areRangesKnown ? {} : { clusterRanges: [] });
      server.book.serviceRanges.upsert(serviceCidr('kubernetes', ['10.96.0.0/15']), '', { atMs: server.nowMs });
      let reader = server.subscribe(new Copy());
      const ask = async (count: number): Promise<void> => {
        await server.settle();
        reader.read();
        server.scheduler.advance(1_000);
        assert.ok(reader.isPaused || reader.copy.isSynced, `seed ${seed}: not synced`);
        for (let i = 0; i < count; i++) {
          const place = random.chance(0.3) ? random.pick(history.ports) : { address: random.pick(history.addresses) };
          const atMs = Math.max(T0, server.nowMs - (random.chance(0.2) ? 0 : random.between(0, 60_000)));
          const question = { ...place, ...(random.chance(0.1) ? {} : { atMs }) };
          assert.deepEqual(
            reader.copy.ask(question, server.nowMs),
            describeAnswer(server.book.resolve(question)),
            `seed ${seed}: ${JSON.stringify(question)} at ${server.nowMs - T0}`,
          );
          asked += 1;
        }
      };
      let next = random.between(0, 20_000);
      for (const { atMs, gapSinceMs, put, removeName } of history.deliveries) {
        const gap = history.gaps.find(({ sinceMs, untilMs }) => sinceMs <= atMs && atMs < untilMs);
        server.at(atMs, gap === undefined ? undefined : T0 + gap.sinceMs);
        if (put !== undefined) server.put(put, { gapSinceMs });
        if (removeName !== undefined) server.remove(removeName, { gapSinceMs });
        if (atMs < next) continue;
        next = atMs + random.between(500, 20_000);
        if (random.chance(0.2)) reader = server.subscribe(random.chance(0.5) ? reader.close() : new Copy());
        reader.isPaused = random.chance(0.3);
        await ask(reader.isPaused ? 0 : 60);
      }
      reader.isPaused = false;
      await ask(QUESTIONS_PER_HISTORY / 4);
    }
    assert.ok(asked >= questions / 2, `${asked} questions`);
  });

  it('go on at another server: a consumer that hops between two answers as the one that it is at', async () => {
    let hops = 0;
    let quietHops = 0;
    let quietResets = 0;
    for (let seed = firstSeed; seed < firstSeed + 12; seed++) {
      const random = createRandom(seed);
      const history = createHistory(random);
      // Both have run for a while, and seen something.
      const servers = [new Server({ beginsMs: -90_000 }, 1), new Server({ beginsMs: -90_000 }, 2)] as const;
      for (const server of servers) server.put(node('first', { podRanges: ['10.9.0.0/24'] }));
      await servers[0].settle();
      let reader = servers[0].subscribe(new Copy());
      servers[0].scheduler.settle();
      let at: 0 | 1 = 0;
      const hopsBefore = hops;
      let next = random.between(0, 10_000);
      for (const { atMs, gapSinceMs, put, removeName } of history.deliveries) {
        for (const server of servers) {
          server.at(atMs);
          if (put !== undefined) server.put(put, { gapSinceMs });
          if (removeName !== undefined) server.remove(removeName, { gapSinceMs });
        }
        if (atMs < next) continue;
        next = atMs + random.between(200, 10_000);
        if (random.chance(0.7)) await servers[at].settle();
        if (random.chance(0.3)) continue;
        const copy = reader.close();
        at = at === 0 ? 1 : 0;
        hops += 1;
        reader = servers[at].subscribe(copy);
        await servers[at].settle();
        servers[at].scheduler.advance(1_000);
        assert.ok(copy.isSynced, `seed ${seed}: not synced`);
        for (let i = 0; i < 30; i++) {
          const place = random.chance(0.3) ? random.pick(history.ports) : { address: random.pick(history.addresses) };
          const { nowMs, book } = servers[at];
          const question = { ...place, atMs: Math.max(T0, nowMs - random.between(0, 60_000)) };
          assert.deepEqual(
            copy.ask(question, nowMs),
            describeAnswer(book.resolve(question)),
            `seed ${seed}, hop ${hops}`,
          );
        }
      }
      if (history.gaps.length > 0) continue;
      quietHops += hops - hopsBefore;
      quietResets += reader.copy.resets - 1;
    }
    assert.ok(hops > 50, `${hops} hops`);
    // After a gap every hop does, as long as the history reaches back to it.
    assert.ok(quietHops > 20 && quietResets < quietHops / 10, `${quietResets} of ${quietHops} began with a snapshot`);
  });

  it('leave no moment at which the watch counts as up and the list that closed the gap is not written yet', async () => {
    const server = new Server();
    const gone = { address: '10.1.0.1' };
    const stays = { address: '10.1.0.2' };
    server.at(1_000);
    server.put([pod('a', { addresses: [gone.address] }), pod('b', { addresses: [stays.address] })]);
    await server.settle();
    const { copy } = server.subscribe(new Copy());
    server.scheduler.settle();
    server.at(20_000, T0 + 10_000);
    server.scheduler.settle();
    assert.match(copy.ask(gone, server.nowMs)[1] ?? '', / true /, 'uncertain while the watch is down');
    server.remove('a', { gapSinceMs: 10_000, isList: true });
    server.at(20_010);
    server.scheduler.settle();
    server.scheduler.advance(300);
    assert.match(copy.ask(gone, server.nowMs)[1] ?? '', / true /, 'that it is gone is not written yet');
    await server.settle();
    for (const question of [gone, stays, { ...gone, atMs: T0 + 15_000 }, { ...gone, atMs: T0 + 5_000 }]) {
      const owed = describeAnswer(server.book.resolve(question));
      assert.deepEqual(copy.ask(question, server.nowMs), owed, JSON.stringify(question));
    }
    assert.match(copy.ask(stays, server.nowMs)[1] ?? '', / false /);
  });

  it('cost their changes, and not the square of them, where an address changes hands all the time', async () => {
    const server = new Server();
    const address = '10.1.0.1';
    const { copy } = server.subscribe(new Copy());
    const sizes: number[] = [];
    for (let second = 1; second <= 600; second++) {
      server.at(second * 1_000);
      if (second > 1) server.remove(`pod-${second - 1}`);
      server.put(pod(`pod-${second}`, { addresses: [address] }));
      await server.settle();
      const given = copy.ask({ address }, server.nowMs);
      assert.deepEqual(given, describeAnswer(server.book.resolve({ address })), `after ${second} s`);
      const item = server.itemOf(address) as { readonly change: string };
      if (sizes.at(-1) !== item.change.length) sizes.push(item.change.length);
      // What a part does not tell is not known: it is not taken for a moment without a holder.
      const past = { address, atMs: server.nowMs - 300_000 };
      const [outcome] = copy.ask(past, server.nowMs);
      if (second > 310) assert.ok(outcome === 'UNKNOWN' || outcome === describeAnswer(server.book.resolve(past))[0]);
    }
    const sent = sizes.reduce((sum, size) => sum + size, 0);
    assert.ok(Math.max(...sizes) > 50_000, `${Math.max(...sizes)} bytes are large`);
    assert.ok(sent < 600 * (16_000 + 6_000), `${sent} bytes in 600 s`);
    server.at(620_000);
    await server.settle();
    for (let ago = 0; ago < 590_000; ago += 1_234) {
      const question = { address, atMs: server.nowMs - ago };
      assert.deepEqual(
        copy.ask(question, server.nowMs),
        describeAnswer(server.book.resolve(question)),
        `${ago} ms ago`,
      );
    }
  });

  it('come after the objects that they name, which are kept as former ones until they are named no longer', async () => {
    const server = new Server();
    const a = pod('a', { addresses: ['10.1.0.1'] });
    server.at(1_000);
    server.put(a);
    await server.settle();
    const { copy } = server.subscribe(new Copy());
    server.scheduler.settle();
    assert.ok(copy.entities.has('pod default a'));
    assert.deepEqual(copy.ask({ address: '10.1.0.1' }, server.nowMs).length, 2);
    server.at(5_000);
    server.remove('a');
    await server.settle();
    assert.ok(!copy.entities.has('pod default a'));
    assert.ok(copy.formers.has(a.uid), 'a consumer can still name the holder of five seconds ago');
    const late = server.subscribe(new Copy());
    server.scheduler.settle();
    assert.ok(late.copy.formers.has(a.uid), 'also one that comes later');
    server.at(700_000);
    server.book.expire();
    server.put(pod('b'));
    await server.settle();
    assert.ok(!copy.formers.has(a.uid));
    assert.equal(copy.size, 0, 'and nothing is left of its address');
  });

  it('are sent to those whose filter lets one of the holders pass, whole', async () => {
    const server = new Server();
    const inShop = (name: string) => ({ addresses: ['10.1.0.1'], namespace: 'shop', uid: `uid-${name}` });
    server.at(1_000);
    server.put([pod('a', inShop('a')), pod('x', { addresses: ['10.1.0.9'] })]);
    await server.settle();
    const { copy } = server.subscribe(new Copy(), { filter: { ...everything(), namespaces: ['shop'] } });
    server.scheduler.settle();
    assert.equal(copy.size, 1, 'the other one is of no concern');
    server.at(5_000);
    server.remove('a');
    server.at(6_000);
    server.put(pod('b', { addresses: ['10.1.0.1'] }));
    await server.settle();
    assert.match(copy.ask({ address: '10.1.0.1' }, server.nowMs)[1] ?? '', /^uid-b POD_IP/);
    server.at(700_000);
    server.book.expire();
    server.put(pod('c'));
    server.put(pod('b', { addresses: ['10.1.0.1'], deletionTimeMs: server.nowMs }));
    await server.settle();
    assert.equal(copy.size, 0, 'the one that passed is forgotten, and so is the address');
  });

  it('follow the labels of holders, which decide who gets them', async () => {
    const server = new Server();
    const labelled = (app: string) => {
      const values = toByteString(Buffer.from(messageType('digger.v1.Pod').encode({ labels: { app } }).finish()));
      return pod('a', { addresses: ['10.1.0.1'], values });
    };
    server.at(1_000);
    server.put(labelled('x'));
    await server.settle();
    const filter = { ...everything(), labels: new Map([['app', 'y']]) };
    const { copy } = server.subscribe(new Copy(), { filter });
    server.scheduler.settle();
    assert.equal(copy.size, 0);
    server.put(labelled('y'));
    await server.settle();
    assert.equal(copy.size, 1);
    server.put(labelled('z'));
    await server.settle();
    assert.equal(copy.size, 0);
  });

  it('are made when somebody wants them, also those of places that questions had asked about before', async () => {
    const server = new Server({}, 1, false);
    const addresses = ['10.1.0.1', '10.1.0.2', '10.1.0.3', '10.1.0.4'];
    server.at(1_000);
    for (const [index, address] of addresses.entries()) server.put(pod(`pod-${index}`, { addresses: [address] }));
    for (const address of addresses.slice(0, 3)) server.book.resolve({ address });
    server.at(5_000);
    server.remove('pod-1');
    server.put(pod('successor', { addresses: ['10.1.0.2'] }));
    server.book.resolve({ address: '10.1.0.2' });
    await server.settle();
    for (const address of addresses) assert.equal(server.itemOf(address), undefined, 'questions make no items');
    server.want();
    await server.settle();
    const { copy } = server.subscribe(new Copy());
    server.scheduler.settle();
    assert.ok(copy.isSynced);
    for (const address of [...addresses, '10.9.9.9']) {
      for (const question of [{ address }, { address, atMs: T0 + 3_000 }]) {
        const given = copy.ask(question, server.nowMs);
        assert.deepEqual(given, describeAnswer(server.book.resolve(question)), JSON.stringify(question));
      }
    }
  });

  it('are not sent to those who did not ask for them', async () => {
    const server = new Server();
    server.put([pod('a', { addresses: ['10.1.0.1'] }), node('n', { addresses: ['10.0.0.1'] }), service('s')]);
    await server.settle();
    const { copy } = server.subscribe(new Copy(false), { timelines: false });
    server.scheduler.settle();
    assert.ok(copy.isSynced);
    assert.deepEqual([copy.entities.size, copy.timelines, copy.facts], [3, 0, undefined]);
  });
});
