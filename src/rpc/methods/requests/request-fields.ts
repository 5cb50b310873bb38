// Checks the fields of requests and turns them into what the rest of digger works with. Every check notes what is wrong
// and goes on, so that a caller learns of all violations of a request at once; `throwIfAny` then ends the call.
//
// Input is a message that decoded, nothing more: text of any length, numbers of any size, enums of any value.

import type { AddressQuestion } from '../../../addresses/reader.ts';
import type { Protocol } from '../../../model/entities.ts';
import { parseIp } from '../../../model/ip/ip.ts';
import { isNetworkName, MAX_NETWORK_NAME_LENGTH, networkAddress } from '../../../model/kubernetes/pod-networks.ts';
import { quote, type Violation } from '../../errors/call-error.ts';
import { invalidArgument } from '../../errors/outcomes.ts';
import type { View } from '../../../wire/encoded-entity.ts';

/** Longest `wait`. A caller that wants to know for longer subscribes to the feed. */
export const MAX_WAIT_MS = 30_000;

/** How far `at` may be ahead of our clock and still mean now: clocks of callers differ by this much. */
export const MAX_CLOCK_SKEW_MS = 5_000;

/** Timestamp and Duration as services.ts decodes them. */
interface SecondsAndNanos {
  readonly seconds: number;
  readonly nanos: number;
}

/** The fields of a question about an address, as decoded: `ResolveAddressRequest` and `AddressQuery` both. */
export interface QuestionFields {
  readonly address: string;
  readonly port?: number;
  readonly protocol: string | number;
  readonly at: SecondsAndNanos | null;
  readonly until?: SecondsAndNanos | null;
  readonly podNetwork?: string;
}

/** What is wrong with one request, in the order of the checks. */
export class Violations {
  readonly #found: Violation[] = [];

  add(field: string, reason: Violation['reason'], description: string): void {
    this.#found.push({ field, reason, description });
  }

  get any(): boolean {
    return this.#found.length > 0;
  }

  get all(): readonly Violation[] {
    return this.#found;
  }

