// A list, page by page: all pages show the state of the first one's version, and `continue` carries the way from one to
// the next, so that neither server nor client ever holds the whole list.
//
// The server forgets that moment after some minutes. Then the pages that came so far are of no use, and the token
// inside the error, which goes on with a later moment, is not used: only a list in one piece is consistent.

import type { KubernetesRecord } from '../../model/records.ts';
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

/** 20 million objects in pages of 1,000; no cluster has as many. */
const MAX_PAGES = 20_000;

/**
 * Reads all pages. Throws a WireError when the pages lead nowhere: the same token twice, or more than MAX_PAGES; else
 * throws an ExpiredContinueError, or what the request or the guard has to say.
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
  const seen = new Set<string>();
  do {
    guard.expectWithin(LIST_SILENCE_MS, 'a list was silent for too long');
    const page = await requestList(context, { ...request, continueToken }, take).catch((error: unknown) => {
      const expired = continueToken !== '' && error instanceof ApiError && toFailure(error).kind === 'expired';
      throw expired ? new ExpiredContinueError(error.status, 'next page') : guard.explain(error);
    });
    if (pages === 0) resourceVersion = page.resourceVersion;
    pages += 1;
    continueToken = page.continueToken;
    // A proxy that answers from a cache does that; asked again at once it would be thousands of pages a second.
    if (seen.has(continueToken)) throw new WireError('the pages of a list go in a circle: a continue token came twice');
    if (pages >= MAX_PAGES) throw new WireError(`a list has more than ${MAX_PAGES} pages`);
    if (continueToken !== '') seen.add(continueToken);
  } while (continueToken !== '');
  return { resourceVersion, pages };
}
