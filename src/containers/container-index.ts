// Which pod a container belongs to, by the container's id: for as long as the pod tells of it, and for the history.
//
// Nothing is kept before the first question: the ids stand in the entities already, and most users never ask. The first
// question has all pods gone through in slices; from then on each change of a pod costs its containers. The index knows
// the first 12 digits of ids as numbers and the uids of pods; the rest is compared in the entity that is found, so an
// entry takes some 60 bytes.
//
// Bounded: entries, containers that ended in pods that live on, and pods that are gone, each with a count, the last two
// also by age and bytes. What is not kept because there is no room is counted, and as long as entries are missing a
// container that is not found is unknown, and not said to be absent.

import { WideMap } from '../collections/wide-map.ts';
import { type ByteString, toByteString } from '../model/byte-string.ts';
import type { ChangeBatch } from '../model/changes.ts';
import { type ContainerIdPrefix, containerKey, hasPrefix } from '../model/kubernetes/container-id.ts';
import type { PodEntity } from '../model/entities.ts';
import { isHidden } from '../model/namespaces/published-namespaces.ts';
import { type ContainerIds, containersIn } from '../wire/containers.ts';
import { Past } from './past.ts';

export interface ContainerIndexOptions {
  /** All pods that there are. Not held across turns of the event loop. */
  readonly pods: () => Iterable<PodEntity>;
  /** The pod with this uid, as it is. */
  readonly pod: (uid: string) => PodEntity | undefined;
  /** Pods that are gone and still known, for another reason. */
  readonly formerPods: () => Iterable<PodEntity>;
  /** One of them. */
  readonly formerPod: (uid: string) => PodEntity | undefined;
  readonly nowMs: () => number;
  readonly retentionMs: number;
  /** Of pods that are gone. */
  readonly maxFormerPods: number;
  readonly maxFormerBytes: number;
  /** Default: 1,000,000. */
  readonly maxEntries?: number;
  /** Asked between pods: whether to let others work, and for how long. */
  readonly slice: () => { due(): boolean; pause(): Promise<void> };
}

/** A pod that a question leads to. */
export interface FoundPod {
  readonly pod: PodEntity;
  /** It is gone. */
  readonly isFormer: boolean;
  /** When its removal was seen; unset where that is not known. */
  readonly removedMs: number | undefined;
}

export interface FoundContainer extends FoundPod {
  /** Whole, with its scheme. */
  readonly id: string;
  readonly name: string;
  /** The fields of `digger.v1.Container`. */
  readonly message: ByteString;
  /** The container with this id has ended. */
  readonly ended: boolean;
}

export type ContainerSearch =
  | { readonly is: 'found'; readonly container: FoundContainer }
  /** So many containers have an id that begins so. */
  | { readonly is: 'ambiguous'; readonly count: number }
  | { readonly is: 'none' }
  /** Not found, but not all containers are indexed. */
  | { readonly is: 'unknown' };

export interface ContainerIndexSize {
  readonly entries: number;
  readonly leftOut: number;
  readonly endedContainers: number;
  readonly formerPods: number;
  readonly formerBytes: number;
}

const MAX_ENTRIES = 1_000_000;
/** Pods of which containers have the same first 12 digits: more than one is a curiosity, or made by somebody. */
const MAX_SAME = 100;
/** In pods that live on: a container that restarts every 10 s leaves 60 in ten minutes. */
const MAX_ENDED = 50_000;
const MAX_ENDED_BYTES = 16 * 1024 * 1024;

/** A pod that is gone. */
interface FormerPod {
  readonly pod: PodEntity;
  /** Unset: before the first question. */
  readonly removedMs: number | undefined;
}

interface EndedContainer {
  readonly uid: string;
  readonly id: string;
  readonly name: string;
  readonly message: ByteString;
}

export class ContainerIndex {
  readonly #options: ContainerIndexOptions;
  /** Uids of pods by the key of a container's id; nearly always one. */
  readonly #uids = new WideMap<number, string | string[]>((key) => key);
  readonly #former: Past<FormerPod>;
  readonly #ended: Past<EndedContainer>;
  readonly #endedOf = new Map<string, EndedContainer[]>();
  /** Keys that more pods have than are kept. */
  readonly #crowded = new Set<number>();
  #entries = 0;
  #leftOut = 0;
  #building: Promise<void> | undefined;
  #isOn = false;
  #listener: ((key: number) => void) | undefined;

