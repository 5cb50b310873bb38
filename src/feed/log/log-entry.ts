// What the log keeps of an entity, of an item, and of either when it is gone.
//
// An entry remembers of the states that it replaced just what tells later whether a reader may hold one of them; see
// `change-log.ts` for why. Of what is gone neither the bytes of the entity stay nor its annotations.

import type { Entity } from '../../model/entities.ts';
import { encodeRemoval, removalKey } from '../../wire/frame.ts';
import { labelsOf } from '../../wire/labels.ts';
import type { FilterFacts } from './filter.ts';
import type { Item } from './items.ts';

interface EntryPlace {
  readonly sequence: number;
  readonly bornAt: number;
  readonly labelsAt: number;
  readonly nodeAt: number;
}

/** The entity lives, and is itself what a filter looks at. */
export interface PresentEntry extends EntryPlace {
  readonly state: 'present';
  readonly facts: Entity;
}

/** The entity is gone. Its bytes are not kept; `facts` has a copy of its last labels. */
export interface RemovedEntry extends EntryPlace {
  readonly state: 'removed';
  readonly removedAtMs: number;
  /** See `identityOf`. */
  readonly identity: string;
  /** An encoded `digger.v1.Removal`. */
  readonly removal: Uint8Array;
  readonly facts: FilterFacts;
}

/** Something beside entities that timelines subscriptions get, see `items.ts`. */
export interface ItemEntry {
  readonly state: 'item';
  readonly sequence: number;
  readonly bornAt: number;
  /** When it last lost what may have let it pass a filter. */
  readonly lostAt: number;
  readonly item: Item;
}

/** The item is gone. */
export interface DroppedEntry {
  readonly state: 'dropped';
  readonly sequence: number;
  readonly bornAt: number;
  readonly lostAt: number;
  readonly removedAtMs: number;
  readonly identity: string;
  readonly item: Item;
}

export type LogEntry = PresentEntry | RemovedEntry | ItemEntry | DroppedEntry;

/** One object under a key: objects that follow one another under a key have other uids. */
export function identityOf(key: string, uid: string): string {
  return `${key}\n${uid}`;
}

export function itemIdentity(key: string): string {
  return `item\n${key}`;
}

/** For people. */
export function nameOf({ kind, namespace, name, uid }: Entity): string {
  return `${kind} ${namespace}/${name} (${uid})`;
}

/**
 * What is kept of an entity. The removal is in memory of its own: small Buffers share slabs of 64 KiB, and a few bytes
 * that stay for minutes would keep a whole slab of frames alive.
 */
export function epitaph(entity: Entity): Pick<RemovedEntry, 'removal' | 'facts'> {
  const { kind, namespace, name, values } = entity;
  const nodeName = entity.kind === 'Pod' ? entity.nodeName : '';
  return {
    removal: new Uint8Array(encodeRemoval(removalKey(entity))),
    facts: { kind, namespace, name, nodeName, values: labelsOf(values) },
  };
}

export function sameLabels(a: FilterFacts, b: FilterFacts): boolean {
  return a.values === b.values || labelsOf(a.values) === labelsOf(b.values);
}

/** A pod gets its node once. Before that it passes no filter by node, so that getting it cannot end its passing. */
export function keepsNode(before: FilterFacts, after: FilterFacts): boolean {
  return (before.nodeName ?? '') === '' || before.nodeName === after.nodeName;
}
