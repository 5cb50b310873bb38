// A consumer's copy of the timelines, kept from decoded frames alone as proto/digger/v1/feed.proto tells it to, and
// read with the rules of reading. Knows nothing of claims and of how frames are made. The pictures of the replica for
// TypeScript are kept from the same frames beside it, and have to answer alike.

import assert from 'node:assert/strict';
import { FollowedPicture } from '../../src/client/followed-picture.ts';
import { Picture } from '../../src/client/picture.ts';
import { DEFAULT_BOUNDS } from '../../src/client/replica.ts';
import type { ReplicaHolder } from '../../src/client/holder-message.ts';
import { SharedValues } from '../../src/client/shared-values.ts';
import { type Cidr, familyOf, parseCidr } from '../../src/model/ip/cidr.ts';
import type { Protocol } from '../../src/model/entities.ts';
import type { AddressFacts } from '../../src/timelines/facts.ts';
import { Prefixes } from '../../src/timelines/prefixes.ts';
import { type Question, resolve, Verdict } from '../../src/timelines/resolve.ts';
import type { TimelineSource } from '../../src/timelines/source.ts';
import { TimelineStore } from '../../src/timelines/store.ts';
import {
  AT_EDGE,
  type AddressRole,
  CERTAIN,
  type Doubt,
  type PortRange,
  type Span,
  type TimelineHolder,
  type TimelinePlace,
  UNCERTAIN,
} from '../../src/timelines/timeline.ts';
import { messageType } from '../../src/wire/schema.ts';

const WatchResponse = messageType('digger.v1.WatchResponse');

export interface CopiedHolder extends TimelineHolder {
  readonly namespace: string;
  readonly workload: string | undefined;
}

/** Decoded messages are taken as they come: what is not as the contract says fails where it is used. */
type Decoded = ReturnType<typeof JSON.parse>;

