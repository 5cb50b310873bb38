// The form that slabs.bench.ts tries: a pod is a row number. Numbers of a row lie in typed arrays, its own bytes (what
// no other pod has: uid, name, the entity's own and last part) in slabs of a megabyte, text that pods share once, by
// number.
//
// A changed pod gets a new place, and the bytes at the old one are counted as gone. Compaction takes slabs of which a
// quarter or more is gone, and moves what is left of them, so many bytes at a time. All memory is shared between
// threads.

import type { PodRow } from '../../src/catalog/entities/pod-state.ts';

const SLAB_BYTES = 2 ** 20;
/** Row, then the lengths of the parts. */
const HEAD_BYTES = 20;
const GONE_SHARE = 0.25;
/** Rows to places of an open hash table. */
const SPREAD = 2;
const NONE = 0xffffffff;

interface Slab {
  readonly bytes: Buffer;
  used: number;
  gone: number;
}

export class SlabPods {
  readonly #slabs: (Slab | undefined)[] = [];
  #filling: number;
  readonly #places: Uint32Array;
  readonly #times: Float64Array;
  readonly #flags: Uint8Array;
  /** Namespace, node, workload, joined, values. */
  readonly #shared: Uint32Array;
  readonly #addresses: Uint32Array;
  readonly #byAddress: Uint32Array;
  readonly #texts: string[] = [];
  readonly #textIds = new Map<string, number>();
  readonly #textBytes: Buffer[] = [];
  /** Slab that is compacted now, and how far. */
  #compacting: { readonly at: number; offset: number } | undefined;

  constructor(pods: number) {
    const rows = <T>(make: (buffer: SharedArrayBuffer) => T, bytes: number): T =>
      make(new SharedArrayBuffer(pods * bytes));
    this.#places = rows((buffer) => new Uint32Array(buffer), 4).fill(NONE);
    this.#times = rows((buffer) => new Float64Array(buffer), 5 * 8);
    this.#flags = rows((buffer) => new Uint8Array(buffer), 1);
    this.#shared = rows((buffer) => new Uint32Array(buffer), 5 * 4);
    this.#addresses = rows((buffer) => new Uint32Array(buffer), 4);
    this.#byAddress = rows((buffer) => new Uint32Array(buffer), SPREAD * 4).fill(NONE);
    this.#filling = this.#newSlab();
  }

