// A list, page by page: all pages show the state of the first one's version, and `continue` carries the way from one to
// the next, so that neither server nor client ever holds the whole list.
//
// The server forgets that moment after some minutes. Then the pages that came so far are of no use, and the token
// inside the error, which goes on with a later moment, is not used: only a list in one piece is consistent.
//
// A list has an end: pages that go in a circle, one empty page after another, and more pages than any cluster fills are
// refused.

import type { KubernetesRecord } from '../../model/kubernetes/records.ts';
import { ApiError, toFailure } from './failure.ts';
import { type RequestContext, requestList } from './requests.ts';
import type { SilenceGuard } from './silence-guard.ts';
import { WireError } from '../wire-error.ts';

/** The server forgot the moment that a paged list shows. */
export class ExpiredContinueError extends ApiError {}

export interface PagedListRequest {
  /** `''`: the latest; `'0'`: any; else not older than this. */
  readonly resourceVersion: string;
  /** Objects a page; 0: no limit. */
  readonly limit: number;
}

export interface PagedList {
  readonly resourceVersion: string;
  readonly pages: number;
}

/** A list has no business being silent; the server itself gives a request 60 s. */
export const LIST_SILENCE_MS = 60_000;

/** 50 million objects in pages of 500; no cluster has as many. */
const MAX_PAGES = 100_000;
/** A server that filters may send a page without objects (metav1.ListMeta.continue), but nothing is filtered here. */
const MAX_EMPTY_PAGES = 10;

/**
 * Reads all pages. Throws a WireError when they lead nowhere; else throws an ExpiredContinueError, or what the request
 * or the guard has to say.
 */
export async function listPages<R extends KubernetesRecord>(
  context: RequestContext<R>,
  guard: SilenceGuard,
  request: PagedListRequest,
  take: (record: R) => void,
): Promise<PagedList> {
  let resourceVersion = '';
  let continueToken = '';
  let pages = 0;
  let emptyPages = 0;
  const tokens = new CircleDetector();
  for (;;) {
    let objects = 0;
    const count = (record: R) => {
      objects += 1;
      take(record);
    };
    guard.expectWithin(LIST_SILENCE_MS, 'a list was silent for too long');
    const page = await requestList(context, { ...request, continueToken }, count).catch((error: unknown) => {
      const expired = continueToken !== '' && error instanceof ApiError && toFailure(error).kind === 'expired';
      throw expired ? new ExpiredContinueError(error.status, 'next page') : guard.explain(error);
    });
    if (pages === 0) resourceVersion = page.resourceVersion;
    pages += 1;
    continueToken = page.continueToken;
    if (continueToken === '') return { resourceVersion, pages };
    emptyPages = objects === 0 ? emptyPages + 1 : 0;
    if (emptyPages > MAX_EMPTY_PAGES) throw new WireError(`a list goes on after ${emptyPages} empty pages in a row`);
    if (pages >= MAX_PAGES) throw new WireError(`a list has more than ${MAX_PAGES} pages`);
    // A proxy that answers from a cache does that; asked again at once it would be thousands of pages a second.
    if (tokens.isRepeated(continueToken)) {
      throw new WireError(`the pages of a list go in a circle: page ${pages} has a continue token that came before`);
    }
  }
}

/**
 * Notices a sequence that repeats itself, of any period, and remembers one token only (Brent's algorithm): the one that
 * is kept is replaced after 1, 2, 4, 8, … others, so it soon lies on the circle and is met again after one more turn.
 */
class CircleDetector {
  #kept = '';
  #since = 0;
  #patience = 1;

  isRepeated(token: string): boolean {
    if (token === this.#kept) return true;
    this.#since += 1;
    if (this.#since === this.#patience) {
      this.#kept = token;
      this.#since = 0;
      this.#patience *= 2;
    }
    return false;
  }
}
