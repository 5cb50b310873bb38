// What a reflector may do to a store, and what listeners hear of it.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Pacer } from '../../src/catalog/pacer.ts';
import { Harness, SEEN } from './harness.ts';
import { pod } from './records.ts';

const A = pod('a', { podIps: ['10.0.0.1'] });
const B = pod('b', { podIps: ['10.0.0.2'] });
const C = pod('c', { podIps: ['10.0.0.3'] });

describe('a store', () => {
  it('tells nothing before the catalog is open, and everything once when it opens', async () => {
    const harness = new Harness();
    harness.put(A, B);
    harness.remove(B);
    harness.put({ ...A, podIps: ['10.0.0.9'] });
    assert.deepEqual([harness.batches.length, harness.catalog.pod('shop', 'a')], [0, undefined]);
    await harness.catalog.open();
    assert.deepEqual(harness.told(), ['+ Pod a']);
    assert.deepEqual(harness.pod('a').addresses, ['10.0.0.9']);
  });

  it('takes a first list while it arrives, and leaves nothing of one that breaks off', async () => {
    const harness = new Harness();
    const broken = harness.storeOf('Pod').beginReplace();
    broken.add(A);
    broken.add(B);
    await assert.rejects(harness.catalog.open(), /first list of pods/, 'half a list is no picture');
    broken.abort();
    assert.equal(harness.catalog.objects('pods'), 0);
    const whole = harness.storeOf('Pod').beginReplace();
    assert.throws(() => broken.add(A), /over/);
    whole.add(B);
    // A streamed list may bring an object twice, changed, or under its name with another uid.
    whole.add(C);
    whole.add({ ...B, podIps: ['10.0.0.9'] });
    whole.add({ ...C, uid: 'uid-again' });
    await whole.commit('200', SEEN);
    await assert.rejects(whole.commit('201', SEEN), /over/);
    await harness.catalog.open();
    assert.deepEqual(harness.told(), ['+ Pod b', '+ Pod c']);
    assert.deepEqual([harness.pod('b').addresses, harness.pod('c').uid], [['10.0.0.9'], 'uid-again']);
    assert.equal(harness.catalog.pod('shop', A.name), undefined);
  });

  it('opens also while a resource of which there is nothing is listed for the second time', async () => {
    const harness = new Harness();
    await harness.storeOf('Pod').beginReplace().commit('100', SEEN);
    const again = harness.storeOf('Pod').beginReplace();
    again.add(A);
    await harness.catalog.open();
    assert.deepEqual(harness.told(), [], 'half a list is no picture');
    await again.commit('200', SEEN);
    assert.deepEqual(harness.told(), ['+ Pod a']);
  });

  it('takes writes while the catalog opens in slices', async () => {
    let turns = 0;
    const harness: Harness = new Harness({
      pacer: new Pacer({
        budgetMs: 0,
        nowMs: () => 0,
        turn: async () => {
          turns += 1;
          harness.put(pod(`late-${turns}`));
          if (turns === 1) harness.remove(pod('p0'));
        },
      }),
    });
    for (let at = 0; at < 40; at += 1) harness.put(pod(`p${at}`));
    await harness.catalog.open();
    assert.ok(turns > 0);
    assert.equal(harness.copy.size, 39 + turns);
    assert.equal(harness.copy.size, [...harness.catalog.entities()].length);
  });

  it('removes an object before its successor under the name comes, also while the catalog opens in slices', async () => {
    const first = Array.from({ length: 40 }, (_, at) => pod(`p${at}`));
    let turns = 0;
    const harness: Harness = new Harness({
      pacer: new Pacer({
        budgetMs: 0,
        nowMs: () => 0,
        // As a StatefulSet replaces its pods: some are told already, and others are not yet.
        turn: async () => {
          const old = first[turns] ?? assert.fail('more turns than pods');
          turns += 1;
          harness.remove(old);
          harness.put({ ...old, uid: `again-${old.name}` });
        },
      }),
    });
    harness.put(...first);
    await harness.catalog.open();
    assert.ok(turns > 1);
    assert.equal(harness.pod('p0').uid, 'again-p0');
    assert.equal(harness.byKey.size, 40);
  });

  it('tells of an update that changes nothing only that the source moved on', async () => {
    const harness = await Harness.open(A);
    harness.put({ ...A });
    const digest = harness.batches[0]?.position.digest;
    assert.deepEqual(harness.batches, [
      { changes: [], seen: SEEN, position: { resource: 'pods', resourceVersion: '102', digest } },
    ]);
    harness.storeOf('Pod').bookmark('107');
    assert.equal(harness.batches.at(-1)?.position.resourceVersion, '107');
    assert.match(await harness.registry.metrics(), /digger_catalog_noop_updates_total\{resource="pods"\} 1/);
  });

  it('takes another uid under the same name for a removal and an addition, in one batch', async () => {
    const harness = await Harness.open(A);
    harness.put({ ...A, uid: 'uid-again' });
    assert.equal(harness.batches.length, 1);
    const [removal, upsert] = harness.batches[0]?.changes ?? [];
    assert.deepEqual([removal?.before?.uid, removal?.after], [A.uid, undefined]);
    assert.deepEqual([upsert?.before, upsert?.after?.uid], [undefined, 'uid-again']);
    harness.remove(A);
    assert.equal(harness.pod('a').uid, 'uid-again', 'a late DELETED of the old object removes nothing');
  });

  it('tells nothing of a relist in which nothing differs', async () => {
    const harness = await Harness.open(A, B);
    await harness.relist('Pod', [B, A]);
    assert.deepEqual(harness.told(), []);
  });

  it('applies a relist as the difference: removals first, the position complete only at the end', async () => {
    const harness = await Harness.open(A, B, { ...C, uid: 'uid-old' });
    await harness.relist('Pod', [C, { ...B, podIps: ['10.0.0.1'] }]);
    const signs = harness.batches.flatMap(({ changes }) => changes.map((change) => (change.after ? '+' : '-')));
    assert.equal(signs.join(''), '--++');
    const unfinished = harness.batches.map((batch) => batch.unfinished === true);
    assert.deepEqual(unfinished, [true, true, true, true, false]);
    assert.deepEqual([...harness.copy.values()].map(({ uid }) => uid).sort(), ['uid-b', 'uid-c']);
  });

  it('forgets a relist that was aborted', async () => {
    const harness = await Harness.open(A, B);
    const replacement = harness.storeOf('Pod').beginReplace();
    replacement.add(C);
    replacement.abort();
    assert.deepEqual(harness.told(), []);
    await assert.rejects(replacement.commit('200', SEEN), /over/);
    await harness.relist('Pod', [A, B]);
    assert.deepEqual(harness.told(), []);
  });

  it('lets the event loop turn during a large relist', async () => {
    let turns = 0;
    const turn = async () => void (turns += 1);
    const harness = new Harness({ pacer: new Pacer({ budgetMs: 0, nowMs: () => 0, turn }) });
    await harness.catalog.open();
    await harness.relist(
      'Pod',
      Array.from({ length: 100 }, (_, at) => pod(`p${at}`)),
    );
    assert.ok(turns >= 6, `turned ${turns} times`);
    assert.equal(harness.copy.size, 100);
  });

  it('counts what it holds', async () => {
    const harness = await Harness.open(A, B);
    assert.equal(harness.catalog.objects('pods'), 2);
    assert.match(await harness.registry.metrics(), /digger_objects\{resource="pods"\} 2/);
  });
});
