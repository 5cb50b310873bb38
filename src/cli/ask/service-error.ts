// What a failed call tells the person who made it. Where there is no connection, grpc-js says what its sockets said: the
// usual reasons are told with what to do about them.

import { type ServiceError, status } from '@grpc/grpc-js';
import { EXIT_FAILED, EXIT_OK, EXIT_UNREACHABLE, EXIT_USAGE } from './exit-codes.ts';

/** Throws on when it is something else: that is a bug of ours, not an answer. */
export function toServiceError(thrown: unknown): ServiceError {
  if (thrown instanceof Error && 'code' in thrown && 'details' in thrown) return thrown as ServiceError;
  throw thrown;
}

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

/** One line: what went wrong, and where. Control characters of a stranger's text do not reach the terminal. */
export function failureText({ code, details }: ServiceError, address: string): string {
  // oxlint-disable-next-line no-control-regex
  const said = details.replace(/[\u0000-\u001f\u007f-\u009f]/g, ' ');
  switch (code) {
    case status.UNAVAILABLE:
      return connectionProblem(said, address) ?? `${address} is not available: ${bare(said)}`;
    case status.DEADLINE_EXCEEDED:
      return `${address} did not answer in time: ${said}`;
    default:
      return `${address} answered ${status[code]}: ${said}`;
  }
}

/** What can be done about it; `undefined`: there was a connection, or this is no usual reason. */
function connectionProblem(said: string, address: string): string | undefined {
  // The service's own words may name a refused connection too: that of the API server.
  if (!/^(?:No connection established|Name resolution failed)/.test(said)) return undefined;
  const [, problem] = CONNECTION_PROBLEMS.find(([pattern]) => pattern.test(said)) ?? [];
  return problem === undefined ? undefined : `${address}: ${problem}`;
}

const CONNECTION_PROBLEMS: readonly (readonly [pattern: RegExp, problem: string])[] = [
  [
    /ECONNREFUSED/,
    'nothing listens there; start `digger serve` or `digger demo`, or name another service with --address',
  ],
  [/Name resolution failed|ENOTFOUND|EAI_AGAIN/, 'the name has no address; --address takes HOST:PORT'],
  [
    /EHOSTUNREACH|ENETUNREACH|ETIMEDOUT/,
    'cannot be reached from here: a route, a NetworkPolicy or a firewall is in the way',
  ],
  [/wrong version number|packet length too long/, 'it speaks no TLS; leave out --tls, --tls-ca and --tls-cert'],
  [
    /does not match certificate's altnames/,
    'its certificate is for another name; connect by a name that is in it, or give that with --tls-server-name',
  ],
  [/certificate has expired/, 'its certificate has expired'],
  [
    /self-signed|unable to (?:get|verify)/,
    'its certificate is signed by a CA that is not known here; name the CA with --tls-ca',
  ],
  [
    /alert certificate required|alert bad certificate|alert unknown ca/,
    'it accepts callers with a client certificate; give --tls-cert and --tls-key of one that its CA signed',
  ],
  // An HTTP/2 preface in plaintext is answered with nothing, or with the end of the connection.
  [
    /Last error: Failed to connect/,
    'it took the connection and said nothing: with TLS at its side, give --tls or --tls-ca',
  ],
];

/** Without what grpc-js puts around a reason. */
function bare(said: string): string {
  const [, reason] =
    /^No connection established\. Last error: (?:Error: )?(.*?)\. Resolution note: ?$/.exec(said) ?? [];
  return reason ?? said;
}
