// Who owns whom, by uid: chains of controllers from an object to the top, shared by all objects of one controller.
//
// A link stands for one uid that owns something or is an owner record. It is known (a record says what it is), retained
// (the record vanished while pods below it live, or a short time ago, see `holders`) or unknown (only referred to); a
// chain ends at an unknown link and is marked incomplete there. Chains are a pure function of the records, retained
// links excepted. Depth is bounded, a cycle ends a chain. Objects whose chain may have changed are reported through
// `touched`.
//
// Nothing here recurses or looks at what is further than MAX_CHAIN away: a tenant may make chains of any length. Which
// links live pods keep is counted, never searched for.
//
// Bound: links are owner records, plus uids that live objects refer to, plus retained ones, of which each live pod and
// each former owner (`former-owners.ts`) keeps at most MAX_CHAIN. A link goes when the last reason for it does.

import { wideMap } from '../../collections/wide-map.ts';
import type { ObjectReference } from '../../model/entities.ts';
import type { ControllerReference, FormerOwner, KnownObject } from '../../model/kubernetes/records.ts';
import { FormerOwners, type FormerOwnersOptions } from './former-owners.ts';
import {
  type ControllerEdge,
  type Dependant,
  dropUse,
  internEdge,
  linksFrom,
  MAX_CHAIN,
  MAX_TOLD,
  OwnerLink,
} from './owner-links.ts';

export interface OwnerGraphOptions {
  /** A pod or node with this uid, which owns nothing yet as far as the graph knows. */
  readonly find: (uid: string) => KnownObject | undefined;
  /** The chain of this owner may have changed. */
  readonly touchedOwner: (link: OwnerLink) => void;
  /** The chains of all pods that this link has may have changed: told once, because they may be tens of thousands. */
  readonly touchedPods: (link: OwnerLink) => void;
  /** How long owners that are gone stay known. Unset: as long as pods refer to them. */
  readonly former?: FormerOwnersOptions;
}

export class OwnerGraph {
  readonly #links = wideMap<OwnerLink>();
  readonly #options: OwnerGraphOptions;
  /** Links that may have lost the last reason for them; empty between calls. */
  readonly #loose: OwnerLink[] = [];
  readonly #formers: FormerOwners;
  #retained = 0;
  /** Links that were visited, ever: what a change costs, for those who count it. */
  visits = 0;

  constructor(options: OwnerGraphOptions) {
    this.#options = options;
    this.#formers = new FormerOwners(options.former ?? { retentionMs: 0, maxOwners: 0 });
  }

  get retainedCount(): number {
    return this.#retained;
  }

  /** Links that are held. */
  get size(): number {
    return this.#links.size;
  }

  get(uid: string): OwnerLink | undefined {
    return this.#links.get(uid);
  }

  /** The dependant now has this controller. Detach it with the edge that this returns. */
  attach(dependant: Dependant, namespace: string, controller: ControllerReference): ControllerEdge {
    const edge = this.#attach(dependant, namespace, controller);
    this.#sweep();
    return edge;
  }

  detach(dependant: Dependant, edge: ControllerEdge): void {
    this.#detach(dependant, edge);
    this.#sweep();
  }

  /** The dependant's controller is now said differently; what goes on existing is never gone in between. */
  move(
    dependant: Dependant,
    before: ControllerEdge | undefined,
    namespace: string,
    controller: ControllerReference | undefined,
  ): ControllerEdge | undefined {
    const after = this.#move(dependant, before, namespace, controller);
    this.#sweep();
    return after;
  }

  /** An owner record came or changed. */
  record(known: KnownObject): OwnerLink {
    const link = this.#link(known.uid);
    link.isRecord = true;
    this.#learn(link, known);
    this.#sweep();
    return link;
  }

  /** A pod or node came or changed; it matters only if something refers to it. */
  notice(known: KnownObject): void {
    const link = this.#links.get(known.uid);
    if (link === undefined) return;
    this.#learn(link, known);
    this.#sweep();
  }

