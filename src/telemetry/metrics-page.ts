// The text of /metrics, computed once a second at most, however many ask: reading every metric walks lists that grow
// with subscribers and resources, and sixty scrapers would hold up lookups.

export interface MetricsPageOptions {
  readonly compute: () => Promise<string>;
  /** A monotonic clock. */
  readonly nowMs: () => number;
}

/** Scrapes are at least seconds apart, so that hardly one sees the text of another. */
const MAX_AGE_MS = 1_000;

export class MetricsPage {
  readonly #options: MetricsPageOptions;
  #computed: { readonly text: Promise<string>; readonly atMs: number } | undefined;

  constructor(options: MetricsPageOptions) {
    this.#options = options;
  }

  /** At most a second old; rejects as `compute` did, and tries again for the next one who asks. */
  text(): Promise<string> {
    const nowMs = this.#options.nowMs();
    if (this.#computed !== undefined && nowMs - this.#computed.atMs < MAX_AGE_MS) return this.#computed.text;
    const computed = { text: this.#options.compute(), atMs: nowMs };
    this.#computed = computed;
    computed.text.catch(() => {
      if (this.#computed === computed) this.#computed = undefined;
    });
    return computed.text;
  }
}
