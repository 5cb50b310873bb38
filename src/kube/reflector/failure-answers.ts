// The table of answers: what a reflector does next about each class of failure, and after how long.
//
// A function of the failure and of what the reflector knows, without any effect of its own. The rules are client-go's
// (reflector.go: ListAndWatch, watchHandler, isExpiredError, isTooLargeResourceVersionError) but for those that say
// why.

import type { FailureKind } from './failure.ts';
import { NO_STREAMED_LIST } from './initial-events.ts';

/** What the reflector knows when something fails. */
export interface Situation {
  /** It was a list that failed, streamed or not; false: a watch. */
  readonly listing: boolean;
  /** Lists are streamed. */
  readonly streams: boolean;
  /** The list that failed was one of the latest state: asking for that did not help. */
  readonly latestDue: boolean;
  /** A watch held since the last list: listing again did help. */
  readonly progressed: boolean;
  /** Credentials were read afresh since the last success. */
  readonly refusedCredentials: boolean;
}

export interface Answer {
  /**
   * `same`: what failed, from where it stood. `list`: from the version that is known. `latest`: a list by a quorum
   * read, whatever the version. `in-pages`: the list again, and no streamed one any more.
   */
  readonly next: 'same' | 'list' | 'latest' | 'in-pages';
  /**
   * `backoff`: on its own. `credentials`: likewise, but no longer than until another resource's request is accepted.
   * `outage`: until the cluster's one probe gets an answer.
   */
  readonly wait: 'none' | 'backoff' | 'credentials' | 'outage';
}

export function answerTo(kind: FailureKind, situation: Situation): Answer {
  const { listing, streams, latestDue, progressed, refusedCredentials } = situation;
  if (listing && streams && NO_STREAMED_LIST.has(kind)) return { next: 'in-pages', wait: 'none' };
  // Asking for the latest, or listing again, did not help: then at once would mean a loop.
  const wait = (listing ? latestDue : !progressed) ? 'backoff' : 'none';
  switch (kind) {
    case 'expired':
      // A watch's version expired: list at it, which any server that is not behind can do. A list's: ask for the
      // latest.
      return { next: listing ? 'latest' : 'list', wait };
    case 'version_too_large':
      return { next: 'latest', wait };
    case 'rejected':
      // Perhaps it is our version that the server cannot read.
      return { next: 'latest', wait: 'backoff' };
    case 'store_read_error':
      return { next: 'list', wait: 'backoff' };
    case 'throttled':
    case 'server_error':
    case 'undecodable':
    case 'short_watch':
    case 'not_found':
    case 'forbidden':
      return { next: 'same', wait: 'backoff' };
    case 'unreachable':
    case 'stalled':
      return { next: 'same', wait: 'outage' };
    case 'unauthorized':
      // Fresh ones at once, the first time.
      return { next: 'same', wait: refusedCredentials ? 'credentials' : 'none' };
    case 'credentials':
      return { next: 'same', wait: 'credentials' };
    default:
      return kind satisfies never;
  }
}
