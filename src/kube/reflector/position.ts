// Where a reflector stands between two requests, and how each thing that happens moves it. No time, no requests, no
// store: a value and the functions that make the next one.
//
// The rules are client-go's Reflector (lastSyncResourceVersion, isLastSyncResourceVersionUnavailable, paginatedResult);
// what is ours is the count of failures: one event that cannot be decoded, or a watch that the server ends with the
// same error every time, would otherwise hold a resource at one version until the server forgets it.

import type { FailureKind } from './failure.ts';

export interface Position {
  /** Last version whose every event is in the store; `undefined` before the first list. */
  readonly version: string | undefined;
  /** The next request is a list. */
  readonly listDue: boolean;
  /** That list has to be a quorum read: the server cannot serve our version. */
  readonly latestDue: boolean;
  /** This server pages even at version "0", so it has no watch cache: keep paging always. */
  readonly pagesAtZero: boolean;
  /** A watch held since the last list: an expired version is then no sign of a loop. */
  readonly progressed: boolean;
  /** The failure that ended the last watches from this version, and how many of them in a row. */
  readonly repeated: { readonly kind: FailureKind; readonly times: number } | undefined;
}

/** What is due after a failure; see `failure-answers.ts`. */
export type Due = 'same' | 'list' | 'latest';

export const START: Position = {
  version: undefined,
  listDue: true,
  latestDue: false,
  pagesAtZero: false,
  progressed: true,
  repeated: undefined,
};

/** After so many watches from one version that failed in the same way, a list passes over what they cannot. */
export const REPEATED_FAILURES = 3;

/** Failures of a watch that the next one from the same version may well meet again. */
const MAY_REPEAT: ReadonlySet<FailureKind> = new Set<FailureKind>(['undecodable', 'server_error', 'short_watch']);

/** The version that a list is asked for: none older than what is in the store, `''` for the latest, `'0'` for any. */
export function listVersion(position: Position): string {
  return position.latestDue ? '' : (position.version ?? '0');
}

/** A list is in the store. */
export function listed(position: Position, version: string): Position {
  return { ...position, version, listDue: false, latestDue: false, progressed: false, repeated: undefined };
}

/** The server paged a list at version "0". */
export function paged(position: Position): Position {
  return position.pagesAtZero ? position : { ...position, pagesAtZero: true };
}

/** An event is in the store, or a bookmark came. */
export function advanced(position: Position, version: string): Position {
  if (position.version === version && position.progressed) return position;
  return {
    ...position,
    version,
    progressed: true,
    repeated: position.version === version ? position.repeated : undefined,
  };
}

/** A watch brought everything that was missed. Says nothing about whether the next event can be read. */
export function caughtUp(position: Position): Position {
  return position.progressed ? position : { ...position, progressed: true };
}

/** The resource is served under another path, or not at all: what is watched there begins with a list. */
export function moved(position: Position): Position {
  return { ...position, listDue: true };
}

/** A request failed, and this is due next. `listing`: it was a list. */
export function failed(position: Position, kind: FailureKind, due: Due, listing: boolean): Position {
  const counted = listing || !MAY_REPEAT.has(kind) ? position : countFailure(position, kind);
  switch (due) {
    case 'same':
      return (counted.repeated?.times ?? 0) >= REPEATED_FAILURES ? { ...counted, listDue: true } : counted;
    case 'list':
      return { ...counted, listDue: true };
    case 'latest':
      return { ...counted, listDue: true, latestDue: true };
  }
}

function countFailure(position: Position, kind: FailureKind): Position {
  const times = position.repeated?.kind === kind ? position.repeated.times + 1 : 1;
  return { ...position, repeated: { kind, times } };
}
