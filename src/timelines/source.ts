// Where reading finds timelines: by place, as questions ask for them.

import type { Protocol } from '../model/entities.ts';
import type { IpFamily } from '../model/ip/cidr.ts';
import type { AddressFacts } from './facts.ts';
import type { Timeline, TimelineHolder } from './timeline.ts';

export interface TimelineSource<H extends TimelineHolder> {
  readonly facts: AddressFacts;
  ofAddress(address: string): Timeline<H> | undefined;
  /** Whether there is a timeline of a port, or of the ports, of this address. */
  hasPorts(address: string): boolean;
  ofPort(address: string, port: number, protocol: Protocol): Timeline<H> | undefined;
  ofPorts(address: string): Timeline<H> | undefined;
  /** The timeline of the port at this address of the node where that differs, else of the port of the node. */
  ofNodePort(node: string, address: string, port: number, protocol: Protocol): Timeline<H> | undefined;
  ofEveryNodePort(port: number, protocol: Protocol): Timeline<H> | undefined;
  ofNode(node: string): Timeline<H> | undefined;
  /** Whether a known range of the cluster contains the address. */
  isInRange(address: string): boolean;
  /** Whether all ranges of the cluster are known. */
  areRangesComplete(family: IpFamily): boolean;
}
