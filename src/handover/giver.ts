// Hands the history of this process to a replica that starts: says why not, or tells it in parts.
//
// It refuses a replica that would not know the same by it: of another cluster, with other options, or one that has seen
// more than this one. Parts are made one at a time, as they are taken; between two of them the cluster goes on
// changing, which the taker sees for itself. Few takers at once: a rolling update has one.

import type { HolderEntity } from '../addresses/claims/claim.ts';
import type { HandedClaim, HandedFacts } from '../addresses/heritage/handed-history.ts';
import type { FormerOwner } from '../model/kubernetes/records.ts';
import { messageType } from '../wire/schema.ts';
import { claimFields, type Fields } from './claim-message.ts';
import { factsFields } from './facts-message.ts';
import { ownerFields, sizeOfOwner } from './owner-message.ts';
import type { Positions, ToldPosition } from './positions.ts';
import type { Setting } from './settings.ts';
import { stateFields } from './state-message.ts';

/** Where the history comes from. */
export interface Past {
  facts(): HandedFacts;
  claims(): Iterable<HandedClaim>;
  /** Owners that are gone. */
  owners(): Iterable<FormerOwner>;
}

export interface GiverOptions {
  readonly past: Past;
  readonly positions: Pick<Positions, 'compare'>;
  readonly epoch: Uint8Array;
  readonly clusterUid: () => string;
  readonly settings: readonly Setting[];
  /** This process has the history that it will have. */
  readonly isSettled: () => boolean;
  /** ms since the epoch. */
  readonly now: () => number;
}

export interface Taker {
  readonly epoch: Uint8Array;
  readonly clusterUid: string;
  readonly settings: readonly Setting[];
  readonly positions: readonly ToldPosition[];
}

export type Refusal =
  | { readonly reason: 'REPLICA_BEHIND' | 'TOO_MANY_TAKERS'; readonly message: string }
  | {
      readonly reason: 'SAME_REPLICA' | 'OTHER_CLUSTER' | 'OTHER_CONFIGURATION' | 'NO_HISTORY';
      readonly message: string;
    };

/** Parts of one history, each an encoded `digger.v1.HandOverResponse`. */
export interface HandOver extends Disposable {
  readonly parts: Iterable<Uint8Array>;
}

/** More takers at once are not served: each costs a second of CPU with 100,000 claims. */
const MAX_TAKERS = 4;
/** Objects of a part: some milliseconds of work. */
const OBJECTS_OF_A_PART = 200;
const OWNERS_OF_A_PART = 1_000;
/** A part ends when it has so many bytes of objects. */
const BYTES_OF_A_PART = 256 * 1024;

const RESPONSE = messageType('digger.v1.HandOverResponse');

export class Giver {
  readonly #options: GiverOptions;
  #takers = 0;
  /** Histories that were begun to be told. */
  given = 0;

  constructor(options: GiverOptions) {
    this.#options = options;
  }

  open(taker: Taker): HandOver | Refusal {
    const refusal = this.#refuse(taker);
    if (refusal !== undefined) return refusal;
    this.#takers++;
    this.given++;
    let isOpen = true;
    return {
      parts: this.#parts(),
      [Symbol.dispose]: () => {
        if (isOpen) this.#takers--;
        isOpen = false;
      },
    };
  }

  #refuse({ epoch, clusterUid, settings, positions }: Taker): Refusal | undefined {
    const { isSettled } = this.#options;
    if (Buffer.compare(epoch, this.#options.epoch) === 0) {
      return { reason: 'SAME_REPLICA', message: 'this is the replica that asks' };
    }
    const here = this.#options.clusterUid();
    if (here === '' || here !== clusterUid) {
      const name = (uid: string): string =>
        uid === '' ? 'a cluster whose uid is not known' : `cluster ${uid.slice(0, 128)}`;
      return {
        reason: 'OTHER_CLUSTER',
        message: `this replica is of ${name(here)}, the one that asks of ${name(clusterUid)}`,
      };
    }
    const differing = differingSettings(this.#options.settings, settings);
    if (differing.length > 0) {
      return { reason: 'OTHER_CONFIGURATION', message: `this replica has other values of ${differing.join(', ')}` };
    }
    if (!isSettled()) return { reason: 'NO_HISTORY', message: 'this replica is about to take a history over itself' };
    if (this.#takers >= MAX_TAKERS) {
      return { reason: 'TOO_MANY_TAKERS', message: `${MAX_TAKERS} replicas are taking the history over already` };
    }
    switch (this.#options.positions.compare(positions)) {
      case 'level':
        return undefined;
      case 'behind':
        return { reason: 'REPLICA_BEHIND', message: 'this replica has not seen yet what the one that asks has' };
      case 'other-resources':
        return { reason: 'OTHER_CONFIGURATION', message: 'the two replicas do not follow the same resources' };
      case 'other-history':
        return {
          reason: 'OTHER_CONFIGURATION',
          message: 'the two replicas are of different histories of the API server',
        };
    }
  }

  *#parts(): Generator<Uint8Array> {
    const { past, epoch, clusterUid, now } = this.#options;
    const teller = { epoch, clusterUid: clusterUid(), serverTimeMs: Math.floor(now()) };
    yield encode({ facts: factsFields(past.facts(), teller) });
    let objects: Fields[] = [];
    let bytes = 0;
    for (const { uid, state, claims, claimBytes } of byObject(past.claims())) {
      objects.push({
        uid,
        ...(state === undefined ? {} : { state: stateFields(state) }),
        claims: claims.map(claimFields),
      });
      bytes += claimBytes + sizeOf(state);
      if (objects.length < OBJECTS_OF_A_PART && bytes < BYTES_OF_A_PART) continue;
      yield encode({ objects });
      objects = [];
      bytes = 0;
    }
    yield encode({ objects });
    yield* this.#owners();
  }

