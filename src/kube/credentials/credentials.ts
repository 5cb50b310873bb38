// Who we are to the API server, and how we know it: a kubeconfig or a pod's service account.
//
// On top of what kubeconfig.ts reads: token files are re-read, trimmed, and the last good one outlives a read error; one lookup runs at a time however many requests wait; after a 401
// everything is read afresh (which also empties the exec plugin's cache), and a kubeconfig that somebody rewrites (new
// CA, certificate or token in it) is read again within seconds, the old one kept while the new is half written. Files
// that it names for CA, certificate and key are read for every connection anyway. Secrets never appear in messages.
// Refuses to follow a change of the server's address: that may be another cluster.

import { existsSync, readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { Clock } from '../clock.ts';
import { type Cluster, type Kubeconfig, podAccount, readKubeconfigs, UserCredentials } from './kubeconfig.ts';
import { TokenFile } from './token-file.ts';

/** What TLS needs; compared by value to notice a rotation. */
export interface TlsMaterial {
  readonly ca: Buffer | undefined;
  readonly cert: Buffer | undefined;
  readonly key: Buffer | undefined;
  readonly serverName: string | undefined;
  readonly rejectUnauthorized: boolean;
}

export interface RequestCredentials {
  /** Authorization, impersonation; lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly tls: TlsMaterial;
}

export interface Credentials {
  /** `https://10.0.0.1:6443`, without a slash at the end; may have a path (Rancher and other proxies). */
  readonly server: string;
  /** Proxy from the kubeconfig (`proxy-url`). */
  readonly proxyUrl: string | undefined;
  /** Rejects with a CredentialsError. */
  current(): Promise<RequestCredentials>;
  /** The server said 401 to what `current()` gave last: read everything again before the next request. */
  discard(): void;
}

/** Credentials cannot be had now. Retryable: files come back, plugins recover. */
export class CredentialsError extends Error {
  override readonly name = 'CredentialsError';
}

/** There is no cluster to talk to. Not retryable. */
export class NoClusterError extends Error {
  override readonly name = 'NoClusterError';
}

export interface CredentialsOptions {
  /** Path of a kubeconfig; unset: `$KUBECONFIG`, `~/.kube/config`, then the pod's service account. */
  readonly kubeconfig?: string;
  /** Unset: the kubeconfig's current context. */
  readonly context?: string;
  readonly clock: Clock;
}

/** Throws a NoClusterError that says what was looked for and what to do. */
export function createCredentials(options: CredentialsOptions): Credentials {
  return new KubeConfigCredentials(options);
}

/** A stat is cheap, but there is a request for each page of a list. */
const LOOK_AT_FILES_AFTER_MS = 5_000;

class KubeConfigCredentials implements Credentials {
  readonly server: string;
  readonly proxyUrl: string | undefined;
  readonly #options: CredentialsOptions;
  readonly #tokenFile: TokenFile | undefined;
  #user: UserCredentials;
  #running: Promise<RequestCredentials> | undefined;
  #stale = false;
  readonly #files: readonly string[];
  #lookedAtMs: number;
  #seenFiles: string;

  constructor(options: CredentialsOptions) {
    this.#options = options;
    this.#files = kubeconfigFiles(options);
    this.#lookedAtMs = options.clock.now();
    this.#seenFiles = fingerprint(this.#files);
    const { cluster, user, tokenPath } = load(options);
    this.#user = user;
    this.server = cluster.server.replace(/\/+$/, '');
    this.proxyUrl = cluster.proxyUrl;
    if (tokenPath !== undefined) {
      this.#tokenFile = new TokenFile(tokenPath, options.clock, (path) => readFileSync(path, 'utf8'));
    }
  }

  current(): Promise<RequestCredentials> {
    // One at a time: an exec plugin may open a browser.
    this.#running ??= this.#read().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  discard(): void {
    this.#stale = true;
    this.#tokenFile?.discard();
  }

  /** Reads the kubeconfig again where it has to be, or where it seems to be worth it. */
  #reload(): void {
    const nowMs = this.#options.clock.now();
    let seenFiles = this.#seenFiles;
    if (nowMs - this.#lookedAtMs >= LOOK_AT_FILES_AFTER_MS) {
      seenFiles = fingerprint(this.#files);
      this.#lookedAtMs = nowMs;
    }
    if (seenFiles === this.#seenFiles && !this.#stale) return;
    try {
      this.#user = load(this.#options).user;
      this.#stale = false;
      this.#seenFiles = seenFiles;
    } catch (error) {
      // Half written, or gone for a moment: the old one is good until the server says otherwise.
      if (this.#stale) throw error;
    }
  }

  async #read(): Promise<RequestCredentials> {
    try {
      this.#reload();
      // Static tokens, certificates, exec plugins, OIDC, impersonation; the token file is ours.
      const applied = await this.#user.apply();
      const headers: Record<string, string> = {};
      for (const [name, value] of Object.entries(applied.headers)) headers[name.toLowerCase()] = value.trim();
      if (applied.auth !== undefined && applied.auth !== null) {
        headers['authorization'] = `Basic ${Buffer.from(applied.auth).toString('base64')}`;
      }
      const token = this.#tokenFile?.read();
      if (token !== undefined) headers['authorization'] = `Bearer ${token}`;
      return {
        headers,
        tls: {
          ca: toBuffer(applied.ca),
          cert: toBuffer(applied.cert),
          key: toBuffer(applied.key),
          serverName: applied.servername,
          rejectUnauthorized: applied.rejectUnauthorized !== false,
        },
      };
    } catch (error) {
      const reason = error instanceof Error ? error.message.trim() : String(error);
      throw new CredentialsError(`cannot get credentials for ${this.server}: ${reason}`, { cause: error });
    }
  }
}

/** Files that a kubeconfig is made of; none in a pod, whose files are its mounted account's. */
function kubeconfigFiles(options: CredentialsOptions): readonly string[] {
  if (options.kubeconfig !== undefined) return [options.kubeconfig];
  const named = process.env['KUBECONFIG']?.split(delimiter).filter((file) => file !== '') ?? [];
  return named.length > 0 ? named : [join(homedir(), '.kube', 'config')];
}

/** Changes when one of the files does, or is another one behind a link. */
function fingerprint(files: readonly string[]): string {
  return files
    .map((file) => {
      try {
        const { ino, size, mtimeMs } = statSync(file);
        return `${ino} ${size} ${mtimeMs}`;
      } catch (error) {
        return String(error);
      }
    })
    .join();
}

interface Loaded {
  readonly cluster: Cluster;
  readonly user: UserCredentials;
  /** The token file of a service account, which is then not the user's business any more. */
  readonly tokenPath: string | undefined;
}

function load(options: CredentialsOptions): Loaded {
  const config = read(options);
  if (config === undefined) {
    throw new NoClusterError(
      'no cluster is configured: set KUBECONFIG, pass --kubeconfig and --context, or run in a pod with a service ' +
        'account; `digger demo` runs against a simulated cluster and needs none of it',
    );
  }
  const name = options.context ?? config.currentContext;
  const context = config.contexts.find((each) => each.name === name);
  const known = config.contexts.map((each) => each.name).join(', ');
  if (context === undefined && options.context !== undefined) {
    throw new NoClusterError(`there is no context ${options.context} in the kubeconfig (it has: ${known})`);
  }
  const cluster = config.clusters.find((each) => each.name === context?.cluster);
  if (cluster === undefined) {
    const what = context === undefined ? `no current context (it has: ${known})` : `no cluster ${context.cluster}`;
    throw new NoClusterError(`the kubeconfig has ${what}; choose one with --context, or run \`digger demo\``);
  }
  const user = config.users.find((each) => each.name === context?.user);
  const tokenPath = user?.tokenFile;
  if (user === undefined || tokenPath === undefined) {
    return { cluster, user: new UserCredentials(cluster, user), tokenPath };
  }
  // The rest of a user whose token is in a file: its certificate, whom it impersonates.
  const { token: _token, authProvider: _authProvider, ...rest } = user;
  return { cluster, user: new UserCredentials(cluster, rest), tokenPath };
}

/** What is configured, if anything is. */
function read(options: CredentialsOptions): Kubeconfig | undefined {
  const files = kubeconfigFiles(options);
  const named = options.kubeconfig !== undefined || (process.env['KUBECONFIG'] ?? '') !== '';
  if (!named && !files.every((file) => existsSync(file))) return podAccount(process.env);
  try {
    return readKubeconfigs(files);
  } catch (error) {
    throw new NoClusterError(
      `cannot read ${files.join(', ')}: ${error instanceof Error ? error.message : String(error)}; ` +
        'name another with --kubeconfig, or run `digger demo`, which needs no cluster',
      { cause: error },
    );
  }
}

function toBuffer(value: unknown): Buffer | undefined {
  if (value === undefined || value === null) return undefined;
  return Buffer.isBuffer(value) ? value : Buffer.from(String(value));
}
