// Room for reviews under way, in two lanes: callers who were let in before, and newcomers. A crowd of newcomers with
// forged tokens takes no room from callers that are known, whose reviews are renewed or checked again.
//
// Bounds of a lane: reviews at once, reviews at once for one peer, reviews that wait, and how long they wait. Peers
// take turns, and when no more may wait, the newest of the peer that has most waiting is refused: one peer with many
// requests keeps none with few from its turn. Beyond the bounds a review is undecided (`busy`), never a denial.

/** Nothing could be decided now. */
export class UndecidedError extends Error {
  override readonly name = 'UndecidedError';
  /** `busy`: too many reviews, none was asked for; `failed`: the API server gave no answer. */
  readonly why: 'busy' | 'failed';

  constructor(why: 'busy' | 'failed', message: string) {
    super(message);
    this.why = why;
  }
}

export interface LaneLimits {
  /** Reviews under way. */
  readonly underWay: number;
  /** Of them, for one peer. */
  readonly underWayOfPeer: number;
  /** Reviews that wait for one of those to end. */
  readonly waiting: number;
  readonly waitMs: number;
}

/** `known`: the caller was let in before, and may do what it asks as far as is known. */
export type Lane = 'known' | 'new';

interface Waiter {
  readonly start: () => void;
  readonly giveUp: (why: string) => void;
}

interface Peer {
  underWay: number;
  /** Oldest first. */
  readonly waiting: Waiter[];
}

export class ReviewLane {
  readonly #limits: LaneLimits;
  /** Those with reviews under way or waiting; whose turn is next comes first. */
  readonly #peers = new Map<string, Peer>();
  #underWay = 0;
  #waiting = 0;
  #refused = 0;

  constructor(limits: LaneLimits) {
    this.#limits = limits;
  }

  get underWay(): number {
    return this.#underWay;
  }

  get waiting(): number {
    return this.#waiting;
  }

  /** Reviews that found no room, ever. */
  get refused(): number {
    return this.#refused;
  }

  /** Runs the review at once where there is room, else when there is. Rejects as it does, or with an UndecidedError. */
  run<V>(name: string, review: () => Promise<V>): Promise<V> {
    const peer = this.#peers.get(name) ?? { underWay: 0, waiting: [] };
    this.#peers.set(name, peer);
    if (this.#hasRoom(peer)) return this.#start(name, peer, review);
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        clearTimeout(timer);
        this.#waiting -= 1;
      };
      const waiter: Waiter = {
        start: () => {
          settle();
          this.#start(name, peer, review).then(resolve, reject);
        },
        giveUp: (why) => {
          settle();
          this.#refused += 1;
          reject(new UndecidedError('busy', why));
        },
      };
      this.#waiting += 1;
      peer.waiting.push(waiter);
      const timer = setTimeout(() => {
        peer.waiting.splice(peer.waiting.indexOf(waiter), 1);
        this.#forget(name, peer);
        waiter.giveUp(`no review ended within ${this.#limits.waitMs} ms`);
      }, this.#limits.waitMs);
      // A process that has nothing else to do may end.
      timer.unref();
      if (this.#waiting > this.#limits.waiting) this.#makeRoom(name, peer);
    });
  }

  #hasRoom(peer: Peer): boolean {
    return this.#underWay < this.#limits.underWay && peer.underWay < this.#limits.underWayOfPeer;
  }

  #start<V>(name: string, peer: Peer, review: () => Promise<V>): Promise<V> {
    this.#underWay += 1;
    peer.underWay += 1;
    return review().finally(() => {
      this.#underWay -= 1;
      peer.underWay -= 1;
      this.#forget(name, peer);
      this.#startNext();
    });
  }

  #startNext(): void {
    for (const [name, peer] of this.#peers) {
      if (this.#underWay >= this.#limits.underWay) return;
      if (!this.#hasRoom(peer)) continue;
      const next = peer.waiting.shift();
      if (next === undefined) continue;
      // Behind all others for its next turn.
      this.#peers.delete(name);
      this.#peers.set(name, peer);
      next.start();
    }
  }

  /** One more waits than may: `name` is the peer that it came from. */
  #makeRoom(name: string, peer: Peer): void {
    let [busiestName, busiest] = [name, peer];
    for (const [otherName, other] of this.#peers) {
      if (other.waiting.length > busiest.waiting.length) [busiestName, busiest] = [otherName, other];
    }
    const newest = busiest.waiting.pop();
    this.#forget(busiestName, busiest);
    newest?.giveUp(`${this.#limits.waiting} reviews wait already`);
  }

  #forget(name: string, peer: Peer): void {
    if (peer.underWay === 0 && peer.waiting.length === 0) this.#peers.delete(name);
  }
}
