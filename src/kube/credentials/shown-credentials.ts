// What one user of a kubeconfig shows to one cluster: headers and TLS material, from wherever the user has them.
//
// Files are read for every request, token files once a minute, exec plugins when their credential has expired. Auth
// providers (OIDC, and those of clouds that client-go has dropped) are the business of @kubernetes/client-node. The
// whole package, which brings a client for every API, costs 0.37 s of processor time and 45 MiB at a start, so it is
// loaded for them only.

import { readFileSync } from 'node:fs';
import type { RequestOptions } from 'node:https';
import type { Clock } from '../clock.ts';
import { isLoopback } from './environment-proxy.ts';
import { ExecPlugin } from './exec-plugin.ts';
import type { Chosen, FileOrData, Impersonation } from './kubeconfig.ts';
import { KubeconfigError } from './kubeconfig-files.ts';
import { isToken, NO_TOKEN, TokenFile } from './token-file.ts';

/** What TLS needs; compared by value to notice a rotation. */
export interface TlsMaterial {
  readonly ca: Buffer | undefined;
  readonly cert: Buffer | undefined;
  readonly key: Buffer | undefined;
  readonly serverName: string | undefined;
  readonly rejectUnauthorized: boolean;
}

/** Lower-case names; a list is sent as one field for each text. */
export type RequestHeaders = Readonly<Record<string, string | readonly string[]>>;

export interface Shown {
  readonly headers: RequestHeaders;
  readonly tls: TlsMaterial;
}

export class ShownCredentials {
  readonly chosen: Chosen;
  readonly #impersonation: RequestHeaders;
  readonly #plugin: ExecPlugin | undefined;
  readonly #tokenFile: TokenFile | undefined;
  #withoutFile = '';

  /** Throws a KubeconfigError. */
  constructor(chosen: Chosen, clock: Clock) {
    this.chosen = chosen;
    const { user, cluster } = chosen;
    this.#impersonation = impersonationHeaders(user?.impersonation, user?.name ?? '');
    if (user?.exec !== undefined) this.#plugin = new ExecPlugin(user.exec, cluster, clock);
    if (user?.tokenFile !== undefined) {
      this.#tokenFile = new TokenFile(user.tokenFile, clock, (path) => readFileSync(path, 'utf8'));
    }
  }

  /** Rejects when a file is missing or a plugin fails; `signal` ends a plugin. */
  async read(signal: AbortSignal): Promise<Shown> {
    const { user, cluster } = this.chosen;
    const { tlsServerName, skipTlsVerify } = cluster;
    const tls: TlsMaterial = {
      ca: bytesOf(cluster.ca),
      cert: bytesOf(user?.cert),
      key: bytesOf(user?.key),
      serverName: tlsServerName,
      rejectUnauthorized: !skipTlsVerify,
    };
    if (user === undefined) return { headers: {}, tls };
    if (this.#isInTheClear) return this.#shown(undefined, tls);
    // Either of them makes a plugin unnecessary.
    const token = this.#readTokenFile() ?? user.token;
    if (token !== undefined) {
      if (!isToken(token)) throw new Error(`the token of user ${user.name} is ${NO_TOKEN}`);
      return this.#shown(`Bearer ${token}`, tls);
    }
    if (user.authProvider !== undefined) return this.#readProvider(tls);
    if (this.#plugin !== undefined) {
      const { token: printed, cert, key } = await this.#plugin.credential(signal);
      const authorization = printed === undefined ? undefined : `Bearer ${printed}`;
      return this.#shown(authorization, cert === undefined ? tls : { ...tls, cert, key });
    }
    if (user.username === undefined) return this.#shown(undefined, tls);
    return this.#shown(basic(`${user.username}:${user.password ?? ''}`), tls);
  }

  /** Why something else is shown than the kubeconfig seems to say; `''`: it is not. */
  get trouble(): string {
    if (this.#isInTheClear) {
      return `the server is http://, so no credentials of user ${this.chosen.user?.name} are shown to it`;
    }
    return this.#withoutFile || (this.#tokenFile?.trouble ?? '');
  }

  /** What was shown last was refused: nothing that was kept is good any more. */
  discard(): void {
    this.#tokenFile?.discard();
    this.#plugin?.discard();
  }

  /**
   * Secrets would be read by everything on the way. client-go leaves them out too, of loopback servers as well
   * (tools/clientcmd/client_config.go: "only try to read the auth information if we are secure").
   */
  get #isInTheClear(): boolean {
    const { user, cluster } = this.chosen;
    const { protocol, hostname } = new URL(cluster.server);
    if (protocol !== 'http:' || isLoopback(hostname) || user === undefined) return false;
    return [user.token, user.tokenFile, user.exec, user.authProvider, user.username].some((each) => each !== undefined);
  }

