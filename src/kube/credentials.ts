// Who we are to the API server, and how we know it: a kubeconfig or a pod's service account.
//
// Reading, contexts and exec plugins are @kubernetes/client-node's; on top of it: token files are re-read, trimmed,
// and the last good one outlives a read error; one lookup runs at a time however many requests wait; after a 401
// everything is read afresh (which also empties the exec plugin's cache), and a kubeconfig that somebody rewrites (new
// CA, certificate or token in it) is read again within seconds, the old one kept while the new is half written. Files
// that it names for CA, certificate and key are read for every connection anyway. Secrets never appear in messages.
// Refuses to follow a change of the server's address: that may be another cluster.

import { readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import type { RequestOptions } from 'node:https';
import { delimiter, dirname, isAbsolute, join } from 'node:path';
import { KubeConfig, type User } from '@kubernetes/client-node';
import { load as parseYaml } from 'js-yaml';
import type { Clock } from './clock.ts';
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
  #config: KubeConfig;
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
    const { config, tokenPath } = load(options);
    this.#config = config;
    const cluster = this.#config.getCurrentCluster();
    if (cluster === null) throw new NoClusterError('no cluster');
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
      this.#config = load(this.#options).config;
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
      const applied: RequestOptions & { headers?: Record<string, string>; servername?: string } = { headers: {} };
      // Static tokens, certificates, exec plugins, OIDC, impersonation; the token file is ours.
      await this.#config.applyToHTTPSOptions(applied);
      const headers: Record<string, string> = {};
      for (const [name, value] of Object.entries(applied.headers ?? {})) headers[name.toLowerCase()] = value.trim();
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
  /** Holds one cluster and one user: the context's. */
  readonly config: KubeConfig;
  /** The token file of a service account, which is then not the config's business any more. */
  readonly tokenPath: string | undefined;
}

function load(options: CredentialsOptions): Loaded {
  const config = new TokenFileKubeConfig();
  try {
    if (options.kubeconfig !== undefined) config.loadFromFile(options.kubeconfig);
    else config.loadFromDefault();
  } catch (error) {
    const where = options.kubeconfig ?? process.env['KUBECONFIG'] ?? 'the default kubeconfig';
    throw new NoClusterError(
      `cannot read ${where}: ${error instanceof Error ? error.message : String(error)}; ` +
        'name another with --kubeconfig, or run `digger demo`, which needs no cluster',
      { cause: error },
    );
  }
  if (options.context !== undefined) {
    if (config.getContextObject(options.context) === null) {
      const known = config.getContexts().map((context) => context.name);
      throw new NoClusterError(
        `there is no context ${options.context} in the kubeconfig (it has: ${known.join(', ')})`,
      );
    }
    config.setCurrentContext(options.context);
  }
  const cluster = config.getCurrentCluster();
  // client-node invents this cluster when it finds none.
  const invented =
    cluster?.name === 'cluster' && cluster.server === 'http://localhost:8080' && options.kubeconfig === undefined;
  if (cluster === null || invented) {
    throw new NoClusterError(
      'no cluster is configured: set KUBECONFIG, pass --kubeconfig and --context, or run in a pod with a service ' +
        'account; `digger demo` runs against a simulated cluster and needs none of it',
    );
  }
  const user = config.getCurrentUser();
  const tokenPath = (user?.authProvider as { config?: { tokenFile?: string } } | undefined)?.config?.tokenFile;
  const chosen = new KubeConfig();
  chosen.loadFromClusterAndUser(
    // Without TLS there is nothing to verify; client-node wants it said.
    cluster.server.startsWith('http:') ? { ...cluster, skipTLSVerify: true } : cluster,
    // Without a user client-node applies no CA either; with a token file it fails when that cannot be read.
    user === null ? { name: 'nobody' } : tokenPath !== undefined ? withoutToken(user) : user,
  );
  return { config: chosen, tokenPath };
}

/** The rest of a user whose token is in a file: its certificate, whom it impersonates. */
function withoutToken(user: User): User {
  const { token: _token, authProvider: _authProvider, ...rest } = user;
  return rest;
}

/**
 * client-node reads the file of a user's `tokenFile` never; here such a user gets the provider that client-node gives
 * to service accounts. As in client-go it comes before `token`, and its path is relative to the kubeconfig.
 */
class TokenFileKubeConfig extends KubeConfig {
  #directory = '';

  override loadFromFile(file: string): void {
    this.#directory = dirname(file);
    super.loadFromFile(file);
  }

  override loadFromString(text: string): void {
    super.loadFromString(text);
    const parsed = parseYaml(text) as { users?: { name?: string; user?: { tokenFile?: unknown } | null }[] } | null;
    this.users = this.users.map((user) => {
      const tokenFile = parsed?.users?.find((entry) => entry?.name === user.name)?.user?.tokenFile;
      if (typeof tokenFile !== 'string' || tokenFile === '') return user;
      const path = isAbsolute(tokenFile) ? tokenFile : join(this.#directory, tokenFile);
      return { ...user, authProvider: { name: 'tokenFile', config: { tokenFile: path } } };
    });
  }
}

function toBuffer(value: unknown): Buffer | undefined {
  if (value === undefined || value === null) return undefined;
  return Buffer.isBuffer(value) ? value : Buffer.from(String(value));
}
