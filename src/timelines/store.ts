// Timelines by place, as reading asks for them.
//
// A question looks up its address and nothing else unless it has a port; timelines of ports stand in maps of their own,
// by address or node first, so that what has none costs one look-up.

import { type WideMap, wideMap } from '../collections/wide-map.ts';
import type { Protocol } from '../model/entities.ts';
import type { Timeline, TimelineHolder, TimelinePlace } from './timeline.ts';

export class TimelineStore<H extends TimelineHolder> {
  readonly #ofAddress = wideMap<Timeline<H>>();
  readonly #ofPort = wideMap<Map<number, Timeline<H>>>();
  readonly #ofPorts = new Map<string, Timeline<H>>();
  readonly #ofNodePort = new Map<string, Map<number, Timeline<H>>>();
  /** By node and address. */
  readonly #ofNodePortAt = new Map<string, Map<number, Timeline<H>>>();
  readonly #ofEveryNodePort = new Map<number, Timeline<H>>();
  readonly #ofNode = new Map<string, Timeline<H>>();
  #size = 0;

  /** Number of timelines. */
  get size(): number {
    return this.#size;
  }

  clear(): void {
    for (const map of [this.#ofAddress, this.#ofPort, this.#ofPorts, this.#ofNodePort, this.#ofNodePortAt]) map.clear();
    this.#ofEveryNodePort.clear();
    this.#ofNode.clear();
    this.#size = 0;
  }

  /** Replaces the timeline of a place; `undefined`: it has no timeline any more. */
  set(place: TimelinePlace, timeline: Timeline<H> | undefined): void {
    switch (place.of) {
      case 'address':
        return this.#put(this.#ofAddress, place.address, timeline);
      case 'port of an address':
        return this.#putIn(this.#ofPort, place.address, portKey(place.port, place.protocol), timeline);
      case 'ports of an address':
        return this.#put(this.#ofPorts, place.address, timeline);
      case 'port of a node': {
        const { node, address, port, protocol } = place;
        if (address === undefined) return this.#putIn(this.#ofNodePort, node, portKey(port, protocol), timeline);
        return this.#putIn(this.#ofNodePortAt, `${node} ${address}`, portKey(port, protocol), timeline);
      }
      case 'port of every node':
        return this.#put(this.#ofEveryNodePort, portKey(place.port, place.protocol), timeline);
      case 'node':
        return this.#put(this.#ofNode, place.node, timeline);
    }
  }

  get(place: TimelinePlace): Timeline<H> | undefined {
    switch (place.of) {
      case 'address':
        return this.ofAddress(place.address);
      case 'port of an address':
        return this.ofPort(place.address, place.port, place.protocol);
      case 'ports of an address':
        return this.ofPorts(place.address);
      case 'port of a node': {
        const { node, address, port, protocol } = place;
        const key = portKey(port, protocol);
        if (address === undefined) return this.#ofNodePort.get(node)?.get(key);
        return this.#ofNodePortAt.get(`${node} ${address}`)?.get(key);
      }
      case 'port of every node':
        return this.ofEveryNodePort(place.port, place.protocol);
      case 'node':
        return this.ofNode(place.node);
    }
  }

  ofAddress(address: string): Timeline<H> | undefined {
    return this.#ofAddress.get(address);
  }

  hasPorts(address: string): boolean {
    return this.#ofPort.has(address) || this.#ofPorts.has(address);
  }

  ofPort(address: string, port: number, protocol: Protocol): Timeline<H> | undefined {
    return this.#ofPort.get(address)?.get(portKey(port, protocol));
  }

  ofPorts(address: string): Timeline<H> | undefined {
    return this.#ofPorts.get(address);
  }

  ofNodePort(node: string, address: string, port: number, protocol: Protocol): Timeline<H> | undefined {
    const key = portKey(port, protocol);
    const at = this.#ofNodePortAt.size === 0 ? undefined : this.#ofNodePortAt.get(`${node} ${address}`)?.get(key);
    return at ?? this.#ofNodePort.get(node)?.get(key);
  }

  ofEveryNodePort(port: number, protocol: Protocol): Timeline<H> | undefined {
    return this.#ofEveryNodePort.get(portKey(port, protocol));
  }

  ofNode(node: string): Timeline<H> | undefined {
    return this.#ofNode.get(node);
  }

  #put<K>(map: Table<K, Timeline<H>>, key: K, timeline: Timeline<H> | undefined): void {
    const before = map.size;
    if (timeline === undefined) map.delete(key);
    else map.set(key, timeline);
    this.#size += map.size - before;
  }

  #putIn(maps: Table<string, Map<number, Timeline<H>>>, name: string, key: number, timeline?: Timeline<H>): void {
    let map = maps.get(name);
    if (map === undefined) {
      if (timeline === undefined) return;
      map = new Map();
      maps.set(name, map);
    }
    this.#put(map, key, timeline);
    if (map.size === 0) maps.delete(name);
  }
}

/** What a Map and a WideMap are both. */
type Table<K, V> = Pick<WideMap<K, V>, 'get' | 'delete' | 'size'> & { set(key: K, value: V): unknown };

const PROTOCOL_NUMBERS: Readonly<Record<Protocol, number>> = { TCP: 0, UDP: 1, SCTP: 2 };

function portKey(port: number, protocol: Protocol): number {
  return port * 4 + PROTOCOL_NUMBERS[protocol];
}
