// A batch says what single lookups say, byte for byte: whether it is read quickly or decoded, whether its answers are
// put together anew or were kept, and whatever happened in the cluster since they were kept.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import protobuf from 'protobufjs';

import { toByteString } from '../../../src/model/byte-string.ts';
import type { Entity, ObjectReference, WorkloadEntity } from '../../../src/model/entities.ts';
import { hiddenNamespace } from '../../../src/model/namespaces/published-namespaces.ts';
import { type BatchRequest, batchResolveAddresses } from '../../../src/rpc/methods/batch-resolve-addresses.ts';
import { BatchScan } from '../../../src/rpc/methods/requests/batch-scan.ts';
import type { CallContext } from '../../../src/rpc/methods/call-context.ts';
import { PodAttributes } from '../../../src/rpc/methods/answers/otel-attributes.ts';
import { MAX_PLAIN_ANSWERS, PlainAnswers } from '../../../src/rpc/methods/answers/plain-answers.ts';
import { encodePlain } from '../../../src/rpc/methods/answers/resolution.ts';
import { type AddressLookup, resolveAddress } from '../../../src/rpc/methods/resolve-address.ts';
import type { UnreadRequest } from '../../../src/rpc/methods/requests/unread-request.ts';
import { CallError } from '../../../src/rpc/errors/call-error.ts';
import { invalidArgument } from '../../../src/rpc/errors/outcomes.ts';
import { toStatus } from '../../../src/rpc/errors/status-details.ts';
import { loadBytesService } from '../../../src/rpc/services.ts';
import { createHistory } from '../../addresses/adversary.ts';
import { pod, service, T0, World } from '../../addresses/world.ts';
import { createRandom, type Random } from '../../random.ts';
import { fakeReference, fakeWorkload } from '../fake-picture.ts';
import { encodeMessage, type Json } from '../serving.ts';

const REQUEST = 'digger.v1.BatchResolveAddressesRequest';
const methods = loadBytesService('digger.v1.LookupService');

