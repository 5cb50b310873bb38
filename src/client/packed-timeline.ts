// The timeline of an address with one holder, in a quarter of the memory: nearly every address of a cluster has such a
// one. Unpacked it is what was packed, but for being other objects.
//
// Moments are told from the start of the claim on, because most lie seconds from it; a uid that is a UUID takes the 16
// bytes that it is. What does not fit this form (several holders, ports, nodes) stays as it is.

import { type ByteString, toByteString } from '../model/byte-string.ts';
import { AT_EDGE, CERTAIN, type Doubt, type Span, type Timeline, UNCERTAIN } from '../timelines/timeline.ts';
import { HOLDER_KINDS, type ReplicaHolder, ROLES, type ToldReference } from './holder-message.ts';

/** See the head of the file. */
export class PackedTimeline {
  readonly #bytes: ByteString;
  readonly #namespace: string;
  readonly #workload: ToldReference | undefined;

  private constructor(bytes: ByteString, namespace: string, workload: ToldReference | undefined) {
    this.#bytes = bytes;
    this.#namespace = namespace;
    this.#workload = workload;
  }

  /** Unset: it does not fit the form. */
  static pack(timeline: Timeline<ReplicaHolder>): PackedTimeline | undefined {
    const { spans, nodes, isInCluster, cutAtMs } = timeline;
    const holder = spans.at(-1)?.holders[0];
    if (holder === undefined || nodes.length > 0 || cutAtMs !== Number.NEGATIVE_INFINITY) return undefined;
    if (holder.ports !== undefined || spans.length > MAX_SPANS || !ASCII.test(holder.name)) return undefined;
    const { validFromMs: base } = holder;
    const out = new Packer();
    const uuid = UUID.test(holder.uid);
    const [kind, role] = [HOLDER_KINDS.indexOf(holder.kind), ROLES.indexOf(holder.role)];
    // A byte has two bits for the one and four for the other.
    if (kind > 3 || role > 15) return undefined;
    const optional = [holder.validToMs, holder.doubtedFromMs, holder.startedMs, holder.seenMs, holder.createdMs];
    out.byte(kind | (role << 2) | (isInCluster ? IN_CLUSTER : 0));
    const further = (uuid ? IS_UUID : 0) | (holder.isHidden ? IS_HIDDEN : 0);
    out.byte(optional.reduce<number>((bits, ms, index) => (isGiven(ms) ? bits | (1 << index) : bits), further));
    if (!out.unsigned(base)) return undefined;
    for (const ms of optional) if (isGiven(ms) && !out.signed(ms - base)) return undefined;
    if (uuid) out.hex(holder.uid.replaceAll('-', ''));
    else if (!ASCII.test(holder.uid)) return undefined;
    else out.text(holder.uid);
    out.text(holder.name);
    for (const { fromMs, toMs, is, holders, doubts, nearMs, hasMore } of spans) {
      if (hasMore || holders.length !== 1 || holders[0] !== holder || is === 'unknown-node') return undefined;
      const isOpen = toMs === Number.POSITIVE_INFINITY;
      const isNear = is === 'near';
      if (!isNear && nearMs !== 0) return undefined;
      out.byte(
        (doubts[0] as number) | (isOpen ? IS_OPEN : 0) | (isNear ? IS_NEAR : 0) | (is === 'presumed' ? IS_PRESUMED : 0),
      );
      if (!out.signed(fromMs - base)) return undefined;
      if (!isOpen && !out.unsigned(toMs - fromMs)) return undefined;
      if (isNear && !out.signed(nearMs - base)) return undefined;
    }
    return new PackedTimeline(out.take(), holder.namespace, holder.workload);
  }

