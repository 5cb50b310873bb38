// How a client of a digger service (a command, or a replica that takes over history from another) proves who it is, and
// whom it trusts: TLS with a CA, a client certificate, a bearer token.
//
// Files are read when they are needed, the token again for each call, because kubelets renew it. A token leaves this
// machine over TLS only; cli/ask/connection.ts keeps plaintext away from proxies. What is in the files never appears in a
// message. What grpc-js takes of it is made in connection-credentials.ts, because the command line is read with this file
// and should not wait for grpc-js.

import { readFileSync } from 'node:fs';

export interface ConnectionSecurity {
  /** TLS; without a CA of its own, those that the system trusts. */
  readonly tls: boolean;
  /** PEM files. */
  readonly caPath: string | undefined;
  readonly certPath: string | undefined;
  readonly keyPath: string | undefined;
  /** A file that holds a bearer token. */
  readonly tokenPath: string | undefined;
  /** The name that the certificate of the service has to be for; unset: that of the address. */
  readonly serverName?: string | undefined;
}

/** A file that is needed and cannot be used; the message names it. */
export class SecurityFileError extends Error {
  override readonly name = 'SecurityFileError';
}

/** The token that the file holds now. Throws a SecurityFileError. */
export function readToken(path: string): string {
  const token = readSecurityFile(path).toString('utf8').trim();
  if (!/^[\w.~+/-]+=*$/.test(token)) throw new SecurityFileError(`${path} holds no bearer token`);
  return token;
}

/** What is wrong with the combination; each a line. */
export function findSecurityProblems(security: ConnectionSecurity, address: string): readonly string[] {
  const problems: string[] = [];
  if ((security.certPath === undefined) !== (security.keyPath === undefined)) {
    problems.push('--tls-cert, --tls-key: one without the other; set both or neither');
  }
  if (security.tokenPath !== undefined && !security.tls && !LOOPBACK.test(address)) {
    problems.push('--token-file: allowed only with --tls or --tls-ca, unless the service is on this machine');
  }
  return problems;
}

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\]):\d+$/;

/** Throws a SecurityFileError. */
export function readSecurityFile(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new SecurityFileError(`cannot read ${path}: ${code}`);
  }
}
