// What the feed carries beside entities, for subscriptions with timelines: timelines by place, known ranges, the facts,
// and objects that are gone while timelines name them. Each has one place in the log, by its key, at its last change.
//
// The feed does not look into them: they come as bytes, with the objects whose passing of a filter lets them pass.

import type { ByteString } from '../../model/byte-string.ts';
import type { Entity } from '../../model/entities.ts';
import type { Filter, FilterFacts } from './filter.ts';
import type { NamespaceLabels } from './namespace-labels.ts';

/** Something that a timeline names; its object may change meanwhile. */
export interface NamedObject {
  readonly uid: string;
  readonly entity: FilterFacts;
}

/** Key of the facts, which are true of all places. */
export const FACTS_KEY = 'facts';

export interface Item {
  readonly key: string;
  /** Encoded fields of a `digger.v1.Change`; or an object that is gone, as `Change.former`. */
  readonly change: ByteString | Entity;
  /** The same when it is gone, or is not to be seen any more. */
  readonly end: () => ByteString;
  /** It passes a filter that one of these passes; `undefined`: every filter. */
  readonly objects: readonly NamedObject[] | undefined;
  /** Only for those who know secondary networks: to others it would look like one of the cluster's network. */
  readonly isOfPodNetwork?: true;
}

/** What the feed has to know of the timelines that are put into it. */
export interface TimelinesInLog {
  /** Every timeline is in the log; subscriptions with timelines wait for it. */
  readonly isWhole: boolean;
  /** Each tells of all the entities that are in the log. */
  readonly isSettled: boolean;
  /** They tell of nothing before this moment, ms since the epoch. */
  readonly historySinceMs: number;
  /** They tell of everything since this moment; Infinity: the cluster is not followed now. */
  readonly followedSinceMs: number;
}

/** Of filters that do not look at the labels of namespaces: these are refused for timelines. */
export function passesItem(filter: Filter, { objects }: Item, namespaces: NamespaceLabels): boolean {
  return objects === undefined || objects.some(({ entity }) => filter.passes(entity, namespaces));
}

/** Whether an object that may have let the item pass is not named any more. */
export function hasLostHolders(before: Item, after: Item): boolean {
  if (before.objects === undefined || before.objects === after.objects) return false;
  const uids = new Set(after.objects?.map(({ uid }) => uid));
  return before.objects.some(({ uid }) => !uids.has(uid));
}
