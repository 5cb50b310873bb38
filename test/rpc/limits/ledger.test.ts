// The ledger as a state machine: whatever calls do, its sums are those of its entries, its bounds hold, and who gives
// way is who kept us waiting longest.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';

import {
  type EndReason,
  type Full,
  Ledger,
  LedgerEntry,
  MAX_ENDS_AT_ONCE,
  TURNS,
} from '../../../src/rpc/limits/ledger.ts';

const LIMITS = { maxBytes: 1_000, maxCallerBytes: 600 };

class Call extends LedgerEntry {
  readonly id: number;
  readonly mayPause: boolean;
  onEnd: (() => void) | undefined;
  readonly ended: { readonly phase: string; readonly reason: EndReason; readonly full: Full }[] = [];
  constructor(id: number, mayPause = false) {
    super();
    this.id = id;
    this.mayPause = mayPause;
  }
  end(phase: 'arriving' | 'leaving', reason: EndReason, full: Full): void {
    this.ended.push({ phase, reason, full });
    this.onEnd?.();
  }
}

function passRequestTurn(ledger: Ledger): void {
  ledger.passRequestTurn();
  ledger.endLate();
}

function passAnswerTurn(ledger: Ledger): void {
  ledger.passAnswerTurn();
  ledger.endLate();
}

function opened(ledger: Ledger, count: number, caller: string, bytes: number): Call[] {
  return Array.from({ length: count }, (_, id) => {
    const call = new Call(id);
    ledger.open(call, caller, bytes);
    return call;
  });
}

describe('at a bound', () => {
  it('the request that has been arriving for longest goes', () => {
    const ledger = new Ledger(LIMITS);
    const [first, second] = opened(ledger, 5, 'a', 100);
    opened(ledger, 5, 'b', 100);
    assert.equal(ledger.open(new Call(9), 'c', 100), undefined);
    assert.deepEqual(first?.ended, [{ phase: 'arriving', reason: 'room', full: 'replica' }]);
    assert.deepEqual(second?.ended, []);
    assert.equal(ledger.bytes, 1_000);
  });

  it('of a caller, its own calls end, and no other caller is affected', () => {
    const ledger = new Ledger(LIMITS);
    const [other] = opened(ledger, 1, 'b', 100);
    const [first] = opened(ledger, 6, 'a', 100);
    assert.equal(ledger.open(new Call(9), 'a', 100), undefined);
    assert.deepEqual(first?.ended, [{ phase: 'arriving', reason: 'room', full: 'caller' }]);
    assert.deepEqual(other?.ended, []);
  });

  it('of a caller, the calls of others are not even looked at, however many they are', () => {
    const ledger = new Ledger({ maxBytes: 1_000_000, maxCallerBytes: 600 });
    let looks = 0;
    for (let count = 0; count < 100; count++) {
      for (const call of opened(ledger, 5, `other ${count}`, 100)) {
        const { caller } = call;
        Object.defineProperty(call, 'caller', { get: () => ((looks += 1), caller) });
      }
    }
    const calls = opened(ledger, 20, 'a', 100);
    assert.deepEqual(
      calls.map(({ ended }) => ended.length),
      calls.map((_, index) => (index < 14 ? 1 : 0)),
      'the oldest first',
    );
    assert.equal(looks, 0);
  });

  it('of a caller that is known late, its calls go in the order in which they came', () => {
    const ledger = new Ledger(LIMITS);
    const [first, second] = opened(ledger, 2, 'address', 100);
    const [third] = opened(ledger, 1, 'user', 100);
    assert.ok(first && second && third);
    ledger.assign(second, 'user');
    ledger.assign(first, 'user');
    opened(ledger, 4, 'user', 100);
    assert.deepEqual([first.ended.length, second.ended.length, third.ended.length], [1, 0, 0]);
    opened(ledger, 1, 'user', 100);
    assert.deepEqual([second.ended.length, third.ended.length], [1, 0]);
    opened(ledger, 1, 'user', 100);
    assert.equal(third.ended.length, 1);
  });

  it('of a call that is one of many, no call of its caller ends that may have come with it, and older ones do', () => {
    let nowMs = 0;
    const ledger = new Ledger(LIMITS, () => nowMs);
    const [first] = opened(ledger, 6, 'a', 100);
    nowMs = 250;
    assert.equal(ledger.open(new Call(9), 'a', 50, true), undefined);
    assert.deepEqual(first?.ended, [{ phase: 'arriving', reason: 'room', full: 'caller' }]);
    const burst = new Ledger(LIMITS, () => nowMs);
    const [together] = opened(burst, 6, 'a', 100);
    nowMs = 499;
    assert.equal(burst.open(new Call(9), 'a', 50, true), 'caller');
    assert.deepEqual(together?.ended, []);
  });

  it('an answer that waits to be taken for longer goes before a request that came later, and the other way round', () => {
    const ledger = new Ledger(LIMITS);
    const [answered] = opened(ledger, 1, 'a', 100);
    assert.ok(answered);
    ledger.requestCompleted(answered);
    ledger.answer(answered, 300);
    const [arriving] = opened(ledger, 1, 'b', 400);
    ledger.open(new Call(9), 'c', 300);
    assert.deepEqual(answered.ended, [{ phase: 'leaving', reason: 'room', full: 'replica' }]);
    assert.deepEqual(arriving?.ended, []);
  });

  it('when nothing waits for its caller, what is new is told so, is counted, and goes first', () => {
    const ledger = new Ledger(LIMITS);
    for (const call of [...opened(ledger, 5, 'a', 100), ...opened(ledger, 5, 'b', 100)]) ledger.requestCompleted(call);
    const late = new Call(9);
    assert.equal(ledger.open(late, 'c', 100), 'replica');
    assert.equal(ledger.bytes, 1_100);
    ledger.answer(late, 10);
    assert.equal(ledger.open(new Call(10), 'd', 100), 'replica');
    assert.deepEqual(late.ended, [{ phase: 'leaving', reason: 'room', full: 'replica' }]);
  });

  it('a call that turns out to be of a caller without room is told so', () => {
    const ledger = new Ledger(LIMITS);
    for (const call of opened(ledger, 6, 'user:a', 100)) ledger.requestCompleted(call);
    const call = new Call(9);
    assert.equal(ledger.open(call, 'address:1', 100), undefined);
    assert.equal(ledger.assign(call, 'user:a'), 'caller');
    ledger.close(call);
    assert.equal(ledger.assign(call, 'user:a'), undefined, 'over: on no account');
    assert.equal(ledger.callers, 1);
  });
});