  unpack(): Timeline<ReplicaHolder> {
    const from = new Unpacker(this.#bytes);
    const kinds = from.byte();
    const has = from.byte();
    const base = from.unsigned();
    const moment = (index: number): number | undefined => (has & (1 << index) ? base + from.signed() : undefined);
    const validToMs = moment(0);
    const doubtedFromMs = moment(1);
    const startedMs = moment(2) ?? 0;
    const seenMs = moment(3) ?? 0;
    const createdMs = moment(4) ?? 0;
    const uid = has & IS_UUID ? from.uuid() : from.text();
    const holder: ReplicaHolder = {
      kind: HOLDER_KINDS[kinds & 3] ?? 'Pod',
      namespace: this.#namespace,
      name: from.text(),
      uid,
      role: ROLES[(kinds >> 2) & 15] ?? 'POD_IP',
      validFromMs: base,
      validToMs,
      doubtedFromMs,
      workload: this.#workload,
      startedMs,
      seenMs,
      createdMs,
      ports: undefined,
      arePortsInexact: false,
      isHidden: (has & IS_HIDDEN) !== 0,
    };
    const holders = [holder];
    const spans: Span<ReplicaHolder>[] = [];
    while (!from.isAtEnd) {
      const flags = from.byte();
      const fromMs = base + from.signed();
      const toMs = flags & IS_OPEN ? Number.POSITIVE_INFINITY : fromMs + from.unsigned();
      spans.push({
        fromMs,
        toMs,
        is: flags & IS_NEAR ? 'near' : flags & IS_PRESUMED ? 'presumed' : 'holds',
        holders,
        doubts: DOUBTS[flags & 3] as readonly Doubt[],
        nearMs: flags & IS_NEAR ? base + from.signed() : 0,
        hasMore: false,
      });
    }
    return { spans, nodes: NO_NODES, isInCluster: (kinds & IN_CLUSTER) !== 0, cutAtMs: Number.NEGATIVE_INFINITY };
  }
}

const IN_CLUSTER = 64;
/** The five bits below are for moments that a holder may have. */
const IS_UUID = 32;
const IS_HIDDEN = 64;
/** The two bits below are for doubt. */
const IS_OPEN = 4;
const IS_NEAR = 8;
const IS_PRESUMED = 16;
const MAX_SPANS = 64;
const ASCII = /^[\x20-\x7e]{0,255}$/;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const NO_NODES = Object.freeze([]);
const DOUBTS: readonly (readonly Doubt[])[] = [[CERTAIN], [AT_EDGE], [UNCERTAIN]];
const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));
/** More than the longest form needs: two texts of 255 bytes, and 64 spans of 22. */
const scratch = Buffer.alloc(2_048);

function isGiven(ms: number | undefined): ms is number {
  return ms !== undefined && ms !== 0;
}

class Packer {
  #length = 0;

  byte(value: number): void {
    scratch[this.#length++] = value;
  }

  /** False: it is no whole number that fits. */
  unsigned(value: number): boolean {
    if (!Number.isSafeInteger(value) || value < 0) return false;
    let rest = value;
    for (; rest >= 128; rest = Math.floor(rest / 128)) this.byte((rest % 128) | 128);
    this.byte(rest);
    return true;
  }

  signed(value: number): boolean {
    return this.unsigned(value < 0 ? -2 * value - 1 : 2 * value);
  }

  text(text: string): void {
    this.byte(text.length);
    this.#length += scratch.write(text, this.#length, 'latin1');
  }

  hex(digits: string): void {
    this.#length += scratch.write(digits, this.#length, 'hex');
  }

  take(): ByteString {
    return toByteString(scratch, this.#length);
  }
}

class Unpacker {
  readonly #bytes: ByteString;
  #at = 0;

  constructor(bytes: ByteString) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  byte(): number {
    return this.#bytes.charCodeAt(this.#at++);
  }

  unsigned(): number {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = this.byte();
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  }

  signed(): number {
    const value = this.unsigned();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  text(): string {
    const length = this.byte();
    this.#at += length;
    return this.#bytes.slice(this.#at - length, this.#at);
  }

  uuid(): string {
    let text = '';
    for (let count = 0; count < 16; count++) {
      if (count === 4 || count === 6 || count === 8 || count === 10) text += '-';
      text += HEX[this.byte()];
    }
    return text;
  }
}
