// What grpc-js writes by itself: to stderr, as text, with what a caller has sent in it. A header that is not ASCII is such a
// line, of up to 8 kB, for every call that has one; so any caller could fill the log of a replica and write lines of its
// own between those in JSON.
//
// It goes to digger's log instead, for those who debug: what is wrong with a call its caller is told, and metrics count.

import { setLogger } from '@grpc/grpc-js';
import type { Logger } from '../telemetry/logger.ts';

/** Of a line. */
const MAX_CHARACTERS = 300;

/** For all of the process: grpc-js has one log. */
export function takeGrpcJsLog(logger: Logger): void {
  const write = (...parts: readonly unknown[]): void => {
    if (logger.isLevelEnabled('debug')) logger.debug({ grpcJs: parts.map(String).join(' ').slice(0, MAX_CHARACTERS) });
  };
  setLogger({ error: write, info: write, debug: write });
}