  /** A write is complete at this moment: owners that went long ago are forgotten. */
  tick(atMs: number): void {
    for (const link of this.#formers.tick(atMs)) this.#release(link);
    this.#sweep();
  }

  /** The object behind this uid vanished. It is retained while pods below it live, and for a time in any case. */
  forget(uid: string): void {
    const link = this.#links.get(uid);
    if (link?.reference === undefined) return;
    link.isRecord = false;
    if (!link.retained) {
      link.retained = true;
      this.#retained += 1;
    }
    const chain = linksFrom(link);
    if (!this.#formers.has(link) && this.#formers.add(link, chain)) for (const each of chain) each.holders += 1;
    this.#loose.push(link);
    this.#sweep();
  }

  /** Those that are retained, for a replica that begins. May be read in pieces while owners come and go. */
  *formers(nowMs: number): Generator<FormerOwner> {
    for (const link of this.#links.values()) {
      if (!link.retained || link.reference === undefined) continue;
      const { apiVersion, kind, namespace, name, uid } = link.reference;
      const goneAtMs = this.#formers.goneAtMs(link, nowMs);
      yield { apiVersion, kind, namespace, name, uid, controller: link.edge?.controller, goneAtMs };
    }
  }

  /**
   * What another replica has retained, as far as it is of use: what objects here refer to, what stands above that, and
   * what went a short time ago. Of what is known here nothing changes. Returns how many were taken.
   */
  inherit(formers: readonly FormerOwner[], nowMs: number): number {
    const offered = new Map(formers.map((former) => [former.uid, former]));
    const recent = this.#formers.newest(formers, nowMs);
    // All of them before any is retained, because what is above one counts with it.
    const taken: { readonly link: OwnerLink; readonly goneAtMs: number | undefined }[] = [];
    const next = [...this.#links.keys(), ...recent.map(({ uid }) => uid)];
    for (let uid = next.pop(); uid !== undefined; uid = next.pop()) {
      const former = offered.get(uid);
      if (former === undefined) continue;
      offered.delete(uid);
      if (this.#links.get(uid)?.reference !== undefined || this.#options.find(uid) !== undefined) continue;
      const link = this.#link(uid);
      this.#learn(link, former);
      taken.push({ link, goneAtMs: former.goneAtMs });
      if (former.controller !== undefined) next.push(former.controller.uid);
    }
    for (const { link } of taken) {
      link.retained = true;
      this.#retained += 1;
      this.#loose.push(link);
    }
    const kept = taken.flatMap(({ link, goneAtMs = Number.NEGATIVE_INFINITY }) =>
      this.#formers.isRecent(goneAtMs, nowMs) ? [[link, linksFrom(link), Math.min(goneAtMs, nowMs)] as const] : [],
    );
    for (const [, held] of kept) for (const each of held) each.holders += 1;
    this.#formers.inherit(kept);
    this.#sweep();
    return taken.length;
  }

  /** It is not kept as a former owner any longer. */
  #release(link: OwnerLink): void {
    this.#letGo(this.#formers.delete(link));
    this.#loose.push(link);
  }

  #link(uid: string): OwnerLink {
    let link = this.#links.get(uid);
    if (link === undefined) this.#links.set(uid, (link = new OwnerLink(uid)));
    return link;
  }

  #attach(dependant: Dependant, namespace: string, controller: ControllerReference): ControllerEdge {
    let link = this.#links.get(controller.uid);
    if (link === undefined) {
      link = this.#link(controller.uid);
      const known = this.#options.find(link.uid);
      if (known !== undefined) this.#learn(link, known);
    }
    const { edge, isNew } = internEdge(link, namespace, controller);
    edge.uses += 1;
    if (dependant.dependant === 'link') {
      link.links.add(dependant);
    } else {
      link.pods.add(dependant);
      if (link.pods.size === 1) this.#hold(link);
    }
    if (isNew) this.#retell(link);
    return edge;
  }

  #detach(dependant: Dependant, edge: ControllerEdge): void {
    const { link } = edge;
    if (dependant.dependant === 'link') {
      link.links.delete(dependant);
    } else {
      link.pods.delete(dependant);
      if (link.pods.size === 0) this.#unhold(link);
    }
    if (dropUse(edge)) this.#retell(link);
    this.#loose.push(link);
  }

