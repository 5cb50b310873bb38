// Lookups and the feed are one picture: a caller that has heard of a change and then asks finds at least that change,
// however much else happens meanwhile.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { status } from '@grpc/grpc-js';
import { createRandom, type Random } from '../random.ts';
import type { Message } from '../observers/digger-client.ts';
import type { DiggerProcess } from '../observers/digger-process.ts';
import { done, eventually, notYet } from '../observers/eventually.ts';
import { Story } from './story.ts';

const WALKERS = 8;
const FIRST_HOST = 200;
const CHECKS = { upserts: 300, removals: 40 };

describe('a subscriber that asks about what it hears', () => {
  it('finds at least that change, in lookups by name and by address', { timeout: 120_000 }, async () => {
    await using story = await Story.begin();
    const digger = await story.startReadyDigger();
    const feed = digger.watch({ filter: { kinds: ['ENTITY_KIND_POD'], labels: { app: 'walker' } } });
    using walkers = new Walkers(story, createRandom(7));
    const checked = { upserts: 0, removals: 0 };
    const failures: string[] = [];
    const checks: Promise<void>[] = [];
    const lastRevision = new Map<string, number>();
    let seen = 0;
    // Asked in the turn in which the frame is there; answers are awaited later, so that many are on their way at once.
    const look = (): void => {
      for (; seen < feed.frames.length; seen++) {
        for (const change of (feed.frames[seen]?.['changes']?.['changes'] ?? []) as readonly Message[]) {
          const pod = change['upsert']?.['pod'] as Message | undefined;
          if (pod !== undefined) {
            const told = Number(pod['labels']['revision']);
            lastRevision.set(pod['uid'], told);
            checked.upserts += 1;
            checks.push(expectFrom(digger, walkers, pod, told, failures));
          } else if (change['removal']) {
            const { uid, name } = change['removal'];
            checked.removals += 1;
            checks.push(expectAfter(digger, name, lastRevision.get(uid) ?? 0, failures));
          }
        }
      }
    };
    await eventually(
      'enough was heard and asked',
      () => {
        look();
        const enough = checked.upserts >= CHECKS.upserts && checked.removals >= CHECKS.removals;
        return enough ? done(undefined) : notYet(checked);
      },
      { intervalMs: 1 },
    );
    walkers[Symbol.dispose]();
    await Promise.all(checks);
    assert.deepEqual(failures, []);
    feed.cancel();
    await story.assertWholeState(digger);
  });
});

describe('an owner of which only the reference in a pod tells', () => {
  it('is found by name as the feed tells it, wakes those who wait for it, and goes with its last pod', async () => {
    await using story = await Story.begin();
    const digger = await story.startReadyDigger();
    const feed = digger.watch({ filter: { kinds: ['ENTITY_KIND_WORKLOAD'] } });
    const request = { apiGroup: 'example.dev', kind: 'Widget', namespace: 'shop', name: 'widget' };
    const waiting = digger.call('LookupService', 'GetWorkload', { ...request, wait: { seconds: 8 } });
    const controller = {
      apiVersion: 'example.dev/v1',
      kind: 'Widget',
      name: 'widget',
      uid: 'uid-widget',
      controller: true,
    };
    story.createPod('part', FIRST_HOST, { controller });
    const { workload } = await waiting;
    assert.deepEqual([workload['uid'], workload['incomplete']], ['uid-widget', true]);
    const told = await eventually('the feed tells of it', () => {
      const changes = feed.frames.flatMap((frame) => (frame['changes']?.['changes'] ?? []) as readonly Message[]);
      const found = changes.find((change) => change['upsert']?.['workload']?.['uid'] === 'uid-widget');
      return found === undefined ? notYet(changes) : done(found['upsert']['workload']);
    });
    assert.deepEqual(workload, told);
    await story.assertWholeState(digger);
    story.deletePod('part');
    await eventually('it is gone with its pod', async () => {
      const answer = await digger.call('LookupService', 'GetWorkload', request).catch((error: unknown) => error);
      return (answer as { readonly code?: status }).code === status.NOT_FOUND ? done(undefined) : notYet(answer);
    });
    feed.cancel();
  });
});

/** After an upsert with this revision: the pod as it was then or is later, or gone if it went later. */
async function expectFrom(
  digger: DiggerProcess,
  walkers: Walkers,
  pod: Message,
  told: number,
  failures: string[],
): Promise<void> {
  const { name } = pod as { readonly name: string };
  const [found, resolution] = await Promise.all([revisionOf(digger, name), digger.resolve(pod['addresses'][0])]);
  const goneLater = walkers.hasGoneSince(name, told);
  if (found === undefined ? !goneLater : found < told) failures.push(`${name}: told ${told}, by name ${found}`);
  const holders = [resolution, ...((resolution['candidates'] ?? []) as readonly Message[])];
  const revisions = holders.map((holder) => Number(holder['pod']?.['labels']?.['revision'] ?? 0));
  const newest = Math.max(...revisions);
  if (newest < told && !goneLater)
    failures.push(`${name}: told ${told}, by address ${resolution['outcome']} ${newest}`);
}

/** After the removal of the object that had this revision last: gone, or another one. */
async function expectAfter(digger: DiggerProcess, name: string, last: number, failures: string[]): Promise<void> {
  const found = await revisionOf(digger, name);
  if (found !== undefined && found <= last) failures.push(`${name}: told that it went after ${last}, by name ${found}`);
}

async function revisionOf(digger: DiggerProcess, name: string): Promise<number | undefined> {
  try {
    const { pod } = await digger.call('LookupService', 'GetPod', { namespace: 'shop', name });
    return Number(pod['labels']['revision']);
  } catch (error) {
    if ((error as { readonly code?: status }).code === status.NOT_FOUND) return undefined;
    throw error;
  }
}

/** Pods that come, change and go, each at an address of its own; every write has the next revision. */
class Walkers implements Disposable {
  readonly #story: Story;
  readonly #random: Random;
  readonly #timer: NodeJS.Timeout;
  readonly #present = new Set<string>();
  /** Revision after which a pod of this name went last. */
  readonly #goneAfter = new Map<string, number>();
  #revision = 0;

  constructor(story: Story, random: Random) {
    this.#story = story;
    this.#random = random;
    this.#timer = setInterval(() => this.#step(), 3);
  }

  hasGoneSince(name: string, revision: number): boolean {
    return (this.#goneAfter.get(name) ?? -1) >= revision;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #step(): void {
    const host = FIRST_HOST + this.#random.between(0, WALKERS - 1);
    const name = `walker-${host}`;
    if (!this.#present.has(name)) {
      this.#story.createPod(name, host, { labels: { app: 'walker', revision: String(++this.#revision) } });
      this.#present.add(name);
    } else if (this.#random.chance(0.25)) {
      this.#story.deletePod(name);
      this.#present.delete(name);
      this.#goneAfter.set(name, this.#revision);
    } else {
      const labels = { revision: String(++this.#revision) };
      this.#story.simulator.cluster.patch('pods', 'shop', name, { metadata: { labels } });
    }
  }
}
