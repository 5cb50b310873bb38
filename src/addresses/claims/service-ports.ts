// The ports of one state of a service, shared by its claims on all of its addresses: a service with many addresses and
// many ports would otherwise make a claim for each pair.

import type { PortNumber, Protocol } from '../../model/entities.ts';
import type { PortRange } from '../../timelines/timeline.ts';

/** Up to so many ports are looked through; more get a table. */
const FEW = 8;

/** A service with more has one timeline for all of its ports on an address, not one for each. */
const MOST_SINGLE = 16;
/** Ranges that such a timeline lists for each service; beyond that some are joined. */
const MAX_RANGES = 64;

export class ServicePorts {
  readonly list: readonly PortNumber[];
  #ranges: { readonly list: readonly PortRange[]; readonly isInexact: boolean } | undefined;
  #byNumber: ReadonlyMap<number, readonly Protocol[]> | undefined;

  constructor(list: readonly PortNumber[]) {
    this.list = list;
  }

  /** They are told as ranges, see `digger.v1.TimelinePlace`. */
  get areMany(): boolean {
    return this.list.length > MOST_SINGLE;
  }

  get ranges(): { readonly list: readonly PortRange[]; readonly isInexact: boolean } {
    this.#ranges ??= rangesOf(this.list);
    return this.#ranges;
  }

  /** Whether the service has the port; without a protocol: with any. */
  has(port: number, protocol: Protocol | undefined): boolean {
    if (this.list.length <= FEW) return this.list.some((each) => isPort(each, port, protocol));
    this.#byNumber ??= byNumber(this.list);
    const protocols = this.#byNumber.get(port);
    return protocols !== undefined && (protocol === undefined || protocols.includes(protocol));
  }
}

export function samePorts(a: readonly PortNumber[], b: readonly PortNumber[]): boolean {
  return (
    a === b ||
    (a.length === b.length && a.every(({ port, protocol }, i) => port === b[i]?.port && protocol === b[i]?.protocol))
  );
}

function isPort(each: PortNumber, port: number, protocol: Protocol | undefined): boolean {
  return each.port === port && (protocol === undefined || each.protocol === protocol);
}

function byNumber(list: readonly PortNumber[]): Map<number, Protocol[]> {
  const found = new Map<number, Protocol[]>();
  for (const { port, protocol } of list) {
    const protocols = found.get(port);
    if (protocols === undefined) found.set(port, [protocol]);
    else protocols.push(protocol);
  }
  return found;
}

/** By protocol and number. The narrowest gaps between ranges are closed when there are too many. */
function rangesOf(list: readonly PortNumber[]): { readonly list: readonly PortRange[]; readonly isInexact: boolean } {
  const sorted = list.toSorted((a, b) =>
    a.protocol < b.protocol ? -1 : a.protocol > b.protocol ? 1 : a.port - b.port,
  );
  const exact = joined(
    sorted.map(({ port, protocol }) => ({ first: port, last: port, protocol })),
    1,
  );
  let found = exact;
  for (let gap = 2; found.length > MAX_RANGES && gap <= 65_536; gap *= 2) found = joined(exact, gap);
  return { list: found, isInexact: found.length < exact.length };
}

/** Joins neighbours of which the later begins at most `gap` after the end of the earlier. */
function joined(ranges: readonly PortRange[], gap: number): PortRange[] {
  const found: PortRange[] = [];
  for (const range of ranges) {
    const last = found.at(-1);
    if (last !== undefined && last.protocol === range.protocol && range.first <= last.last + gap) {
      found[found.length - 1] = { ...last, last: Math.max(last.last, range.last) };
    } else found.push(range);
  }
  return found;
}