describe('time', () => {
  it('ends a few of those at once that are late together, and each once, whatever becomes of it', () => {
    for (const stays of [false, true]) {
      const ledger = new Ledger({ maxBytes: 1e9, maxCallerBytes: 1e9 });
      const calls = opened(ledger, 100, 'a', 10);
      if (!stays) for (const call of calls) call.onEnd = () => ledger.close(call);
      for (let turn = 0; turn <= TURNS; turn++) ledger.passRequestTurn();
      const ended = (): number => calls.filter((call) => call.ended.length > 0).length;
      for (let at = MAX_ENDS_AT_ONCE; at < 100; at += MAX_ENDS_AT_ONCE) {
        assert.equal(ledger.endLate(), true, 'there are more');
        assert.equal(ended(), at);
      }
      assert.equal(ledger.endLate(), false);
      assert.equal(ended(), 100);
      assert.ok(calls.every((call) => call.ended.length === 1));
    }
    const ledger = new Ledger({ maxBytes: 1e9, maxCallerBytes: 1e9 });
    const calls = opened(ledger, 100, 'a', 10);
    for (const call of calls) ledger.answer(call, 10);
    for (let turn = 0; turn <= TURNS; turn++) ledger.passAnswerTurn();
    let turns = 1;
    while (ledger.endLate()) turns += 1;
    assert.deepEqual([turns, ledger.calls], [Math.ceil(100 / MAX_ENDS_AT_ONCE), 0]);
  });

  it('ends requests after all turns and not before, but for streams that may be silent', () => {
    const ledger = new Ledger(LIMITS);
    const [call] = opened(ledger, 1, 'a', 10);
    const stream = new Call(2, true);
    ledger.open(stream, 'a', 10);
    for (let turn = 0; turn < TURNS; turn++) passRequestTurn(ledger);
    assert.deepEqual(call?.ended, []);
    passRequestTurn(ledger);
    assert.deepEqual(call?.ended, [{ phase: 'arriving', reason: 'late', full: 'replica' }]);
    assert.deepEqual(stream.ended, []);
  });

  it('counts from the moment at which an answer was sent', () => {
    const ledger = new Ledger(LIMITS);
    const [call] = opened(ledger, 1, 'a', 10);
    assert.ok(call);
    for (let turn = 0; turn < TURNS; turn++) passAnswerTurn(ledger);
    ledger.answer(call, 10);
    for (let turn = 0; turn < TURNS; turn++) passAnswerTurn(ledger);
    assert.deepEqual(call.ended, []);
    passAnswerTurn(ledger);
    assert.deepEqual(call.ended, [{ phase: 'leaving', reason: 'late', full: 'replica' }]);
    assert.equal(ledger.bytes, 0);
  });
});

