// A number that stands for what a record says, and for what a whole table does.
//
// Two replicas that hold equal records have equal digests, whatever the order in which the records came; so a digest
// tells whether an idle resource is still as somebody else saw it. Not a defence against anybody: whoever can choose
// objects so that 53 bits collide could as well change them.

import type { ByteString } from '../model/entities.ts';
import type { ControllerReference } from '../model/records.ts';

/** What a draft may consist of; everything that makes two drafts of one uid differ. */
export interface Fingerprinted {
  readonly uid: string;
  readonly row?: {
    readonly own: ByteString;
    readonly values: ByteString;
    readonly rest: ByteString;
    readonly creationTimeMs: number | undefined;
    readonly sandboxReadyTimeMs?: number | undefined;
    readonly finishedTimeMs?: number | undefined;
  };
  readonly controller?: ControllerReference | undefined;
  readonly serviceName?: string;
  readonly keys?: readonly string[];
  readonly manual?: readonly string[];
  readonly ranges?: readonly string[];
}

/** A non-negative integer below 2^53. */
export function fingerprint(draft: Fingerprinted): number {
  const { uid, row, controller, serviceName, keys, manual, ranges } = draft;
  const times = [row?.creationTimeMs, row?.sandboxReadyTimeMs, row?.finishedTimeMs];
  const owner = controller && [controller.apiVersion, controller.kind, controller.name, controller.uid];
  const hash = new Hash();
  hash.text(JSON.stringify([uid, times, owner, serviceName, keys, manual, ranges]));
  if (row !== undefined) {
    hash.text(row.own);
    hash.text(row.values);
    hash.text(row.rest);
  }
  return hash.value;
}

/** The sum of fingerprints modulo 2^53: the order of additions does not matter. */
export function addFingerprint(digest: number, added: number): number {
  const rest = LIMIT - digest;
  return added < rest ? digest + added : added - rest;
}

export function subtractFingerprint(digest: number, taken: number): number {
  return taken === 0 ? digest : addFingerprint(digest, LIMIT - taken);
}

// 2^53. A sum is never formed beyond it, where numbers would begin to lose their last bit.
const LIMIT = Number.MAX_SAFE_INTEGER + 1;

/** Two multiplicative hashes side by side (FNV-1a's step with different primes), mixed at the end. */
class Hash {
  #a = 0x811c9dc5;
  #b = 0x9e3779b9;

  text(text: string): void {
    let a = this.#a;
    let b = this.#b;
    for (let at = 0; at < text.length; at++) {
      const unit = text.charCodeAt(at);
      a = Math.imul(a ^ unit, 0x01000193);
      b = Math.imul(b ^ unit, 0x85ebca6b) ^ (b >>> 15);
    }
    this.#a = a;
    this.#b = b;
  }

  get value(): number {
    return (mix(this.#a) & 0x1fffff) * 0x1_0000_0000 + mix(this.#b ^ Math.imul(this.#a, 0xc2b2ae35));
  }
}

function mix(given: number): number {
  let word = given;
  word = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
  word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35);
  return (word ^ (word >>> 16)) >>> 0;
}