  #move(
    dependant: Dependant,
    before: ControllerEdge | undefined,
    namespace: string,
    controller: ControllerReference | undefined,
  ): ControllerEdge | undefined {
    if (before === undefined) {
      return controller === undefined ? undefined : this.#attach(dependant, namespace, controller);
    }
    if (controller !== undefined && before.link.uid === controller.uid) {
      // The same controller in other words: it keeps its dependant.
      const { edge, isNew } = internEdge(before.link, namespace, controller);
      edge.uses += 1;
      const isLast = dropUse(before);
      if (isNew || isLast) this.#retell(before.link);
      return edge;
    }
    const after = controller === undefined ? undefined : this.#attach(dependant, namespace, controller);
    this.#detach(dependant, before);
    return after;
  }

  #learn(link: OwnerLink, known: KnownObject): void {
    if (link.retained) {
      link.retained = false;
      this.#retained -= 1;
    }
    if (this.#formers.has(link)) this.#release(link);
    const { controller } = known;
    let changed = false;
    if (link.reference === undefined || !refersTo(link.reference, known)) {
      const { apiVersion, kind, namespace, name, uid } = known;
      link.reference = Object.freeze({ apiVersion, kind, namespace, name, uid, incomplete: false });
      changed = true;
    }
    const before = link.edge;
    if (controller === undefined ? before !== undefined : before?.says(controller) !== true) {
      link.edge = this.#move(link, before, known.namespace, controller);
      changed = true;
    }
    if (changed) this.#invalidate(link);
  }

  #unlearn(link: OwnerLink): void {
    if (link.retained) this.#retained -= 1;
    link.retained = false;
    link.reference = undefined;
    const { edge } = link;
    link.edge = undefined;
    this.#invalidate(link);
    if (edge !== undefined) this.#detach(link, edge);
  }

  /** Links that lost a reason go when it was the last one: what live pods do not need any more, here and further up. */
  #sweep(): void {
    for (let link = this.#loose.pop(); link !== undefined; link = this.#loose.pop()) {
      this.visits += 1;
      if (this.#links.get(link.uid) !== link) continue;
      if (link.retained && link.holders === 0) this.#unlearn(link);
      if (link.links.size + link.pods.size > 0 || link.isRecord || this.#formers.has(link)) continue;
      this.#links.delete(link.uid);
      const { edge } = link;
      link.edge = undefined;
      if (edge !== undefined) this.#detach(link, edge);
    }
  }

  /**
   * Dependants were made of what the others tell too, so they are looked at again even where it comes out the same: in
   * another order of the same changes, at another replica, it may have been different in between.
   */
  #retell(link: OwnerLink): void {
    const differs = link.retell();
    const mayDiffer = link.edges.size > 0 && link.edges.size <= MAX_TOLD;
    if (link.reference === undefined && (differs || mayDiffer)) this.#invalidate(link);
  }

  /** The link has pods: what is in its chain is needed. */
  #hold(link: OwnerLink): void {
    const before = link.held;
    link.held = linksFrom(link);
    for (const each of link.held) each.holders += 1;
    if (before !== undefined) this.#letGo(before);
  }

  #unhold(link: OwnerLink): void {
    const { held } = link;
    link.held = undefined;
    if (held !== undefined) this.#letGo(held);
  }

  #letGo(held: readonly OwnerLink[]): void {
    for (const each of held) {
      each.holders -= 1;
      if (each.holders === 0 && each.retained) this.#loose.push(each);
    }
  }

  /** All chains through this link are void: those of what is below it, no further than a chain reaches. */
  #invalidate(link: OwnerLink): void {
    const seen = new Set([link]);
    let level: OwnerLink[] = [link];
    for (let depth = 0; level.length > 0 && depth < MAX_CHAIN; depth += 1) {
      const below: OwnerLink[] = [];
      for (const at of level) {
        at.invalidate();
        if (at.pods.size > 0) {
          this.#hold(at);
          this.#options.touchedPods(at);
        }
        for (const dependant of at.links) {
          this.visits += 1;
          this.#options.touchedOwner(dependant);
          if (seen.has(dependant)) continue;
          seen.add(dependant);
          below.push(dependant);
        }
      }
      level = below;
    }
    this.#options.touchedOwner(link);
  }
}

function refersTo(reference: ObjectReference, known: KnownObject): boolean {
  return (
    reference.name === known.name &&
    reference.namespace === known.namespace &&
    reference.kind === known.kind &&
    reference.apiVersion === known.apiVersion
  );
}