  /** Last of all, so that those are among them that went while the rest was told. */
  *#owners(): Generator<Uint8Array> {
    let owners: Fields[] = [];
    let bytes = 0;
    for (const owner of this.#options.past.owners()) {
      owners.push(ownerFields(owner));
      bytes += sizeOfOwner(owner);
      if (owners.length < OWNERS_OF_A_PART && bytes < BYTES_OF_A_PART) continue;
      yield encode({ owners });
      owners = [];
      bytes = 0;
    }
    yield encode({ owners, complete: true });
  }
}

/** Names of those that differ. */
function differingSettings(here: readonly Setting[], there: readonly Setting[]): readonly string[] {
  const [one, other] = [here, there].map((all) => new Map(all.map(({ name, digest }) => [name, digest])));
  const names = new Set([...(one?.keys() ?? []), ...(other?.keys() ?? [])]);
  const differing = [...names].filter((name) => one?.get(name) !== other?.get(name));
  // A name is whatever the other side sends.
  return differing.slice(0, MAX_NAMED).map((name) => name.slice(0, 64));
}

/** Of options: more than there are. */
const MAX_NAMED = 32;

interface ObjectClaims {
  readonly uid: string;
  readonly state: HolderEntity | undefined;
  readonly claims: readonly HandedClaim[];
  readonly claimBytes: number;
}

/** A service may have 10,000 endpoints. */
const CLAIMS_OF_AN_OBJECT = 1_000;
/** Or thousands of ports on each of its addresses; and its state is told with each piece. */
const CLAIM_BYTES_OF_AN_OBJECT = 32 * 1024;

/** Neighbours of one object, or that ended with one state of it, become one. */
function* byObject(all: Iterable<HandedClaim>): Generator<ObjectClaims> {
  let claims: HandedClaim[] = [];
  let claimBytes = 0;
  let state: HolderEntity | undefined;
  for (const claim of all) {
    const [first] = claims;
    const isFull =
      claims.length >= CLAIMS_OF_AN_OBJECT || claimBytes >= Math.max(CLAIM_BYTES_OF_AN_OBJECT, sizeOf(state));
    const isSame = first?.uid === claim.uid && state === claim.end?.entity && !isFull;
    if (first !== undefined && !isSame) {
      yield { uid: first.uid, state, claims, claimBytes };
      claims = [];
      claimBytes = 0;
    }
    state = claim.end?.entity;
    claims.push(claim);
    claimBytes += sizeOfClaim(claim);
  }
  const [first] = claims;
  if (first !== undefined) yield { uid: first.uid, state, claims, claimBytes };
}

/** About as many bytes as it takes. */
function sizeOfClaim({ place }: HandedClaim): number {
  const ports = typeof place === 'object' && place.on === 'services' ? (place.ports?.list.length ?? 0) : 0;
  return BYTES_OF_A_CLAIM + BYTES_OF_A_PORT * ports;
}

const BYTES_OF_A_CLAIM = 64;
const BYTES_OF_A_PORT = 8;

function sizeOf(state: HolderEntity | undefined): number {
  if (state === undefined) return 0;
  const { own, joined, values, rest } = state;
  return own.length + joined.length + values.length + rest.length;
}

function encode(fields: Fields): Uint8Array {
  return RESPONSE.encode(fields).finish();
}
