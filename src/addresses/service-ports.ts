// The ports of one state of a service, shared by its claims on all of its addresses: a service with many addresses and
// many ports would otherwise make a claim for each pair.

import type { PortNumber, Protocol } from '../model/entities.ts';

/** Up to so many ports are looked through; more get a table. */
const FEW = 8;

export class ServicePorts {
  readonly list: readonly PortNumber[];
  #byNumber: ReadonlyMap<number, readonly Protocol[]> | undefined;

  constructor(list: readonly PortNumber[]) {
    this.list = list;
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
