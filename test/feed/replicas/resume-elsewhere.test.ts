// Continuing at another replica, or after a restart.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createRandom } from '../../random.ts';
import { ManualScheduler } from '../manual-scheduler.ts';
import { RawCopy } from '../raw-copy.ts';
import { Replica } from './replica.ts';
import { describeResult, emptyResult, hop } from './replica-hops.ts';
import { ReplicaHistory } from './replica-history.ts';

describe('a consumer that goes from replica to replica', () => {
  it('has what the replica has whenever it is synced, whatever the order in which either saw the cluster change', () => {
    const result = emptyResult();
    for (let seed = 1; seed <= 30; seed++) hop({ seed, cuts: 100, restarts: 0.01 }, result);
    console.log(describeResult(result));
    assert.ok(result.resumed >= 2_000, `${result.resumed} continued`);
    assert.ok(result.compared >= 10_000, `${result.compared} comparisons`);
  });

  it('14.1 drops an owner whose key another owner had at the replica that it came to', () => {
    const result = emptyResult();
    hop({ seed: 100_201, cuts: 200, restarts: 0.005 }, result);
    assert.ok(result.compared > 1_000, `${result.compared} comparisons`);
  });

  it('keeps an owner that got another key, when it was cut off behind that change and hears of the old key again', () => {
    const result = emptyResult();
    hop({ seed: 700_005, cuts: 200, restarts: 0.005 }, result);
    assert.ok(result.compared > 1_000, `${result.compared} comparisons`);
  });

  it('is not sent what did not change', () => {
    const { history, scheduler, start } = world(3);
    for (let step = 0; step < 200; step++) history.step();
    const [one, two] = [start(1), start(2)];
    for (const each of [one, two]) each.catchUp();
    const copy = follow(one, new RawCopy(), scheduler);
    const [before, changes] = [copy.entities.size, copy.changes];
    assert.ok(before > 5, `${before} entities`);
    follow(two, copy, scheduler);
    assert.deepEqual([copy.synced, copy.resets.length, copy.changes - changes], [true, 1, 0]);
  });

  it('continues at a process that started after its token, when nothing happened in between', () => {
    const { history, scheduler, start } = world(4);
    for (let step = 0; step < 200; step++) history.step();
    const one = start(1);
    one.catchUp();
    const copy = follow(one, new RawCopy(), scheduler);
    // Something that is not watched moves the versions of lists, but of no object.
    history.version += 100;
    follow(start(2), copy, scheduler);
    assert.equal(copy.synced, true);
    assert.deepEqual(copy.resets, ['RESET_REASON_NO_TOKEN']);
  });

  it('starts over at a process that started after changes that it misses', () => {
    const { history, scheduler, start } = world(5);
    for (let step = 0; step < 50; step++) history.step();
    const copy = follow(start(1), new RawCopy(), scheduler);
    for (let step = 0; step < 50; step++) history.step();
    follow(start(2), copy, scheduler);
    assert.deepEqual(copy.resets, ['RESET_REASON_NO_TOKEN', 'RESET_REASON_OTHER_EPOCH']);
  });

  it('waits for a replica that is behind, and goes on when it has caught up', () => {
    const { history, scheduler, start } = world(6);
    for (let step = 0; step < 50; step++) history.step();
    const [ahead, behind] = [start(1), start(2)];
    for (let step = 0; step < 50; step++) history.step();
    ahead.catchUp();
    const copy = follow(ahead, new RawCopy(), scheduler);
    const connection = open(behind, copy, scheduler);
    scheduler.advance(2_000);
    assert.deepEqual([copy.synced, connection.ended], [false, undefined]);
    behind.catchUp();
    scheduler.advance(500);
    assert.deepEqual([copy.synced, connection.ended, copy.resets.length], [true, undefined, 1]);
  });

  it('is asked to come back when the replica stays behind: it never goes back in time', () => {
    const { history, scheduler, start } = world(7);
    for (let step = 0; step < 50; step++) history.step();
    const [ahead, behind] = [start(1), start(2)];
    for (let step = 0; step < 50; step++) history.step();
    ahead.catchUp();
    const copy = follow(ahead, new RawCopy(), scheduler);
    const held = copy.entities.size;
    const connection = open(behind, copy, scheduler);
    scheduler.advance(3_500);
    assert.deepEqual([copy.synced, connection.ended, copy.entities.size], [false, 'behind', held]);
    assert.equal(behind.feed.stats().subscribers, 0);
  });

  it('with an old token does not wait for a version that may never come', () => {
    const { history, scheduler, start } = world(8);
    for (let step = 0; step < 50; step++) history.step();
    const [ahead, behind] = [start(1), start(2)];
    for (let step = 0; step < 50; step++) history.step();
    ahead.catchUp();
    const copy = follow(ahead, new RawCopy(), scheduler);
    scheduler.advance(600_000);
    follow(behind, copy, scheduler);
    assert.deepEqual(copy.resets, ['RESET_REASON_NO_TOKEN', 'RESET_REASON_TOKEN_EXPIRED']);
  });
});

describe('when the storage of the API server was restored', () => {
  it('everybody starts over, once, and tokens of before are worth nothing anywhere', () => {
    const { history, scheduler, start } = world(9);
    for (let step = 0; step < 100; step++) history.step();
    const [one, two] = [start(1), start(2)];
    for (const each of [one, two]) each.catchUp();
    const connected = new RawCopy();
    open(one, connected, scheduler);
    const away = follow(one, new RawCopy(), scheduler);
    for (const each of [one, two]) each.rewind(history.version - 40);
    scheduler.advance(1_000);
    assert.deepEqual(connected.resets, ['RESET_REASON_NO_TOKEN', 'RESET_REASON_HISTORY_REWRITTEN']);
    assert.equal(connected.synced, true);
    const visitor = new RawCopy();
    visitor.token = away.token;
    follow(one, away, scheduler);
    assert.deepEqual(away.resets, ['RESET_REASON_NO_TOKEN', 'RESET_REASON_HISTORY_REWRITTEN']);
    // The other replica has a history that reaches the token's versions again, by way of other objects.
    for (let step = 0; step < 100; step++) history.step();
    two.catchUp();
    follow(two, visitor, scheduler);
    assert.equal(visitor.synced, true);
    assert.equal(visitor.resets.length, 1);
  });
});

function world(seed: number) {
  const random = createRandom(seed);
  const scheduler = new ManualScheduler();
  const history = new ReplicaHistory(random);
  const start = (epoch: number): Replica => new Replica(history, random, scheduler, epoch, {});
  return { history, scheduler, start };
}

/** Connects, takes everything, and leaves. */
function follow(replica: Replica, copy: RawCopy, scheduler: ManualScheduler): RawCopy {
  const connection = open(replica, copy, scheduler);
  scheduler.settle();
  connection.close();
  return copy;
}

function open(replica: Replica, copy: RawCopy, scheduler: ManualScheduler) {
  copy.synced = false;
  const connection = { ended: undefined as string | undefined, close: (): void => undefined };
  const opened = replica.feed.open(
    {
      filter: { kinds: [], namespaces: [], nodeNames: [], labels: new Map() },
      view: 'FULL',
      resumeToken: copy.token,
      snapshotOnly: false,
      heartbeatMs: 10_000,
    },
    {
      write: (frame, taken) => {
        copy.apply(frame.message);
        scheduler.soon(taken);
      },
      end: (reason) => {
        connection.ended = reason;
      },
    },
  );
  assert.equal(opened.outcome, 'opened');
  if (opened.outcome === 'opened') connection.close = opened.close;
  return connection;
}