  put(at: number, row: PodRow): void {
    const before = this.#places[at] ?? NONE;
    const { own, rest, uid, name } = row;
    const length = HEAD_BYTES + own.length + rest.length + uid.length + name.length;
    if (before !== NONE) this.#free(before);
    const place = this.#reserve(length);
    const { bytes } = this.#slabAt(place);
    let offset = place % SLAB_BYTES;
    bytes.writeUInt32LE(at, offset);
    for (const [index, part] of [own, rest, uid, name].entries())
      bytes.writeUInt32LE(part.length, offset + 4 + index * 4);
    offset += HEAD_BYTES;
    for (const part of [own, rest, uid, name]) offset += bytes.write(part, offset, 'latin1');
    this.#places[at] = place;
    const { creationTimeMs = Number.NaN, startTimeMs = Number.NaN, sandboxReadyTimeMs = Number.NaN } = row;
    const { finishedTimeMs = Number.NaN, deletionTimeMs = Number.NaN } = row;
    this.#times.set([creationTimeMs, startTimeMs, sandboxReadyTimeMs, finishedTimeMs, deletionTimeMs], at * 5);
    this.#flags[at] = (row.hostNetwork ? 1 : 0) | (row.terminal ? 2 : 0);
    const { namespace, nodeName, workload, joined, values } = row;
    this.#shared.set(
      [namespace, nodeName, workload.uid, joined, values].map((text) => this.#idOf(text)),
      at * 5,
    );
    if (before !== NONE) return;
    const address = ipv4(row.addresses[0] ?? '');
    this.#addresses[at] = address;
    let slot = hash(address) % this.#byAddress.length;
    while (this.#byAddress[slot] !== NONE) slot = (slot + 1) % this.#byAddress.length;
    this.#byAddress[slot] = at;
  }

  copy(address: string, target: Buffer): number {
    const wanted = ipv4(address);
    let slot = hash(wanted) % this.#byAddress.length;
    for (;;) {
      const at = this.#byAddress[slot] ?? NONE;
      if (at === NONE) return 0;
      if (this.#addresses[at] === wanted) return this.#copyRow(at, target);
      slot = (slot + 1) % this.#byAddress.length;
    }
  }

  /** Moves about so many bytes; false: nothing is worth it. */
  compact(budget: number): boolean {
    let left = budget;
    while (left > 0) {
      this.#compacting ??= this.#worthIt();
      if (this.#compacting === undefined) return false;
      const { at } = this.#compacting;
      const slab = this.#slabs[at];
      if (slab === undefined || this.#compacting.offset >= slab.used) {
        this.#slabs[at] = undefined;
        this.#compacting = undefined;
        continue;
      }
      const from = this.#compacting.offset;
      const length = lengthAt(slab.bytes, from);
      const row = slab.bytes.readUInt32LE(from);
      if (this.#places[row] === at * SLAB_BYTES + from) {
        const place = this.#reserve(length);
        slab.bytes.copy(this.#slabAt(place).bytes, place % SLAB_BYTES, from, from + length);
        this.#places[row] = place;
      }
      this.#compacting.offset += length;
      left -= length;
    }
    return true;
  }

  #copyRow(row: number, target: Buffer): number {
    const place = this.#places[row] ?? NONE;
    const { bytes } = this.#slabAt(place);
    const offset = place % SLAB_BYTES;
    const ownLength = bytes.readUInt32LE(offset + 4);
    const restLength = bytes.readUInt32LE(offset + 8);
    let at = bytes.copy(target, 0, offset + HEAD_BYTES, offset + HEAD_BYTES + ownLength);
    at += this.#textBytes[this.#shared[row * 5 + 3] ?? 0]?.copy(target, at) ?? 0;
    at += this.#textBytes[this.#shared[row * 5 + 4] ?? 0]?.copy(target, at) ?? 0;
    const restAt = offset + HEAD_BYTES + ownLength;
    return at + bytes.copy(target, at, restAt, restAt + restLength);
  }

  #idOf(text: string): number {
    let id = this.#textIds.get(text);
    if (id === undefined) {
      id = this.#texts.push(text) - 1;
      this.#textIds.set(text, id);
      this.#textBytes.push(Buffer.from(text, 'latin1'));
    }
    return id;
  }

  #reserve(length: number): number {
    let slab = this.#slabs[this.#filling];
    if (slab === undefined || slab.used + length > SLAB_BYTES) {
      this.#filling = this.#newSlab();
      slab = this.#slabs[this.#filling] as Slab;
    }
    const place = this.#filling * SLAB_BYTES + slab.used;
    slab.used += length;
    return place;
  }

  #newSlab(): number {
    const slab = { bytes: Buffer.from(new SharedArrayBuffer(SLAB_BYTES)), used: 0, gone: 0 };
    const free = this.#slabs.indexOf(undefined);
    if (free === -1) return this.#slabs.push(slab) - 1;
    this.#slabs[free] = slab;
    return free;
  }

  #free(place: number): void {
    const slab = this.#slabAt(place);
    slab.gone += lengthAt(slab.bytes, place % SLAB_BYTES);
  }

  #slabAt(place: number): Slab {
    return this.#slabs[Math.floor(place / SLAB_BYTES)] as Slab;
  }

  #worthIt(): { readonly at: number; offset: number } | undefined {
    const at = this.#slabs.findIndex(
      (slab, index) => slab !== undefined && index !== this.#filling && slab.gone >= GONE_SHARE * SLAB_BYTES,
    );
    return at === -1 ? undefined : { at, offset: 0 };
  }
}

function lengthAt(bytes: Buffer, offset: number): number {
  let length = HEAD_BYTES;
  for (let part = 0; part < 4; part += 1) length += bytes.readUInt32LE(offset + 4 + part * 4);
  return length;
}

/** Of dotted text; no other is in this benchmark. */
function ipv4(text: string): number {
  let address = 0;
  let part = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === 46) {
      address = address * 256 + part;
      part = 0;
    } else part = part * 10 + code - 48;
  }
  return address * 256 + part;
}

function hash(value: number): number {
  return Math.imul(value, 0x9e3779b1) >>> 0;
}