export class Copy implements TimelineSource<CopiedHolder> {
  facts!: AddressFacts;
  token: Uint8Array = new Uint8Array();
  isSynced = false;
  resets = 0;
  timelines = 0;
  readonly entities = new Map<string, string>();
  readonly formers = new Set<string>();
  readonly #store = new TimelineStore<CopiedHolder>();
  readonly #ranges = new Map<string, Cidr>();
  #prefixes = new Prefixes();
  #complete = { ipv4: false, ipv6: false };
  readonly #verdict = new Verdict<CopiedHolder>();
  readonly #hasTimelines: boolean;
  readonly #shared = new SharedValues();
  /** It never waits for a heartbeat: the clock is the one of the test. */
  readonly #replica = new FollowedPicture(1e12, {
    createPicture: () => new Picture({ ...DEFAULT_BOUNDS, maxSpans: 1e6 }, this.#shared, true),
    changed: () => undefined,
    reset: () => undefined,
    synced: () => undefined,
  });

  /** `false`: none were asked for, which a replica would not bear. */
  constructor(hasTimelines = true) {
    this.#hasTimelines = hasTimelines;
  }

  get size(): number {
    return this.#store.size;
  }

  apply(message: Uint8Array): void {
    if (this.#hasTimelines) this.#replica.frame(Buffer.from(message));
    const frame: Decoded = WatchResponse.toObject(WatchResponse.decode(message), {
      longs: Number,
      enums: String,
      arrays: true,
    });
    if (frame.reset !== undefined) {
      this.#store.clear();
      this.#ranges.clear();
      this.#prefixes = new Prefixes();
      this.entities.clear();
      this.formers.clear();
      this.isSynced = false;
      this.resets += 1;
    }
    for (const change of frame.changes?.changes ?? []) this.#apply(change);
    if (frame.synced !== undefined) this.isSynced = true;
    this.token = frame.resumeToken;
  }

  /** Outcome, then uid, role, interval, doubt and workload of each holder. */
  ask(question: Question, nowMs: number): string[] {
    resolve(this, question, nowMs, this.#verdict);
    const answer = told(this.#verdict, ({ workload }) => workload);
    const replica = this.isSynced ? this.#replica.at(nowMs) : undefined;
    if (replica !== undefined) {
      const verdict = new Verdict<ReplicaHolder>();
      resolve(replica, question, nowMs, verdict);
      const given = told(verdict, ({ workload }) => workload?.uid);
      assert.deepEqual(given, answer, `the replica for TypeScript: ${JSON.stringify(question)}`);
    }
    return answer;
  }

  readonly ofAddress = (address: string) => this.#store.ofAddress(address);
  readonly hasPorts = (address: string) => this.#store.hasPorts(address);
  readonly ofPort: TimelineSource<CopiedHolder>['ofPort'] = (...asked) => this.#store.ofPort(...asked);
  readonly ofPorts = (address: string) => this.#store.ofPorts(address);
  readonly ofNodePort: TimelineSource<CopiedHolder>['ofNodePort'] = (...asked) => this.#store.ofNodePort(...asked);
  readonly ofEveryNodePort: TimelineSource<CopiedHolder>['ofEveryNodePort'] = (...asked) =>
    this.#store.ofEveryNodePort(...asked);
  readonly ofNode = (node: string) => this.#store.ofNode(node);
  readonly isInRange = (address: string) => this.#prefixes.contain(address);
  readonly areRangesComplete = (family: 'ipv4' | 'ipv6') => this.#complete[family];

  #apply(change: Decoded): void {
    if (change.upsert !== undefined) {
      const [kind, entity] = Object.entries<Decoded>(change.upsert)[0] ?? ['', {}];
      this.entities.set(`${kind} ${entity.namespace ?? ''} ${entity.name}`, entity.uid);
    } else if (change.removal !== undefined) {
      const { kind, namespace = '', name, uid } = change.removal;
      const key = `${kind.replace('ENTITY_KIND_', '').toLowerCase()} ${namespace} ${name}`;
      if (this.entities.get(key) === uid) this.entities.delete(key);
    } else if (change.former !== undefined) {
      const [, entity] = Object.entries<Decoded>(change.former)[0] ?? ['', {}];
      this.formers.add(entity.uid);
    } else if (change.forgotten !== undefined) {
      this.formers.delete(change.forgotten.uid);
    } else if (change.facts !== undefined) this.#applyFacts(change.facts);
    else if (change.timeline !== undefined) this.#applyTimeline(change.timeline);
    else assert.fail(`a change of no kind: ${JSON.stringify(change)}`);
  }

  #applyFacts(facts: Decoded): void {
    this.facts = {
      beganMs: facts.beganMs ?? 0,
      historyMs: facts.historyMs ?? 0,
      blind: facts.blind.map(({ sinceMs = 0, untilMs = 0 }: Decoded) => ({ sinceMs, untilMs })),
      blindSinceMs: facts.blindSinceMs,
      unknownUntilMs: facts.unknownUntilMs ?? 0,
      incompleteUntilMs: facts.incompleteUntilMs ?? Number.NEGATIVE_INFINITY,
      reportDelayMs: facts.reportDelayMs ?? 0,
      isPartial: facts.partial ?? false,
    };
    this.#complete = { ipv4: facts.rangesCompleteIpv4 ?? false, ipv6: facts.rangesCompleteIpv6 ?? false };
  }

  #applyTimeline(timeline: Decoded): void {
    this.timelines += 1;
    const { place, known = false } = timeline;
    if (place.range !== undefined) {
      const cidr = this.#ranges.get(place.range);
      if (known && cidr === undefined) {
        const parsed = parseCidr(place.range);
        assert.ok(parsed, place.range);
        assert.ok(familyOf(parsed.network));
        this.#ranges.set(place.range, parsed);
        this.#prefixes.add(parsed);
      } else if (!known && cidr !== undefined) {
        this.#ranges.delete(place.range);
        this.#prefixes.delete(cidr);
      }
      return;
    }
    const holders: CopiedHolder[] = timeline.holders.map(toHolder);
    const spans: Span<CopiedHolder>[] = timeline.spans.map((span: Decoded) => toSpan(span, holders));
    const nodes = timeline.nodes.map(({ fromMs = 0, toMs = Number.POSITIVE_INFINITY, names }: Decoded) => ({
      fromMs,
      toMs,
      names,
    }));
    const isInCluster = timeline.inCluster ?? false;
    const cutAtMs = timeline.cutAtMs ?? Number.NEGATIVE_INFINITY;
    const isNothing = spans.length === 0 && nodes.length === 0 && !isInCluster && timeline.cutAtMs === undefined;
    this.#store.set(toPlace(place), isNothing ? undefined : { spans, nodes, isInCluster, cutAtMs });
  }
}

