// A feed under a manual clock, and subscribers that take their frames when told to.

import { Registry } from '@prometheus-io/client';
import { ChangeFeed } from '../../src/feed/change-feed.ts';
import type { FeedLimits, SubscribeRequest } from '../../src/feed/feed-options.ts';
import type { EndReason } from '../../src/feed/subscriptions/frame-sink.ts';
import { type ClusterIdentity, UNKNOWN_CLUSTER } from '../../src/model/cluster-identity.ts';
import type { Frame } from '../../src/wire/frame.ts';
import { Picture, everything } from './cluster.ts';
import { Consumer } from './consumer.ts';
import { ManualScheduler } from './manual-scheduler.ts';

export class Harness {
  readonly scheduler = new ManualScheduler();
  readonly registry = new Registry();
  readonly feed: ChangeFeed;
  readonly picture: Picture;
  cluster: ClusterIdentity = UNKNOWN_CLUSTER;

  constructor(limits: Partial<FeedLimits> = {}, configuration = '', epoch = 1) {
    this.feed = new ChangeFeed({
      epoch: Buffer.alloc(16, epoch),
      configuration,
      cluster: () => this.cluster,
      freshness: () => [{ resource: 'pods', lastContactMs: this.scheduler.wallTime(), stalenessMs: undefined }],
      registry: this.registry,
      scheduler: this.scheduler,
      limits,
    });
    this.picture = new Picture(this.feed.onBatch);
  }

  subscribe(request: Partial<SubscribeRequest> = {}, consumer = new Consumer()): Subscriber {
    return new Subscriber(this, request, consumer);
  }

  /** Value of a metric without labels, or with the one label given. */
  async metric(name: string, reason?: string): Promise<number> {
    const text = await this.registry.metrics();
    const labels = reason === undefined ? '' : `\\{reason="${reason}"\\}`;
    const value = new RegExp(`^${name}${labels} (\\S+)$`, 'm').exec(text)?.[1];
    return value === undefined ? 0 : Number(value);
  }
}

/** Applies each frame to its copy as it comes. While paused it leaves the frame that is in flight untaken. */
export class Subscriber {
  readonly consumer: Consumer;
  readonly frames: Uint8Array[] = [];
  ended: EndReason | undefined;
  outcome: string;
  #close: () => void = () => undefined;
  #paused = false;
  #untaken: (() => void) | undefined;
  readonly #harness: Harness;

  constructor(harness: Harness, request: Partial<SubscribeRequest>, consumer: Consumer) {
    this.#harness = harness;
    this.consumer = consumer;
    const opened = harness.feed.open(
      {
        filter: everything(),
        view: 'FULL',
        resumeToken: new Uint8Array(),
        snapshotOnly: false,
        heartbeatMs: 10_000,
        ...request,
      },
      { write: (frame, taken) => this.#write(frame, taken), end: (reason) => void (this.ended = reason) },
    );
    this.outcome = opened.outcome;
    if (opened.outcome === 'opened') this.#close = opened.close;
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    const taken = this.#untaken;
    this.#untaken = undefined;
    if (taken !== undefined) this.#harness.scheduler.soon(taken);
  }

  close(): void {
    this.#close();
  }

  #write({ message }: Frame, taken: () => void): void {
    if (this.#untaken !== undefined) throw new Error('two frames in flight');
    this.frames.push(message);
    this.consumer.apply(message);
    if (this.#paused) this.#untaken = taken;
    else this.#harness.scheduler.soon(taken);
  }
}
