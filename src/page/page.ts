// The page of the admin listener (--admin-page): its files, its state and its search, as answers to paths.
//
// It shows addresses and names without asking who looks, so it is off unless it is asked for. Nothing is loaded from
// elsewhere, and the browser is told to hold it to that. Only requests that name this machine by an address or as
// localhost are answered: a name could be somebody else's that was pointed here, whose page would then read this one.
// Searches by all together come no faster than SEARCH_INTERVAL_MS; the state is made at most once in STATE_INTERVAL_MS.

import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { codeFile } from '../package/own-files.ts';
import { find, type Findable } from './find.ts';
import type { RecentChanges } from './recent-changes.ts';

export interface PageOptions extends Findable {
  readonly changes: Pick<RecentChanges, 'list'>;
  /** What the page shows beside the changes; has to be JSON. */
  readonly state: () => object;
  /** Lookups are answered; before that the picture is not complete. */
  readonly isReady: () => boolean;
  readonly nowMs: () => number;
}

/** An answer over HTTP. */
export interface PageAnswer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

const STATE_INTERVAL_MS = 500;
const SEARCH_INTERVAL_MS = 100;

const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const HEADERS = {
  'content-security-policy': POLICY,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
};

const FILES: ReadonlyMap<string, readonly [file: string, type: string]> = new Map([
  ['/', ['page.html', 'text/html; charset=utf-8']],
  ['/page.css', ['page.css', 'text/css; charset=utf-8']],
  ['/page.js', ['page.js', 'text/javascript; charset=utf-8']],
  ['/timeline.js', ['timeline.js', 'text/javascript; charset=utf-8']],
]);

export class Page {
  readonly #options: PageOptions;
  readonly #files: ReadonlyMap<string, PageAnswer>;
  #state: { readonly madeMs: number; readonly body: string } | undefined;
  #searchedMs = Number.NEGATIVE_INFINITY;

  constructor(options: PageOptions) {
    this.#options = options;
    this.#files = new Map(
      [...FILES].map(([path, [file, type]]) => [
        path,
        answer(200, readFileSync(codeFile(`page/assets/${file}`), 'utf8'), type),
      ]),
    );
  }

  /** `undefined`: the page has no such path. `url`: path and query; `host`: the header of that name. */
  answer(url: string, host: string | undefined): PageAnswer | undefined {
    const [pathname = '', query = ''] = url.split('?', 2);
    const file = this.#files.get(pathname);
    if (file === undefined && pathname !== '/state.json' && pathname !== '/find.json') return undefined;
    if (!isOwnHost(host)) {
      return answer(403, 'the page is shown under localhost or an IP address only, not under a name\n');
    }
    if (file !== undefined) return file;
    return pathname === '/state.json'
      ? this.#showState()
      : this.#find((new URLSearchParams(query).get('q') ?? '').trim());
  }

  #showState(): PageAnswer {
    const nowMs = this.#options.nowMs();
    if (this.#state === undefined || nowMs - this.#state.madeMs >= STATE_INTERVAL_MS) {
      const body = JSON.stringify({ ...this.#options.state(), changes: this.#options.changes.list() });
      this.#state = { madeMs: nowMs, body };
    }
    return answer(200, this.#state.body, JSON_TYPE);
  }

  #find(question: string): PageAnswer {
    // As for callers: an empty picture would say of every address that nothing holds it.
    if (!this.#options.isReady()) return answer(503, 'not ready yet: nothing can be looked up\n');
    const nowMs = this.#options.nowMs();
    if (nowMs - this.#searchedMs < SEARCH_INTERVAL_MS) return answer(429, 'too many searches at once; try again\n');
    this.#searchedMs = nowMs;
    const found = find(question, this.#options, nowMs);
    return found.ok ? answer(200, JSON.stringify(found.answer), JSON_TYPE) : answer(400, `${found.problem}\n`);
  }
}

const JSON_TYPE = 'application/json; charset=utf-8';

function answer(status: number, body: string, type = 'text/plain; charset=utf-8'): PageAnswer {
  return { status, body, type, headers: HEADERS };
}

function isOwnHost(host: string | undefined): boolean {
  const name = (host ?? '').replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
  return name === 'localhost' || isIP(name) !== 0;
}