function told<H extends TimelineHolder>(verdict: Verdict<H>, workloadOf: (holder: H) => string | undefined): string[] {
  return [
    verdict.outcome,
    ...verdict.holders.map((holder, index) => {
      const { uid, role, validFromMs, validToMs } = holder;
      const interval = `${validFromMs}–${validToMs ?? ''}`;
      return `${uid} ${role} ${interval} ${verdict.isUncertain(index)} ${workloadOf(holder) ?? ''}`;
    }),
  ];
}

function toPlace(place: Decoded): TimelinePlace {
  const { address, node, port = 0, manyPorts = false } = place;
  const protocol = toProtocol(place.protocol);
  if (manyPorts) return { of: 'ports of an address', address };
  if (node !== undefined && port > 0) return { of: 'port of a node', node, address, port, protocol };
  if (node !== undefined) return { of: 'node', node };
  if (address === undefined) return { of: 'port of every node', port, protocol };
  return port > 0 ? { of: 'port of an address', address, port, protocol } : { of: 'address', address };
}

function toProtocol(text: string | undefined): Protocol {
  return (text ?? '').replace('PROTOCOL_', '') as Protocol;
}

function toHolder(holder: Decoded): CopiedHolder {
  const kind = holder.kind.replace('ENTITY_KIND_', '').toLowerCase();
  return {
    kind: (kind.charAt(0).toUpperCase() + kind.slice(1)) as TimelineHolder['kind'],
    uid: holder.uid,
    namespace: holder.namespace ?? '',
    name: holder.name,
    role: holder.role.replace('ADDRESS_ROLE_', '') as AddressRole,
    validFromMs: holder.validFromMs ?? 0,
    validToMs: holder.validToMs,
    doubtedFromMs: holder.doubtedFromMs,
    startedMs: holder.startedMs ?? 0,
    seenMs: holder.seenMs ?? 0,
    createdMs: holder.createdMs ?? 0,
    workload: holder.workload?.uid,
    ports: holder.ports.map(
      ({ first, last, protocol }: Decoded): PortRange => ({ first, last, protocol: toProtocol(protocol) }),
    ),
    arePortsInexact: holder.portsInexact ?? false,
  };
}

function toSpan(span: Decoded, holders: readonly CopiedHolder[]): Span<CopiedHolder> {
  const named: number[] = span.holders;
  const doubtOf = (index: number): Doubt =>
    span.uncertain.includes(index) ? UNCERTAIN : span.atEdge.includes(index) ? AT_EDGE : CERTAIN;
  return {
    fromMs: span.fromMs ?? 0,
    toMs: span.toMs ?? Number.POSITIVE_INFINITY,
    is: span.presumed ? 'presumed' : span.unknownNode ? 'unknown-node' : span.nearMs === undefined ? 'holds' : 'near',
    holders: named.map((index) => holders[index] as CopiedHolder),
    doubts: named.map(doubtOf),
    nearMs: span.nearMs ?? 0,
    hasMore: span.more ?? false,
  };
}
