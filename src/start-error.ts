// Why the service could not start, in one line for the person who started it: which option it is about, what was wrong,
// and what can be done.

import { CredentialsError, NoClusterError } from './kube/credentials/credentials.ts';
import { RangesFileError } from './networks/problems.ts';
import type { Config } from './options/options.ts';
import { TlsFilesError } from './rpc/tls/files.ts';

/** The message is the line: `--listen 127.0.0.1:50051: in use by another process; …`. */
export class StartError extends Error {
  override readonly name = 'StartError';
}

/**
 * What failed to listen on the address of an option (an error of `listen`), as a StartError; anything else as it is.
 */
export function listenError(flag: string, { host, port }: { host: string; port: number }, error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const problem = LISTEN_PROBLEMS[code];
  if (problem === undefined) return error;
  const address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  return new StartError(`${flag} ${address}: ${problem}`, { cause: error });
}

const LISTEN_PROBLEMS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'in use by another process; stop that one, or choose another port (port 0: any free one)',
  EACCES: 'this user may not listen there; choose a port from 1024 on',
  EADDRNOTAVAIL: 'no interface of this machine has the address; 0.0.0.0 and [::] mean all of them',
  EAFNOSUPPORT: 'this machine has no such address family; choose an IPv4 address',
  ENOTFOUND: 'the name has no address; choose an IP address',
};

/** Errors that are about what was configured, as a StartError; anything else is a bug and stays as it is. */
export function configurationError(error: unknown, config: Config): unknown {
  if (error instanceof TlsFilesError) {
    const flags = config.tlsClientCa === undefined ? '--tls-cert, --tls-key' : '--tls-cert, --tls-key, --tls-client-ca';
    return new StartError(`${flags}: ${error.message}`, { cause: error });
  }
  // One line for each problem, each with its file.
  if (error instanceof RangesFileError) return new StartError(`--named-ranges: ${error.message}`, { cause: error });
  if (error instanceof NoClusterError || error instanceof CredentialsError) {
    const given = [
      ...(config.kubeconfig === undefined ? [] : [`--kubeconfig ${config.kubeconfig}`]),
      ...(config.context === undefined ? [] : [`--context ${config.context}`]),
    ];
    return new StartError(`${given.join(' ') || 'cluster'}: ${error.message}`, { cause: error });
  }
  return error;
}