  /** Throws INVALID_ARGUMENT with everything that was found; does nothing when nothing was. */
  throwIfAny(): void {
    if (this.any) throw invalidArgument(this.#found);
  }
}

/**
 * The question that the fields ask at `nowMs`, with `path` in front of the field names of violations; meaningless when
 * violations were added.
 */
export function parseQuestion(
  fields: QuestionFields,
  nowMs: number,
  path: string,
  violations: Violations,
): AddressQuestion {
  const address = parseIp(fields.address);
  if (address === undefined) {
    const given = fields.address === '' ? 'empty' : `"${quote(fields.address)}"`;
    const allowed = 'an IPv4 or IPv6 address without zone, port or prefix length';
    violations.add(`${path}address`, 'NOT_AN_ADDRESS', `${given} is not ${allowed}`);
  }
  const { port } = fields;
  if (port !== undefined && (port < 1 || port > 65_535)) {
    violations.add(`${path}port`, 'OUT_OF_RANGE', `${port} is not a port, 1–65535`);
  }
  const protocol = parseProtocol(fields.protocol, path, violations);
  const atMs = fields.at === null ? undefined : parseMoment(fields.at, nowMs, `${path}at`, violations);
  const untilMs = parseUntil(fields, nowMs, path, violations);
  const { podNetwork = '' } = fields;
  if (podNetwork !== '' && !isNetworkName(podNetwork)) {
    const allowed = `NAMESPACE/NAME or the name of a CNI configuration, at most ${MAX_NETWORK_NAME_LENGTH} characters`;
    violations.add(
      `${path}pod_network`,
      'NOT_A_NETWORK',
      `"${quote(podNetwork)}" is not the name of a network: ${allowed}`,
    );
  }
  const isWhole = podNetwork !== '';
  return {
    address: networkAddress(address ?? '', podNetwork),
    // On a secondary network pods have addresses as a whole.
    ...(port === undefined || isWhole ? undefined : { port }),
    ...(protocol === undefined || isWhole ? undefined : { protocol }),
    ...(atMs === undefined ? undefined : { atMs }),
    // What began now is not longer than a moment.
    ...(atMs === undefined || untilMs === undefined ? undefined : { untilMs }),
  };
}

/** `view`; unset means FULL. */
export function parseView(view: string | number, violations: Violations): View {
  switch (view) {
    case 'VIEW_UNSPECIFIED':
    case 'VIEW_FULL':
      return 'FULL';
    case 'VIEW_BASIC':
      return 'BASIC';
    default:
      violations.add('view', 'UNKNOWN_VALUE', `${view} is not a view, 0–2`);
      return 'FULL';
  }
}

/** `wait` in ms; unset means 0. */
export function parseWait(wait: SecondsAndNanos | null, violations: Violations): number {
  if (wait === null) return 0;
  const waitMs = wait.seconds * 1000 + wait.nanos / NANOS_PER_MS;
  const wellFormed = wait.nanos >= 0 && wait.nanos < NANOS_PER_SECOND;
  if (!wellFormed || waitMs < 0 || waitMs > MAX_WAIT_MS) {
    violations.add('wait', 'OUT_OF_RANGE', `${wait.seconds} s ${wait.nanos} ns is not within 0–30 s`);
    return 0;
  }
  return waitMs;
}

/** A name that has to be given. */
export function requireText(text: string, field: string, violations: Violations): void {
  if (text === '') violations.add(field, 'REQUIRED', 'must not be empty');
}

const NANOS_PER_MS = 1_000_000;
const NANOS_PER_SECOND = 1_000_000_000;

/** The range of google.protobuf.Timestamp: years 1 to 9999. */
const MIN_TIMESTAMP_SECONDS = -62_135_596_800;
const MAX_TIMESTAMP_SECONDS = 253_402_300_799;

function parseProtocol(protocol: string | number, path: string, violations: Violations): Protocol | undefined {
  switch (protocol) {
    case 'PROTOCOL_UNSPECIFIED':
      return undefined;
    case 'PROTOCOL_TCP':
      return 'TCP';
    case 'PROTOCOL_UDP':
      return 'UDP';
    case 'PROTOCOL_SCTP':
      return 'SCTP';
    default:
      violations.add(`${path}protocol`, 'UNKNOWN_VALUE', `${protocol} is not a protocol, 0–3`);
      return undefined;
  }
}

/** The end of the interval that is asked for, in ms since the epoch; `undefined`: a moment is. */
function parseUntil(
  { at, until = null }: QuestionFields,
  nowMs: number,
  path: string,
  violations: Violations,
): number | undefined {
  if (until === null) return undefined;
  const untilMs = parseMoment(until, nowMs, `${path}until`, violations) ?? nowMs;
  if (at === null) {
    violations.add(`${path}at`, 'REQUIRED', 'until is the end of an interval that begins with at, which is not given');
  } else if (toMs(until) < toMs(at)) {
    const given = `${until.seconds} s ${until.nanos} ns is before at, ${at.seconds} s ${at.nanos} ns`;
    violations.add(`${path}until`, 'OUT_OF_RANGE', given);
  }
  return untilMs;
}

function toMs({ seconds, nanos }: SecondsAndNanos): number {
  return seconds * 1_000 + nanos / NANOS_PER_MS;
}

/** A moment in ms since the epoch; `undefined` (now) for what is only a little ahead of us. */
function parseMoment(
  { seconds, nanos }: SecondsAndNanos,
  nowMs: number,
  field: string,
  violations: Violations,
): number | undefined {
  const inRange = seconds >= MIN_TIMESTAMP_SECONDS && seconds <= MAX_TIMESTAMP_SECONDS;
  if (!inRange || nanos < 0 || nanos >= NANOS_PER_SECOND) {
    violations.add(field, 'INVALID_TIMESTAMP', `${seconds} s ${nanos} ns is not a timestamp of the years 1–9999`);
    return undefined;
  }
  const atMs = seconds * 1000 + nanos / NANOS_PER_MS;
  if (atMs - nowMs > MAX_CLOCK_SKEW_MS) {
    const given = new Date(atMs).toISOString();
    const now = new Date(nowMs).toISOString();
    violations.add(field, 'IN_THE_FUTURE', `${given} is more than 5 s ahead of the server's clock (${now})`);
    return undefined;
  }
  return atMs >= nowMs ? undefined : atMs;
}