  constructor(options: ContainerIndexOptions) {
    this.#options = options;
    const { retentionMs } = options;
    this.#former = new Past({
      ...{ retentionMs, maxCount: options.maxFormerPods, maxBytes: options.maxFormerBytes },
      dropped: ({ pod }) => this.#forgetPod(pod),
    });
    this.#ended = new Past({
      ...{ retentionMs, maxCount: MAX_ENDED, maxBytes: MAX_ENDED_BYTES },
      dropped: (ended) => this.#forgetEnded(ended),
    });
  }

  get size(): ContainerIndexSize {
    return {
      entries: this.#entries,
      leftOut: this.#leftOut,
      endedContainers: this.#ended.count,
      formerPods: this.#former.count,
      formerBytes: this.#former.bytes,
    };
  }

  /** Called with the key (see `containerKey`) of every container that comes from now on. */
  onAdded(listener: (key: number) => void): void {
    this.#listener = listener;
  }

  /** Resolves when containers can be found; `undefined`: now. */
  ready(): Promise<void> | undefined {
    if (this.#isOn && this.#building === undefined) return undefined;
    // Not at the end of `#build`, which comes before this line where nothing had to pause.
    return (this.#building ??= this.#build().finally(() => (this.#building = undefined)));
  }

  /** Takes a change of pods. */
  onBatch({ changes, seen }: ChangeBatch): void {
    if (!this.#isOn) return;
    for (const { before, after } of changes) {
      if (after?.kind === 'Pod') this.#update(before?.kind === 'Pod' ? before : undefined, after, seen.atMs);
      else if (before?.kind === 'Pod' && after === undefined) this.#remove(before, seen.atMs);
    }
  }

  /** Forgets what is past its time; to be called every few seconds. */
  expire(): void {
    const nowMs = this.#options.nowMs();
    this.#former.expire(nowMs);
    this.#ended.expire(nowMs);
    // There is room again. Callers may be waiting for what was left out, so that it is not put off to the next
    // question.
    if (this.#leftOut > 0 && this.#building === undefined && this.#entries < this.#maxEntries * 0.9) {
      this.#reset();
      void this.ready();
    }
  }

  find(asked: ContainerIdPrefix): ContainerSearch {
    const key = containerKey(asked.digits) ?? -1;
    const uids = this.#uids.get(key);
    const found: FoundContainer[] = [];
    for (const uid of typeof uids === 'string' ? [uids] : (uids ?? NONE)) this.#addOf(uid, asked, found);
    const [only] = found;
    if (only !== undefined && found.length === 1) return { is: 'found', container: only };
    if (found.length > 0) return { is: 'ambiguous', count: found.length };
    const isWhole = this.#isOn && this.#building === undefined && this.#leftOut === 0;
    return { is: isWhole && !this.#crowded.has(key) ? 'none' : 'unknown' };
  }

  /** A pod that is there, or was in the history. */
  pod(uid: string): FoundPod | undefined {
    const former = this.#pod(uid) === undefined ? this.#options.formerPod(uid) : undefined;
    const found = former === undefined ? this.#pod(uid) : { pod: former, isFormer: true, removedMs: undefined };
    return found === undefined || isHidden(found.pod.namespace) ? undefined : found;
  }

  get #maxEntries(): number {
    return this.#options.maxEntries ?? MAX_ENTRIES;
  }

  async #build(): Promise<void> {
    this.#isOn = true;
    const slice = this.#options.slice();
    // Those that change meanwhile are taken by `onBatch`; what is added twice is there once.
    for (const { uid } of [...this.#options.pods()]) {
      const pod = this.#options.pod(uid);
      if (pod !== undefined) for (const each of containersIn(pod.rest)) this.#addAll(uid, each);
      if (slice.due()) await slice.pause();
    }
    for (const pod of [...this.#options.formerPods()]) {
      if (this.#pod(pod.uid) === undefined) this.#keepFormer(pod, undefined, this.#options.nowMs());
      if (slice.due()) await slice.pause();
    }
  }

  #reset(): void {
    this.#uids.clear();
    this.#former.clear();
    this.#ended.clear();
    this.#endedOf.clear();
    this.#crowded.clear();
    this.#entries = 0;
    this.#leftOut = 0;
    this.#isOn = false;
  }

  #pod(uid: string): FoundPod | undefined {
    const pod = this.#options.pod(uid);
    if (pod !== undefined) return { pod, isFormer: false, removedMs: undefined };
    const kept = this.#former.get(uid);
    return kept && { ...kept, isFormer: true };
  }

  #addOf(uid: string, asked: ContainerIdPrefix, found: FoundContainer[]): void {
    const of = this.#pod(uid);
    if (of === undefined) return;
    const add = (id: string, name: string, message: ByteString, ended: boolean): void => {
      if (!hasPrefix(id, asked) || found.some((each) => each.pod.uid === uid && each.id === id)) return;
      found.push({ ...of, id, name, message, ended: ended || of.isFormer || of.pod.terminal });
    };
    for (const { id, previousId, name, message, ended } of containersIn(of.pod.rest)) {
      add(id, name, message, ended);
      if (previousId !== '') add(previousId, name, message, true);
    }
    for (const { id, name, message } of this.#endedOf.get(uid) ?? NONE) add(id, name, message, true);
  }

  #update(before: PodEntity | undefined, after: PodEntity, atMs: number): void {
    if (before !== undefined && before.rest === after.rest) return;
    const now = containersIn(after.rest);
    for (const each of now) this.#addAll(after.uid, each);
    if (before === undefined) return;
    const told = new Set(now.flatMap(({ id, previousId }) => [id, previousId]));
    for (const each of containersIn(before.rest)) {
      for (const id of [each.id, each.previousId]) if (id !== '' && !told.has(id)) this.#end(after.uid, id, each, atMs);
    }
  }

  /** The pod tells of this container no more. */
  #end(uid: string, id: string, { name, message }: ContainerIds, atMs: number): void {
    if (containerKey(id) === undefined || this.#endedOf.get(uid)?.some((each) => each.id === id) === true) return;
    // In memory of its own: a part of a text keeps the whole.
    const ended: EndedContainer = { uid, id, name, message: toByteString(Buffer.from(message, 'latin1')) };
    const others = this.#endedOf.get(uid);
    if (others === undefined) this.#endedOf.set(uid, [ended]);
    else others.push(ended);
    this.#ended.add(`${uid} ${id}`, ended, message.length, atMs);
  }

  #remove(pod: PodEntity, atMs: number): void {
    if (!isHidden(pod.namespace)) this.#keepFormer(pod, atMs, atMs);
  }

  #keepFormer(pod: PodEntity, removedMs: number | undefined, atMs: number): void {
    const { uid, own, joined, values, rest } = pod;
    for (const each of containersIn(rest)) this.#addAll(uid, each);
    const replaced = this.#former.get(uid);
    this.#former.add(uid, { pod, removedMs }, own.length + joined.length + values.length + rest.length, atMs);
    // It came back under its uid and went again: what it told of before is told no more.
    if (replaced !== undefined) this.#forgetPod(replaced.pod);
  }

  #forgetPod({ uid, rest }: PodEntity): void {
    for (const { id, previousId } of containersIn(rest)) {
      this.#drop(uid, id);
      this.#drop(uid, previousId);
    }
  }

  #forgetEnded(ended: EndedContainer): void {
    const { uid, id } = ended;
    const others = this.#endedOf.get(uid)?.filter((each) => each !== ended) ?? [];
    if (others.length === 0) this.#endedOf.delete(uid);
    else this.#endedOf.set(uid, others);
    this.#drop(uid, id);
  }

  #addAll(uid: string, { id, previousId }: ContainerIds): void {
    this.#add(uid, id);
    if (previousId !== '') this.#add(uid, previousId);
  }

  #add(uid: string, id: string): void {
    const key = containerKey(id);
    if (key === undefined) return;
    const there = this.#uids.get(key);
    if (there === uid || (typeof there === 'object' && there.includes(uid))) return;
    if (typeof there === 'object' && there.length >= MAX_SAME) {
      this.#crowded.add(key);
      return;
    }
    if (this.#entries >= this.#maxEntries) {
      this.#leftOut += 1;
      return;
    }
    this.#entries += 1;
    if (there === undefined) this.#uids.set(key, uid);
    else if (typeof there === 'string') this.#uids.set(key, [there, uid]);
    else there.push(uid);
    this.#listener?.(key);
  }

  /** Unless another container of the pod has the same key and is still told of. */
  #drop(uid: string, id: string): void {
    const key = containerKey(id);
    if (key === undefined) return;
    const told = containersIn(this.#pod(uid)?.pod.rest ?? ('' as ByteString));
    const ids = [
      ...told.flatMap((each) => [each.id, each.previousId]),
      ...(this.#endedOf.get(uid) ?? []).map((each) => each.id),
    ];
    if (ids.some((each) => containerKey(each) === key)) return;
    const there = this.#uids.get(key);
    if (there === uid) this.#uids.delete(key);
    else if (typeof there === 'object' && there.includes(uid)) {
      const others = there.filter((each) => each !== uid);
      this.#uids.set(key, others.length === 1 ? (others[0] as string) : others);
    } else return;
    this.#entries -= 1;
  }
}

const NONE: readonly never[] = Object.freeze([]);