describe('a batch', () => {
  const histories = Number(process.env['DIGGER_HISTORIES'] ?? 12);
  const firstSeed = Number(process.env['DIGGER_SEED'] ?? 1);

  it('answers each item in the bytes of a single lookup, whatever happens between two batches', () => {
    const used = { kept: 0, anew: 0 };
    for (let seed = firstSeed; seed < firstSeed + histories; seed += 1) {
      const random = createRandom(seed);
      const history = createHistory(random);
      const ranges = history.areRangesKnown ? {} : { clusterRanges: [] };
      // So few that some of the past is forgotten early.
      const bound = random.chance(0.3) ? { maxClaims: 20 } : {};
      const asked = new Asked(new World({ ...ranges, ...bound }), random);
      const shown = new Map<string, Entity>();
      const told: Entity[] = [];
      const askAt = (offsetMs: number): void => {
        asked.world.at(offsetMs);
        const gap = history.gaps.find(({ sinceMs, untilMs }) => sinceMs <= offsetMs && offsetMs < untilMs);
        asked.world.blindSinceMs = gap === undefined ? undefined : T0 + gap.sinceMs;
        asked.compare(history, `seed ${seed} at ${offsetMs}`);
      };
      // While the watch is down nothing is delivered, and no answer is certain.
      const gaps = history.gaps.map(({ sinceMs, untilMs }) => Math.floor((sinceMs + untilMs) / 2));
      for (const { atMs, gapSinceMs, put, removeName } of history.deliveries) {
        while ((gaps[0] ?? Number.POSITIVE_INFINITY) < atMs) askAt(gaps.shift() ?? 0);
        asked.world.at(atMs);
        // A service takes a port of addresses that pods have, and leaves it.
        if (random.chance(0.1)) {
          const externalAddresses = random.chance(0.5) ? [random.pick(history.addresses)] : [];
          const clusterAddresses = ['10.96.5.5'];
          asked.world.put(
            service('outside', { clusterAddresses, externalAddresses, ports: [{ port: 80, protocol: 'TCP' }] }),
          );
        }
        if (put !== undefined) {
          const entity = asked.stamped(put);
          shown.set(entity.uid, entity);
          asked.world.put(entity, gapSinceMs);
        }
        if (removeName !== undefined) {
          for (const [uid, { name }] of shown) if (name === removeName) shown.delete(uid);
          asked.world.remove(removeName, gapSinceMs);
        }
        // Something about an object that no timeline tells: its entity is another one, and nothing else is.
        told.splice(0, told.length, ...shown.values());
        if (told.length > 0 && random.chance(0.3)) {
          const entity = asked.stamped(random.pick(told));
          shown.set(entity.uid, entity);
          asked.world.put(entity);
        }
        if (random.chance(0.2)) asked.renewWorkloads();
        if (random.chance(0.2)) while (!asked.world.book.timelines.settle()) continue;
        if (random.chance(0.3)) askAt(atMs + random.between(0, 50));
      }
      for (let offsetMs = history.endMs; offsetMs < history.endMs + 700_000; offsetMs += 70_000) {
        askAt(offsetMs);
        asked.world.book.expire();
      }
      used.kept += asked.kept;
      used.anew += asked.anew;
    }
    assert.ok(used.kept > histories * 200, `${used.kept} answers were kept ones, ${used.anew} were not`);
    assert.ok(used.anew > histories * 500, `${used.anew} answers were not kept ones, ${used.kept} were`);
  });

  it('keeps no more answers than its bound, and answers right beyond it', () => {
    const world = new World({ maxClaims: 100_000 });
    const asked = new Asked(world, createRandom(1));
    const address = (at: number): string => `10.${(at >> 16) & 255}.${(at >> 8) & 255}.${at & 255}`;
    const count = MAX_PLAIN_ANSWERS + 4_000;
    for (let at = 0; at < count; at += 1) world.put(asked.stamped(pod(`pod-${at}`, { addresses: [address(at)] })));
    for (let from = 0; from < count; from += 1_000) {
      const queries = Array.from({ length: Math.min(1_000, count - from) }, (_, at) => ({
        address: address(from + at),
      }));
      const request = { queries, view: 'VIEW_BASIC' };
      if (from % 8_000 === 0) asked.compareBytes(request, `from ${from}`);
      else asked.ask(encodeMessage(REQUEST, request));
    }
    assert.ok(asked.plain.count <= MAX_PLAIN_ANSWERS);
    assert.ok(asked.plain.count > MAX_PLAIN_ANSWERS * 0.9, `${asked.plain.count} are kept`);
    for (let at = 0; at < count; at += 1) world.remove(`pod-${at}`);
    assert.equal(asked.plain.count, 0);
    assert.equal(asked.plain.bytes, 0);
  });

  it('is read quickly as it is decoded, or not at all', () => {
    const scan = new BatchScan(8);
    const byte = fc.nat(255);
    const often = (usual: fc.Arbitrary<number>, other: fc.Arbitrary<number>) =>
      fc.oneof({ weight: 30, arbitrary: usual }, { weight: 1, arbitrary: other });
    const small = fc.oneof(fc.nat(130), fc.constantFrom(65_535, 65_536, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1));
    const moment = fc.record({
      seconds: often(fc.nat(2_000_000_000), fc.constantFrom(-1, 2 ** 40, 253_402_300_800)),
      nanos: often(fc.nat(), fc.constant(-1)),
    });
    const address = fc.oneof(
      { weight: 20, arbitrary: fc.constantFrom('10.0.0.1', '010.0.0.1', '10.0.0.256', '', 'fd00::1', 'fd00:0::1') },
      { weight: 1, arbitrary: fc.string({ unit: 'binary' }) },
    );
    const protocol = often(fc.nat(3), fc.constant(4));
    const query = fc.record(
      { address, port: small, protocol, at: moment, until: often(fc.constant(0), fc.constant(1)) },
      { requiredKeys: [] },
    );
    const request = fc.record(
      { queries: fc.array(query, { maxLength: 9 }), view: often(fc.nat(2), fc.constant(3)) },
      { requiredKeys: ['queries'] },
    );
    const change = fc.tuple(fc.nat(), fc.constantFrom('set', 'cut', 'insert'), byte);
    let read = 0;
    fc.assert(
      fc.property(request, fc.array(change, { maxLength: 2 }), fc.boolean(), (message, changes, isChanged) => {
        const queries = message.queries.map(({ until, ...each }) => (until === 1 ? { ...each, until: each.at } : each));
        let bytes = encodeMessage(REQUEST, { ...message, queries });
        if (isChanged) for (const each of changes) bytes = changed(bytes, each);
        if (!scan.read(bytes)) return;
        read += 1;
        const decoded = methods['batchResolveAddresses']?.requestDeserialize(
          bytes,
        ) as unknown as UnreadRequest<BatchRequest>;
        const { queries: asked, view, wait, otelAttributes } = decoded.read();
        assert.equal(wait, null);
        assert.equal(otelAttributes, null);
        assert.equal(scan.view, view);
        assert.equal(scan.count, asked.length);
        for (const [index, { address, port, protocol, at, until }] of asked.entries()) {
          assert.equal(until ?? null, null);
          const given = port === undefined ? { address, protocol } : { address, port, protocol };
          assert.deepEqual(scan.fieldsOf(index), { ...given, at: at && { seconds: at.seconds, nanos: at.nanos } });
        }
      }),
      { numRuns: 3_000 },
    );
    assert.ok(read > 300, `${read} of 3,000 requests were read quickly`);
  });
});