type Step =
  | { readonly do: 'open'; readonly caller: string; readonly bytes: number }
  | { readonly do: 'assign'; readonly call: number; readonly caller: string }
  | { readonly do: 'grow' | 'answer'; readonly call: number; readonly bytes: number }
  | { readonly do: 'complete' | 'goOn' | 'close'; readonly call: number }
  | { readonly do: 'late' };

const caller = fc.constantFrom('a', 'b', 'c', 'd');
const bytes = fc.integer({ min: 0, max: 300 });
const call = fc.nat(30);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('open' as const), caller, bytes }) },
  fc.record({ do: fc.constant('assign' as const), call, caller }),
  fc.record({ do: fc.constantFrom('grow' as const, 'answer' as const), call, bytes }),
  fc.record({ do: fc.constantFrom('complete' as const, 'goOn' as const, 'close' as const), call }),
  fc.constant({ do: 'late' as const }),
);

it('whatever calls do: sums are those of the entries, bounds hold but for what was told of them, nothing is left', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const ledger = new Ledger(LIMITS);
      const calls: Call[] = [];
      for (const each of steps) {
        const known = 'call' in each ? calls[each.call % Math.max(1, calls.length)] : undefined;
        let full: Full | undefined;
        let last: Call | undefined = known;
        switch (each.do) {
          case 'open':
            last = new Call(calls.length);
            calls.push(last);
            full = ledger.open(last, each.caller, each.bytes);
            break;
          case 'assign':
            if (known) full = ledger.assign(known, each.caller);
            break;
          case 'grow':
            if (known) full = ledger.grow(known, each.bytes);
            break;
          case 'answer':
            // As with an answer that is larger than the bound: it stays, whatever else has to go.
            if (known) ledger.answer(known, each.bytes);
            break;
          case 'complete':
            if (known) ledger.requestCompleted(known);
            break;
          case 'goOn':
            if (known) ledger.goOn(known, true);
            break;
          case 'close':
            if (known) ledger.close(known);
            break;
          case 'late':
            passAnswerTurn(ledger);
            break;
        }
        const open = calls.filter(({ phase }) => phase !== 'over');
        assert.equal(ledger.calls, open.length);
        assert.equal(
          ledger.bytes,
          open.reduce((sum, entry) => sum + entry.bytes, 0),
        );
        assert.equal(ledger.callers, new Set(open.map((entry) => entry.caller.name)).size);
        for (const phase of ['arriving', 'leaving'] as const) {
          assert.equal(ledger[phase], open.filter((entry) => entry.phase === phase).length);
        }
        for (const entry of open) {
          const own = open.filter((other) => other.caller.name === entry.caller.name);
          assert.equal(
            entry.caller.bytes,
            own.reduce((sum, other) => sum + other.bytes, 0),
          );
        }
        // Not told "full": within the bound, or nothing but this call could have gone.
        if (full === undefined && last !== undefined && last.phase !== 'over' && each.do === 'open') {
          assert.ok(ledger.bytes <= LIMITS.maxBytes);
          assert.ok(last.caller.bytes <= LIMITS.maxCallerBytes);
        }
        // Reported as full: no call could be ended.
        if (full === 'replica')
          assert.equal(open.filter(({ phase }) => phase !== 'held').filter((entry) => entry !== last).length, 0);
      }
      for (const each of calls) ledger.close(each);
      assert.deepEqual([ledger.bytes, ledger.calls, ledger.callers], [0, 0, 0]);
    }),
    { numRuns: 500 },
  );
});