  /** A token in a file outlives one beside it in the kubeconfig, which counts while the file has none: kubernetes#133543. */
  #readTokenFile(): string | undefined {
    this.#withoutFile = '';
    try {
      return this.#tokenFile?.read();
    } catch (error) {
      if (this.chosen.user?.token === undefined) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      this.#withoutFile = `${reason}; the token of the kubeconfig is used`;
      return undefined;
    }
  }

  #shown(authorization: string | undefined, tls: TlsMaterial): Shown {
    const headers = { ...this.#impersonation, ...(authorization === undefined ? {} : { authorization }) };
    return { headers, tls };
  }

  async #readProvider(tls: TlsMaterial): Promise<Shown> {
    const { KubeConfig } = await import('@kubernetes/client-node');
    const { cluster, user } = this.chosen;
    const config = new KubeConfig();
    const { name, server } = cluster;
    // TLS is ours; this asks for the header only.
    const given = { name: user?.name ?? '', authProvider: user?.authProvider };
    config.loadFromClusterAndUser({ name, server, skipTLSVerify: true }, given);
    const applied: RequestOptions & { headers: Record<string, string> } = { headers: {} };
    await config.applyToHTTPSOptions(applied);
    const authorization = applied.headers['Authorization'] ?? applied.headers['authorization'];
    if (authorization !== undefined && !/^[\x20-\x7e]+$/.test(authorization)) {
      throw new Error(`what the auth provider of user ${user?.name} gave is ${NO_TOKEN}`);
    }
    return this.#shown(authorization, tls);
  }
}

function impersonationHeaders(as: Impersonation | undefined, user: string): RequestHeaders {
  if (as === undefined) return {};
  const all = [as.user, as.uid ?? '', ...as.groups, ...as.extra.flatMap(([, values]) => values)];
  // oxlint-disable-next-line no-control-regex
  if (all.some((text) => /[\x00-\x1f\x7f]|[^\x00-\xff]/.test(text))) {
    throw new KubeconfigError(
      `user ${user}: as, as-uid, as-groups and as-user-extra must be text that a header can carry`,
    );
  }
  // Names of headers have no case, so keys that differ only by it are one.
  const extra: Record<string, readonly string[]> = {};
  for (const [key, values] of as.extra) {
    const name = `impersonate-extra-${escapeHeaderName(key)}`;
    extra[name] = [...(extra[name] ?? []), ...values];
  }
  return {
    'impersonate-user': as.user,
    ...(as.uid === undefined ? {} : { 'impersonate-uid': as.uid }),
    ...(as.groups.length === 0 ? {} : { 'impersonate-group': as.groups }),
    ...extra,
  };
}

/** As client-go: what a header's name cannot have is percent-encoded. */
function escapeHeaderName(key: string): string {
  let escaped = '';
  for (const byte of Buffer.from(key)) {
    const character = String.fromCharCode(byte);
    if (/[a-zA-Z0-9!#$&'*+\-.^_`|~]/.test(character)) escaped += character.toLowerCase();
    else escaped += `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return escaped;
}

function basic(user: string): string {
  return `Basic ${Buffer.from(user).toString('base64')}`;
}

function bytesOf(from: FileOrData): Buffer | undefined {
  if (from === undefined) return undefined;
  return 'data' in from ? from.data : readFileSync(from.file);
}
