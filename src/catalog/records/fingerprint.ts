// A number that stands for what a record says, and for what a whole table does.
//
// Two replicas that hold equal records have equal digests, whatever the order in which the records came; so a digest
// tells whether an idle resource is still as another replica saw it. Not a defence against an attacker: one who can
// choose objects so that 53 bits collide could just as well change them.

import { hash } from 'node:crypto';
import type { ByteString } from '../../model/byte-string.ts';
import type { ControllerReference } from '../../model/kubernetes/records.ts';

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
  /** What a slice lists. */
  readonly keys?: readonly string[];
  readonly ranges?: readonly string[];
}

/** A non-negative integer below 2^53. */
export function fingerprint(draft: Fingerprinted): number {
  const { uid, row, controller, serviceName, keys, ranges } = draft;
  const times = [row?.creationTimeMs, row?.sandboxReadyTimeMs, row?.finishedTimeMs];
  const owner = controller && [controller.apiVersion, controller.kind, controller.name, controller.uid];
  const { own = '', values = '', rest = '' } = row ?? {};
  // Lengths first, so that no two records come to one text: what JSON writes is told apart from what follows it too.
  const facts = JSON.stringify([own.length, values.length, rest.length, uid, times, owner, serviceName, keys, ranges]);
  // SHA-1 for its speed; 13 hexadecimal digits are 52 bits, which a number holds exactly.
  return Number.parseInt(hash('sha1', facts + own + values + rest).slice(0, 13), 16);
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
