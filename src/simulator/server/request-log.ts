// What clients asked for, so that a test can assert that there was no list, or which options a watch carried.
//
// Keeps the last entries only (a demo runs for hours); the counts by verb and resource are never lost.

export type RequestVerb = 'list' | 'watch' | 'get' | 'other';

export interface LoggedRequest {
  readonly verb: RequestVerb;
  /** `pods`, `deployments.apps`; for other requests the path. */
  readonly resource: string;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
  /** Query parameters as sent. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly accept: string;
  /** Milliseconds since the epoch. */
  readonly timeMs: number;
  /** Status code of the answer; 0 until there is one. */
  code: number;
}

export interface RequestMatch {
  readonly verb?: RequestVerb;
  readonly resource?: string;
}

/** Enough for a test of a thousand reconnects of every resource, a few MB at most. */
const MAX_ENTRIES = 20_000;

/** Verbs times resources are some dozens; beyond are paths that do not exist. */
const MAX_COUNTS = 1_000;

export class RequestLog {
  #entries: LoggedRequest[] = [];
  readonly #counts = new Map<string, number>();
  readonly #listeners = new Set<() => void>();

  add(entry: LoggedRequest): void {
    this.#entries.push(entry);
    if (this.#entries.length > MAX_ENTRIES) {
      this.#entries = this.#entries.slice(MAX_ENTRIES / 2);
    }
    const key = `${entry.verb} ${entry.resource}`;
    if (this.#counts.has(key) || this.#counts.size < MAX_COUNTS) {
      this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
    }
    for (const listener of [...this.#listeners]) {
      listener();
    }
  }

  /** The latest entries that match, oldest first. */
  entries(match: RequestMatch = {}): readonly LoggedRequest[] {
    return this.#entries.filter((entry) => matches(match, entry.verb, entry.resource));
  }

  /** All requests since the start or the last `clear`. */
  count(match: RequestMatch = {}): number {
    let sum = 0;
    for (const [key, count] of this.#counts) {
      const [verb, resource] = key.split(' ');
      if (matches(match, verb as RequestVerb, resource ?? '')) {
        sum += count;
      }
    }
    return sum;
  }

  clear(): void {
    this.#entries = [];
    this.#counts.clear();
  }

  /** Called after every request that arrives. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }
}

export function matches(match: RequestMatch, verb: RequestVerb, resource: string): boolean {
  return (match.verb ?? verb) === verb && (match.resource ?? resource) === resource;
}
