// A little cluster for tests of addresses: entities are put and removed at moments of a clock that the test owns. Every
// answer is held against that of the model (`oracle.ts`).

import assert from 'node:assert/strict';
import { type ByteString, NO_BYTES, toByteString } from '../../src/model/byte-string.ts';
import { AddressBook, type AddressBookOptions } from '../../src/addresses/address-book.ts';
import type { AddressAnswer } from '../../src/addresses/reader.ts';
import { PLAIN_POD, PLAIN_SERVICE } from '../entities.ts';
import { ask } from './oracle.ts';
import { messageType } from '../../src/wire/schema.ts';
import type { ServiceCidrRecord } from '../../src/model/kubernetes/records.ts';
import type { Entity, NodeEntity, ObjectReference, PodEntity, ServiceEntity } from '../../src/model/entities.ts';

/** Monday, whole second. */
export const T0 = Date.UTC(2026, 10, 23, 12, 0, 0);

const BYTES = { own: bytesOf('x'.repeat(8)), joined: NO_BYTES, values: NO_BYTES, rest: NO_BYTES };

/** Text as if it were encoded. */
export function bytesOf(text: string): ByteString {
  return toByteString(Buffer.from(text));
}

export function pod(name: string, facts: Partial<PodEntity> = {}): PodEntity {
  const uid = facts.uid ?? `uid-${name}`;
  const self: ObjectReference = {
    apiVersion: 'v1',
    kind: 'Pod',
    namespace: 'default',
    name,
    uid,
    incomplete: false,
  };
  return {
    ...PLAIN_POD,
    namespace: 'default',
    name,
    workload: self,
    ...BYTES,
    ...facts,
    uid,
  };
}

export function service(name: string, facts: Partial<ServiceEntity> = {}): ServiceEntity {
  return {
    ...PLAIN_SERVICE,
    uid: `uid-${name}`,
    namespace: 'default',
    name,
    ...BYTES,
    ...facts,
  };
}

export function node(name: string, facts: Partial<NodeEntity> = {}): NodeEntity {
  return {
    kind: 'Node',
    uid: `uid-${name}`,
    namespace: '',
    name,
    creationTimeMs: undefined,
    deletionTimeMs: undefined,
    addresses: [],
    podRanges: [],
    ...BYTES,
    ...facts,
  };
}

/** With a real message instead of ballast. */
export function withBytes<T extends Entity>(entity: T): T {
  const { kind, uid, name } = entity;
  return { ...entity, own: toByteString(Buffer.from(messageType(`digger.v1.${kind}`).encode({ uid, name }).finish())) };
}

export function serviceCidr(name: string, cidrs: readonly string[]): ServiceCidrRecord {
  const identity = { namespace: '', name, uid: `uid-${name}`, labels: {}, annotations: {} };
  const unset = { creationTimeMs: undefined, deletionTimeMs: undefined, controller: undefined };
  return { type: 'ServiceCidr', ...identity, ...unset, cidrs };
}

export class World {
  nowMs = T0;
  blindSinceMs: number | undefined;
  readonly book: AddressBook;
  readonly #slackMs: number;
  readonly #entities = new Map<string, Entity>();
  #sequence = 0;

  /** `startMs`: offset of the clock at which the book opens. */
  constructor(
    { opened = true, ...options }: Partial<AddressBookOptions> & { readonly opened?: boolean } = {},
    startMs = 0,
  ) {
    this.at(startMs);
    this.#slackMs = options.slackMs ?? 500;
    this.book = new AddressBook({
      now: () => this.nowMs,
      slackMs: 500,
      retentionMs: 600_000,
      maxClaims: 1_000,
      maxBytes: 10_000_000,
      maxWaiters: 10,
      clusterRanges: ['10.0.0.0/8', 'fd00::/8'],
      blindSinceMs: () => this.blindSinceMs,
      ...options,
    });
    if (opened) this.book.open();
  }

  /** Moves the clock to T0 plus this many ms. */
  at(offsetMs: number): this {
    this.nowMs = T0 + offsetMs;
    return this;
  }

  /** Adds or updates entities; `gapSince`: offset of the last contact before a gap that a relist closed. */
  put(entities: Entity | readonly Entity[], gapSince?: number): this {
    for (const entity of [entities].flat()) {
      const before = this.#entities.get(entity.uid);
      this.#entities.set(entity.uid, entity);
      this.#apply(before, entity, gapSince);
    }
    return this;
  }

  remove(name: string, gapSince?: number): this {
    for (const [uid, entity] of this.#entities) {
      if (entity.name !== name) continue;
      this.#entities.delete(uid);
      this.#apply(entity, undefined, gapSince);
      return this;
    }
    throw new Error(`nothing is called ${name}`);
  }

  /** Adds or updates ranges of services. */
  putRange(record: ServiceCidrRecord): this {
    this.book.serviceRanges.upsert(record, '', { atMs: this.nowMs });
    return this;
  }

  /** These are all ranges of services that there are. */
  async listRanges(records: readonly ServiceCidrRecord[]): Promise<void> {
    const replacement = this.book.serviceRanges.beginReplace();
    for (const record of records) replacement.add(record);
    await replacement.commit('', { atMs: this.nowMs });
  }

  /** A watch was down since `gapSince` and a list closed the gap; nothing had changed. */
  relistOf(resource: string, gapSince: number): void {
    const seen = { atMs: this.nowMs, sinceMs: T0 + gapSince, relisted: true as const };
    this.book.apply({ changes: [], seen, position: { resource, resourceVersion: '1' } });
  }

  ask(address: string, options: { port?: number; protocol?: 'TCP' | 'UDP'; at?: number } = {}): AddressAnswer {
    const { at, ...rest } = options;
    const question = { address, ...rest, ...(at === undefined ? {} : { atMs: T0 + at }) };
    const answer = this.book.resolve(question);
    const expected = ask(this.book, { slackMs: this.#slackMs }, question, this.nowMs);
    // Of an address with very many holders less of the past is kept.
    const { historySinceMs } = answer;
    assert.ok(historySinceMs >= expected.historySinceMs, 'the history of an address is not longer than that of all');
    assert.deepEqual(answer, { ...expected, historySinceMs });
    return answer;
  }

  /** The answer in a word: the holder's name, `a|b` when ambiguous, else the outcome; `?` marks an uncertain holder. */
  who(address: string, options: { port?: number; protocol?: 'TCP' | 'UDP'; at?: number } = {}): string {
    const answer = this.ask(address, options);
    switch (answer.outcome) {
      case 'RESOLVED':
        return `${answer.holder.entity.name}${answer.holder.uncertain ? '?' : ''}`;
      case 'AMBIGUOUS':
        return answer.candidates.map((candidate) => candidate.entity.name).join('|');
      default:
        return answer.outcome;
    }
  }

  #apply(before: Entity | undefined, after: Entity | undefined, gapSince: number | undefined): void {
    this.book.apply({
      changes: [{ sequence: ++this.#sequence, before, after }],
      seen: {
        atMs: this.nowMs,
        ...(gapSince === undefined ? {} : { sinceMs: T0 + gapSince, relisted: true as const }),
      },
      position: { resource: 'pods', resourceVersion: `${this.#sequence}` },
    });
  }
}