/** A world, and a caller that asks it the same things in several ways. */
class Asked {
  readonly world: World;
  readonly plain: PlainAnswers;
  /** Answers that were taken from those that are kept, and others. */
  kept = 0;
  anew = 0;
  readonly #random: Random;
  readonly #lookup: AddressLookup;
  readonly #workloads = new Map<string, WorkloadEntity>();
  #stalenessMs: number | undefined;
  #stamps = 0;

  constructor(world: World, random: Random) {
    this.world = world;
    this.#random = random;
    const { plain } = world.book;
    this.plain = new PlainAnswers(plain, encodePlain);
    this.#lookup = {
      addresses: world.book,
      plain: this.plain,
      catalog: {
        resolveWorkload: (reference) => this.#workloadOf(reference),
        namespace: () => undefined,
        node: () => undefined,
      },
      networks: {
        find: (address) =>
          address.startsWith('8.')
            ? { network: { name: 'out', kind: '', zone: '', region: '' }, range: '8.0.0.0/8' }
            : undefined,
      },
      cluster: () => CLUSTER,
      podAttributes: new PodAttributes(),
      stalenessMs: () => this.#stalenessMs,
      countLookup: (_outcome, count) => {
        if (count === undefined) this.anew += 1;
        else this.kept += count;
      },
    };
  }

  /** Another state of the object: other bytes, and for some pods a workload or a namespace that is hidden. */
  stamped<E extends Entity>(entity: E): E {
    this.#stamps += 1;
    const name = `${entity.name} as of ${this.#stamps} ${'x'.repeat(this.#random.between(0, 150))}`;
    const own = toByteString(encodeMessage(`digger.v1.${entity.kind}`, { uid: entity.uid, name }));
    if (entity.kind !== 'Pod') return { ...entity, own };
    const owner = fakeReference(`owner-${entity.uid.length % 3}`);
    const isHidden = entity.uid.endsWith('3');
    const workload = entity.uid.endsWith('7') ? { ...owner, namespace: hiddenNamespace('secret') } : owner;
    return { ...entity, own, workload, ...(isHidden ? { namespace: hiddenNamespace('secret') } : undefined) };
  }

  /** Owners change without their pods. */
  renewWorkloads(): void {
    this.#workloads.clear();
    this.#stamps += 1;
    this.#stalenessMs = this.#random.chance(0.2) ? this.#random.between(0, 9_000) : undefined;
  }

  compare(history: ReturnType<typeof createHistory>, told: string): void {
    const random = this.#random;
    const nowMs = this.world.nowMs;
    const toMoment = (ms: number): Json => ({ seconds: Math.floor(ms / 1_000), nanos: (ms % 1_000) * 1_000_000 });
    const query = (): Json => {
      const place = random.chance(0.2) ? random.pick(history.ports) : { address: random.pick(history.addresses) };
      const atMs = random.chance(0.5) ? undefined : nowMs - random.between(-6_000, random.pick([500, 60_000, 700_000]));
      const odd = random.pick(['8.8.8.8', '::ffff:10.1.0.1', 'fd00::1', '127.0.0.1', '10.1.0.01', 'nothing', '']);
      return {
        ...place,
        ...(random.chance(0.1) ? { address: odd } : undefined),
        ...(random.chance(0.2)
          ? { port: random.pick([80, 8080, 0, 70_000]), protocol: random.between(0, 3) }
          : undefined),
        ...(atMs === undefined ? undefined : { at: toMoment(atMs) }),
      };
    };
    const queries = Array.from({ length: 12 }, query);
    const view = random.pick(['VIEW_BASIC', 'VIEW_BASIC', 'VIEW_BASIC', 'VIEW_FULL']);
    // Now and then with an interval, which is not read quickly.
    if (random.chance(0.1)) queries.push({ address: '10.1.0.1', at: toMoment(nowMs - 5_000), until: toMoment(nowMs) });
    // Once to be kept, once from what is kept.
    this.compareBytes({ queries, view }, told);
    this.compareBytes({ queries, view }, told);
  }

  compareBytes(request: { readonly queries: readonly Json[]; readonly view: string }, told: string): void {
    const bytes = encodeMessage(REQUEST, request);
    const answer = this.ask(bytes);
    // A field that is not known says nothing, and has the request decoded.
    assert.deepEqual(answer, this.ask(Buffer.concat([bytes, UNKNOWN_FIELD])), `${told}: not as when it is decoded`);
    const results = fieldsOf(answer);
    for (const [index, query] of request.queries.entries()) {
      const [said] = fieldsOf(results[index]);
      const alone = this.#askAlone(query, request.view, index, this.#lookup);
      assert.deepEqual(said, alone, `${told}: ${JSON.stringify(query)}`);
      const anew = this.#askAlone(query, request.view, index, { ...this.#lookup, plain: undefined });
      assert.deepEqual(alone, anew, `${told}: not as when nothing is kept: ${JSON.stringify(query)}`);
    }
  }

  ask(bytes: Buffer): Buffer {
    const unread = methods['batchResolveAddresses']?.requestDeserialize(
      bytes,
    ) as unknown as UnreadRequest<BatchRequest>;
    const answer = batchResolveAddresses(unread, this.#lookup, this.#call());
    assert.ok(!(answer instanceof Promise));
    return Buffer.from(answer);
  }

  #askAlone(query: Json, view: string, index: number, lookup: AddressLookup): Buffer | undefined {
    const request = methods['resolveAddress']?.requestDeserialize(
      encodeMessage('digger.v1.ResolveAddressRequest', { ...query, view }),
    );
    try {
      const answer = resolveAddress(request as never, lookup, this.#call());
      assert.ok(!(answer instanceof Promise));
      return fieldsOf(Buffer.from(answer))[0];
    } catch (error) {
      assert.ok(error instanceof CallError);
      const violations = error.facts.violations?.map((each) => ({ ...each, field: `queries[${index}].${each.field}` }));
      const status = toStatus(invalidArgument(violations ?? []));
      return encodeMessage('google.rpc.Status', status as unknown as Json);
    }
  }

  #call(): CallContext {
    return {
      nowMs: () => this.world.nowMs,
      charge: () => undefined,
      turn: () => undefined,
      waitSignal: () => AbortSignal.abort(),
      throwIfOver: () => undefined,
      draining: false,
    };
  }

  #workloadOf(reference: ObjectReference): WorkloadEntity {
    let workload = this.#workloads.get(reference.uid);
    if (workload === undefined) {
      const name = `${reference.name} as of ${this.#stamps}`;
      workload = { ...fakeWorkload(reference), own: toByteString(encodeMessage('digger.v1.Workload', { name })) };
      this.#workloads.set(reference.uid, workload);
    }
    return workload;
  }
}

const CLUSTER = { name: 'prod', uid: 'uid-of-the-cluster' };

/** What the fields of a message hold, as bytes, in their order; all of them have a length in front. */
function fieldsOf(message: Buffer = Buffer.alloc(0)): Buffer[] {
  const reader = protobuf.Reader.create(message);
  const fields: Buffer[] = [];
  while (reader.pos < reader.len) {
    reader.uint32();
    fields.push(Buffer.from(reader.bytes()));
  }
  return fields;
}

/** Field 99, a number. */
const UNKNOWN_FIELD = Buffer.from([0x98, 0x06, 0x01]);

function changed(bytes: Buffer, [at, verb, value]: readonly [number, string, number]): Buffer {
  const index = bytes.length === 0 ? 0 : at % bytes.length;
  switch (verb) {
    case 'set': {
      const copy = Buffer.from(bytes);
      if (copy.length > 0) copy[index] = value;
      return copy;
    }
    case 'cut':
      return bytes.subarray(0, index);
    default:
      return Buffer.concat([bytes.subarray(0, index), Buffer.from([value]), bytes.subarray(index)]);
  }
}
