// The page /metrics: computed once a second at most, however many ask, and in parts. Reading every metric walks lists
// that grow with subscribers, connections and resources: sixty scrapers would hold up lookups, and the whole page at once
// would hold up those of one turn of the event loop (5 to 20 ms with a thousand connections).
//
// So the values of a page are some milliseconds apart, as those of two pages are. It is kept as bytes: to write a text
// of 100 kB for each who asks took longer than to answer three lookups. And it is given to one who asks in a turn.

import type { Registry } from '@prometheus-io/client';

export interface MetricsPageOptions {
  readonly compute: () => Promise<string>;
  /** A monotonic clock. */
  readonly nowMs: () => number;
}

/** Scrapes are at least seconds apart, so that hardly one sees the page of another. */
const MAX_AGE_MS = 1_000;

/** Metrics are computed for so long in a turn of the event loop. The longest of them take 2.5 ms with 3,000 connections. */
const TURN_MS = 0.5;

export class MetricsPage {
  readonly #options: MetricsPageOptions;
  #computed: { readonly bytes: Promise<Buffer>; readonly atMs: number } | undefined;

  constructor(options: MetricsPageOptions) {
    this.#options = options;
  }

  /** At most a second old; rejects as `compute` did, and tries again for the next one who asks. */
  bytes(): Promise<Buffer> {
    const nowMs = this.#options.nowMs();
    if (this.#computed !== undefined && nowMs - this.#computed.atMs < MAX_AGE_MS) return this.#computed.bytes;
    const computed = { bytes: this.#options.compute().then((text) => Buffer.from(text)), atMs: nowMs };
    this.#computed = computed;
    computed.bytes.catch(() => {
      if (this.#computed === computed) this.#computed = undefined;
    });
    return computed.bytes;
  }
}

/** Lets one pass in a turn of the event loop, the first who came first. As many wait as there are requests. */
export class OneATurn {
  readonly #later: (run: () => void) => void;
  readonly #waiting: (() => void)[] = [];
  #isPassing = false;
  readonly #next = (): void => {
    const pass = this.#waiting.shift();
    this.#isPassing = pass !== undefined;
    if (pass === undefined) return;
    pass();
    this.#later(this.#next);
  };

  /** `later`: runs something in the next turn of the event loop (`setImmediate`). */
  constructor(later: (run: () => void) => void) {
    this.#later = later;
  }

  /** Resolves when it is its turn. */
  pass(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      if (this.#isPassing) return;
      this.#isPassing = true;
      this.#later(this.#next);
    });
  }
}

export interface InPartsOptions {
  /** A monotonic clock. */
  readonly nowMs: () => number;
  /** Runs something once others have had their turn (`setImmediate`). */
  readonly later: (run: () => void) => void;
}

/** What `registry.metrics()` gives, without holding up others for longer than a few metrics take. */
export async function metricsInParts(registry: Registry, { nowMs, later }: InPartsOptions): Promise<string> {
  const parts: string[] = [];
  let sinceMs = nowMs();
  for (const { name } of registry.getMetricsAsArray()) {
    // A turn begins with one metric at least.
    if (parts.length > 0 && nowMs() - sinceMs >= TURN_MS) {
      await new Promise<void>((resolve) => later(resolve));
      sinceMs = nowMs();
    }
    parts.push(await registry.getSingleMetricAsString(name));
  }
  return `${parts.join('\n\n')}\n`;
}
