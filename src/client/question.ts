// Questions as programs ask them, checked before anything is looked up.

import { parseIp } from '../model/ip/ip.ts';
import { isNetworkName } from '../model/kubernetes/pod-networks.ts';
import type { Protocol } from '../model/entities.ts';

export interface ReplicaQuestion {
  /** IPv4 or IPv6 as text, without zone, port or prefix length. */
  readonly address: string;
  /** 1–65535. Unset: the address as a whole. */
  readonly port?: number | undefined;
  /** Unset: any. */
  readonly protocol?: Protocol | undefined;
  /** ms since the epoch. Unset: now. At most 5 s ahead. */
  readonly at?: number | undefined;
  /** ms since the epoch: the end of an interval that begins with `at`, both included. */
  readonly until?: number | undefined;
  /** Name of the secondary network that the address is on, as in `Pod.networks`. Unset: the cluster's network. */
  readonly podNetwork?: string | undefined;
}

/** A question that cannot be asked; the message names the field, what was given and what is allowed. */
export class QuestionError extends RangeError {
  override readonly name = 'QuestionError';
}

/** The same as at the server. */
const MAX_AHEAD_MS = 5_000;
const PROTOCOLS = new Set<unknown>(['TCP', 'UDP', 'SCTP']);

/** The address in canonical form. Throws a QuestionError. */
export function checkAddress(address: string): string {
  return parseIp(address) ?? refuse('address', address, 'an IPv4 or IPv6 address without zone, port or prefix length');
}

/** Throws a QuestionError when another field than the address is not allowed. */
export function checkRest({ port, protocol, at, until, podNetwork }: ReplicaQuestion, nowMs: number): void {
  if (podNetwork !== undefined && podNetwork !== '' && !isNetworkName(podNetwork))
    refuse('podNetwork', podNetwork, 'NAMESPACE/NAME or the name of a CNI configuration');
  if (port !== undefined && !(Number.isInteger(port) && port >= 1 && port <= 65_535))
    refuse('port', port, '1 to 65535');
  if (protocol !== undefined && !PROTOCOLS.has(protocol)) refuse('protocol', protocol, 'TCP, UDP, SCTP');
  if (at !== undefined) checkMoment('at', at, nowMs);
  if (until === undefined) return;
  checkMoment('until', until, nowMs);
  if (at === undefined) refuse('until', until, 'only together with at');
  if (until < at) refuse('until', until, `at (${at}) or later`);
}

function checkMoment(field: string, ms: number, nowMs: number): void {
  if (!Number.isFinite(ms) || ms < 0) refuse(field, ms, 'ms since the epoch');
  if (ms > nowMs + MAX_AHEAD_MS) refuse(field, ms, `at most ${MAX_AHEAD_MS} ms after now (${Math.floor(nowMs)})`);
}

function refuse(field: string, given: unknown, allowed: string): never {
  const shown = typeof given === 'string' ? JSON.stringify(given.slice(0, 100)) : String(given);
  throw new QuestionError(`${field}: got ${shown}; allowed: ${allowed}`);
}
