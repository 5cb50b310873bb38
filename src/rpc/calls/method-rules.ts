// What each method takes: how long its messages may be, who may call it without being asked who they are, and how its
// answers count until they are taken.

export interface MethodRules {
  readonly maxMessageBytes: number;
  /** Any number of request messages. */
  readonly isStream: boolean;
  /** Probes have no credentials. */
  readonly isOpen: boolean;
  /** Called for as long as anything works: never refused for lack of room. */
  readonly isProbe: boolean;
  /** A stream that any caller may hold open, and that has bounds of its own. */
  readonly watchesHealth: boolean;
  /**
   * `once`: one answer, then the end. `each`: every message until it is taken. `shared`: frames of the feed, which are
   * in memory once for all subscribers and bounded there.
   */
  readonly answers: 'once' | 'each' | 'shared';
}

/** A lookup has a hundred bytes, names have at most 253 each. */
const LOOKUP_BYTES = 64 * 1024;

/** A batch of 1,000 queries has about 60 KiB, a filter of 1,000 names the same. */
const LIST_BYTES = 256 * 1024;

/** A name and little else. */
const NAME_BYTES = 16 * 1024;

export const WATCH_PATH = '/digger.v1.ChangeFeedService/Watch';
const BATCH_PATHS: ReadonlySet<string> = new Set([
  '/digger.v1.LookupService/BatchResolveAddresses',
  '/digger.v1.LookupService/BatchResolveContainers',
]);
const HEALTH = '/grpc.health.v1.Health/';

export function rulesOf(path: string, requestStream: boolean, responseStream: boolean): MethodRules {
  const isOpen = path.startsWith(HEALTH);
  return {
    maxMessageBytes: maxMessageBytesOf(path),
    isStream: requestStream,
    isOpen,
    isProbe: isOpen && !responseStream,
    watchesHealth: isOpen && responseStream,
    answers: path === WATCH_PATH ? 'shared' : responseStream || requestStream ? 'each' : 'once',
  };
}

/** As `isProbe` of the rules, of a path that may be no method. */
export function isProbePath(path: string | undefined): boolean {
  return path === `${HEALTH}Check` || path === `${HEALTH}List`;
}

function maxMessageBytesOf(path: string): number {
  if (BATCH_PATHS.has(path) || path === WATCH_PATH) return LIST_BYTES;
  return path.startsWith('/digger.v1.LookupService/') ? LOOKUP_BYTES : NAME_BYTES;
}
