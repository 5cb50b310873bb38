// Kubeconfigs and the account of a pod: which cluster, and what its user shows.
//
// Files are parsed by @kubernetes/client-node, and its plugin runner runs exec plugins; both are small parts of it. The
// whole package, which brings a client for every API, costs 0.37 s of processor time and 45 MiB at every start, so it is
// loaded for auth providers only (OIDC, and those of clouds that client-go has dropped). Several files are merged as
// kubectl merges them: of equal names the first one counts, and so does the first current context.

import { existsSync, readFileSync } from 'node:fs';
import type { RequestOptions } from 'node:https';
import { isIPv6 } from 'node:net';
import { dirname, isAbsolute, join } from 'node:path';
import {
  type Cluster,
  type Context,
  newClusters,
  newContexts,
  newUsers,
  type User,
} from '@kubernetes/client-node/dist/config_types.js';
import { ExecAuth } from '@kubernetes/client-node/dist/exec_auth.js';
import { load as parseYaml } from 'js-yaml';

export type { Cluster };

/** `tokenFile`: as in a kubeconfig, absolute; comes before `token`, as in client-go. */
export type ConfiguredUser = User & { readonly tokenFile: string | undefined };

export interface Kubeconfig {
  readonly clusters: readonly Cluster[];
  readonly users: readonly ConfiguredUser[];
  readonly contexts: readonly Context[];
  readonly currentContext: string | undefined;
}

/** What a request to the cluster is to carry. */
export type AppliedOptions = RequestOptions & { headers: Record<string, string>; servername?: string };

/** Throws what is wrong with the first file that cannot be read. */
export function readKubeconfigs(files: readonly string[]): Kubeconfig {
  const all = files.map(readKubeconfig);
  return {
    clusters: all.flatMap(({ clusters }) => clusters),
    users: all.flatMap(({ users }) => users),
    contexts: all.flatMap(({ contexts }) => contexts),
    currentContext: all.find(({ currentContext }) => currentContext)?.currentContext,
  };
}

/** The service account that a pod has; `undefined` outside of pods. `directory`: where the kubelet mounts it. */
export function podAccount(
  env: Readonly<Record<string, string | undefined>>,
  directory = ACCOUNT_DIRECTORY,
): Kubeconfig | undefined {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = env;
  const tokenFile = join(directory, 'token');
  if (host === undefined || port === undefined || !existsSync(tokenFile)) return undefined;
  const server = `https://${isIPv6(host) ? `[${host}]` : host}:${port}`;
  return {
    clusters: [{ name: IN_CLUSTER, server, caFile: join(directory, 'ca.crt'), skipTLSVerify: false }],
    users: [{ name: IN_CLUSTER, tokenFile }],
    contexts: [{ name: IN_CLUSTER, cluster: IN_CLUSTER, user: IN_CLUSTER }],
    currentContext: IN_CLUSTER,
  };
}

/** What a user shows to a cluster, token files left to others. Keeps what plugins said for as long as it is good. */
export class UserCredentials {
  readonly #cluster: Cluster;
  readonly #user: User;
  readonly #exec = new ExecAuth();

  /** Without a user: a stranger, who verifies the server all the same. */
  constructor(cluster: Cluster, user: User | undefined) {
    this.#cluster = cluster;
    this.#user = user ?? { name: 'nobody' };
  }

  /** Rejects when a file is missing or a plugin fails. */
  async apply(): Promise<AppliedOptions> {
    const user = this.#user;
    if (user.authProvider) return this.#applyAll();
    const { caFile, caData, skipTLSVerify, tlsServerName } = this.#cluster;
    const applied: AppliedOptions = {
      headers: {},
      ca: fileOrData(caFile, caData),
      cert: fileOrData(user.certFile, user.certData),
      key: fileOrData(user.keyFile, user.keyData),
      ...(skipTLSVerify ? { rejectUnauthorized: false } : {}),
      ...(tlsServerName ? { servername: tlsServerName } : {}),
    };
    if (user.impersonateUser) applied.headers['Impersonate-User'] = user.impersonateUser;
    if (user.username) applied.auth = `${user.username}:${user.password ?? ''}`;
    if (this.#exec.isAuthProvider(user)) await this.#exec.applyAuthentication(user, applied);
    if (user.token) applied.headers['Authorization'] = `Bearer ${user.token}`;
    return applied;
  }

  /** By the whole package, which knows auth providers. */
  async #applyAll(): Promise<AppliedOptions> {
    const { KubeConfig } = await import('@kubernetes/client-node');
    const config = new KubeConfig();
    // Without TLS there is nothing to verify; client-node wants it said.
    const plain = this.#cluster.server.startsWith('http:');
    config.loadFromClusterAndUser(plain ? { ...this.#cluster, skipTLSVerify: true } : this.#cluster, this.#user);
    const applied: AppliedOptions = { headers: {} };
    await config.applyToHTTPSOptions(applied);
    return applied;
  }
}

const ACCOUNT_DIRECTORY = '/var/run/secrets/kubernetes.io/serviceaccount';
const IN_CLUSTER = 'in-cluster';

interface RawUsers {
  readonly users?: readonly { readonly name?: string; readonly user?: { readonly tokenFile?: unknown } | null }[];
}

function readKubeconfig(file: string): Kubeconfig {
  const parsed = parseYaml(readFileSync(file, 'utf8')) as (RawUsers & Record<string, unknown>) | null | undefined;
  if (typeof parsed !== 'object' || parsed === null) throw new Error('it is no kubeconfig');
  const directory = dirname(file);
  const absolute = (path: string): string => (isAbsolute(path) ? path : join(directory, path));
  const clusters = newClusters(parsed['clusters']);
  for (const cluster of clusters) if (cluster.caFile) cluster.caFile = absolute(cluster.caFile);
  const users = newUsers(parsed['users']).map((user) => {
    if (user.certFile) user.certFile = absolute(user.certFile);
    if (user.keyFile) user.keyFile = absolute(user.keyFile);
    const tokenFile = parsed.users?.find((entry) => entry?.name === user.name)?.user?.tokenFile;
    return { ...user, tokenFile: typeof tokenFile === 'string' && tokenFile !== '' ? absolute(tokenFile) : undefined };
  });
  const current = parsed['current-context'];
  return {
    clusters,
    users,
    contexts: newContexts(parsed['contexts']),
    currentContext: typeof current === 'string' && current !== '' ? current : undefined,
  };
}

function fileOrData(file: string | undefined, data: string | undefined): Buffer | undefined {
  if (file) return readFileSync(file);
  return data ? Buffer.from(data, 'base64') : undefined;
}
