// Exit codes of the commands for people, so that scripts can tell "no object holds it" from "no answer".

import { status } from '@grpc/grpc-js';

/** `resolve`: the address was resolved. `watch`: the stream ended as planned (`--snapshot-only`). */
export const EXIT_OK = 0;
/** `resolve`: answered, and not resolved (AMBIGUOUS, UNASSIGNED, EXTERNAL, UNKNOWN). */
export const EXIT_NOT_RESOLVED = 1;
/** The command line is wrong, or the service refused the request as invalid. */
export const EXIT_USAGE = 2;
/** No answer in time, or the service is not ready. */
export const EXIT_UNREACHABLE = 3;
/** The service answered with an error: not allowed, too many subscribers, a bug. */
export const EXIT_FAILED = 4;

/** For `--help` and the documentation. */
export const EXIT_CODES: readonly (readonly [code: number, meaning: string])[] = [
  [EXIT_OK, 'resolve: resolved; watch: ended as asked'],
  [EXIT_NOT_RESOLVED, 'resolve: answered, and not resolved: ambiguous, unassigned, external or unknown'],
  [EXIT_USAGE, 'the command line is wrong, or the service refused the request as invalid'],
  [EXIT_UNREACHABLE, 'the service was not reached in time, or is not ready'],
  [EXIT_FAILED, 'the service answered with another error'],
];

/** The exit code for a call that ended with this gRPC status. */
export function exitCodeOf(code: status): number {
  switch (code) {
    case status.OK:
      return EXIT_OK;
    case status.INVALID_ARGUMENT:
      return EXIT_USAGE;
    case status.UNAVAILABLE:
    case status.DEADLINE_EXCEEDED:
      return EXIT_UNREACHABLE;
    default:
      return EXIT_FAILED;
  }
}
