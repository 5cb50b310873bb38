// What a context of a kubeconfig means, as client-go takes it, and the account of a pod: which server, and what its
// user shows.
//
// Only the context that was chosen is looked at closely: broken entries that it does not use harm nothing. `*-data`
// comes before the file of the same thing, paths are relative to their file. What says two things at once (two ways to
// authenticate, a CA and no verification) is refused as client-go refuses it, rather than one of them chosen. Messages
// name fields and entries, and never quote what is in the file: it holds secrets.

import { existsSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import { isAbsolute, join } from 'node:path';
import { type Entry, isRecord, isText, type Kubeconfig, KubeconfigError } from './kubeconfig-files.ts';

/** A file, or the bytes themselves. */
export type FileOrData = { readonly file: string } | { readonly data: Buffer } | undefined;

export interface ClusterEntry {
  readonly name: string;
  /** With a scheme, without a slash at the end. */
  readonly server: string;
  readonly ca: FileOrData;
  readonly skipTlsVerify: boolean;
  readonly tlsServerName: string | undefined;
  /** `proxy-url` */
  readonly proxyUrl: string | undefined;
  /** For exec plugins that ask for cluster information. */
  readonly execExtension: unknown;
}

export interface ExecEntry {
  readonly apiVersion: string;
  /** Absolute, or a name to be found in PATH. */
  readonly command: string;
  readonly args: readonly string[];
  readonly env: readonly (readonly [string, string])[];
  readonly provideClusterInfo: boolean;
  readonly interactiveMode: 'Never' | 'IfAvailable' | 'Always';
  readonly installHint: string;
}

export interface Impersonation {
  readonly user: string;
  readonly uid: string | undefined;
  readonly groups: readonly string[];
  readonly extra: readonly (readonly [string, readonly string[]])[];
}

export interface UserEntry {
  readonly name: string;
  readonly cert: FileOrData;
  readonly key: FileOrData;
  readonly token: string | undefined;
  /** Comes before `token`. */
  readonly tokenFile: string | undefined;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly impersonation: Impersonation | undefined;
  readonly exec: ExecEntry | undefined;
  /** For client-node, as it is in the file. */
  readonly authProvider: unknown;
}

export interface Chosen {
  readonly context: string;
  readonly cluster: ClusterEntry;
  /** Unset: the context names none. Requests are anonymous, the server is verified all the same. */
  readonly user: UserEntry | undefined;
}

/** Throws a KubeconfigError. */
export function choose(config: Kubeconfig, wanted: string | undefined): Chosen {
  const name = wanted ?? config.currentContext;
  const known = [...config.contexts.keys()].join(', ');
  const context = name === undefined ? undefined : config.contexts.get(name);
  if (name === undefined) {
    throw new KubeconfigError(`the kubeconfig has no current context (it has: ${known}); choose one with --context`);
  }
  if (context === undefined) {
    if (wanted !== undefined)
      throw new KubeconfigError(`there is no context ${wanted} in the kubeconfig (it has: ${known})`);
    throw new KubeconfigError(
      `the current context ${name} is not in the kubeconfig (it has: ${known}); choose one with --context`,
    );
  }
  const fields = new Fields(context, `context ${name}`);
  const clusterName = fields.text('cluster') ?? '';
  const cluster = config.clusters.get(clusterName);
  if (cluster === undefined)
    throw new KubeconfigError(`the kubeconfig has no cluster ${clusterName}, which context ${name} names`);
  const userName = fields.text('user');
  const user = userName === undefined ? undefined : config.users.get(userName);
  if (userName !== undefined && user === undefined) {
    throw new KubeconfigError(`the kubeconfig has no user ${userName}, which context ${name} names`);
  }
  const userEntry = userName === undefined || user === undefined ? undefined : readUser(userName, user);
  return { context: name, cluster: readCluster(clusterName, cluster, userEntry), user: userEntry };
}

/** The service account that a pod has; `undefined` outside of pods. `directory`: where the kubelet mounts it. */
export function podAccount(
  env: Readonly<Record<string, string | undefined>>,
  directory = '/var/run/secrets/kubernetes.io/serviceaccount',
): Chosen | undefined {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = env;
  const tokenFile = join(directory, 'token');
  if (host === undefined || port === undefined || !existsSync(tokenFile)) return undefined;
  const server = `https://${isIPv6(host) ? `[${host}]` : host}:${port}`;
  const of = (fields: object): Entry => ({ fields, directory, isTwice: false });
  const user = readUser('in-cluster', of({ tokenFile }));
  const cluster = readCluster('in-cluster', of({ server, 'certificate-authority': 'ca.crt' }), user);
  return { context: 'in-cluster', cluster, user };
}

function readCluster(name: string, entry: Entry, user: UserEntry | undefined): ClusterEntry {
  const fields = new Fields(entry, `cluster ${name}`);
  const ca = fields.fileOrData('certificate-authority');
  const skipTlsVerify = fields.flag('insecure-skip-tls-verify');
  if (skipTlsVerify && ca !== undefined) {
    throw fields.problem('insecure-skip-tls-verify', 'false or unset where there is a certificate-authority');
  }
  const hasTls = ca !== undefined || skipTlsVerify || user?.cert !== undefined;
  const server = fields.text('server');
  if (server === undefined) throw fields.problem('server', 'set: a URL with http:// or https://, or host:port');
  const extensions = fields.list('extensions').filter(isRecord);
  const execExtension = extensions.find((each) => each['name'] === 'client.authentication.k8s.io/exec')?.['extension'];
  return {
    name,
    server: serverUrl(server, hasTls, name),
    ca,
    skipTlsVerify,
    tlsServerName: fields.text('tls-server-name'),
    proxyUrl: fields.text('proxy-url'),
    execExtension,
  };
}

/** As client-go's DefaultServerURL: without a scheme it is https where anything about TLS is configured, else http. */
function serverUrl(server: string, hasTls: boolean, cluster: string): string {
  const text = /^[a-z][a-z0-9+.-]*:\/\//i.test(server) ? server : `${hasTls ? 'https' : 'http'}://${server}`;
  const url = URL.parse(text);
  if (url === null || url.host === '' || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
    throw new KubeconfigError(`cluster ${cluster}: server is not a URL with http:// or https://, nor host:port`);
  }
  return text.replace(/\/+$/, '');
}

function readUser(name: string, entry: Entry): UserEntry {
  const fields = new Fields(entry, `user ${name}`);
  const tokenFile = fields.text('tokenFile');
  const exec = fields.record('exec');
  const user: UserEntry = {
    name,
    cert: fields.fileOrData('client-certificate'),
    key: fields.fileOrData('client-key'),
    token: fields.text('token')?.trim(),
    tokenFile: tokenFile === undefined ? undefined : fields.absolute(tokenFile),
    username: fields.text('username'),
    password: fields.text('password'),
    impersonation: readImpersonation(fields),
    exec: exec === undefined ? undefined : readExec(new Fields({ ...entry, fields: exec }, `user ${name}: exec`)),
    authProvider: fields.record('auth-provider'),
  };
  refuseTwoWays(user, fields);
  return user;
}

/** client-go: validateAuthInfo of tools/clientcmd/validation.go. */
function refuseTwoWays(user: UserEntry, fields: Fields): void {
  if (user.username !== undefined && (user.token !== undefined || user.tokenFile !== undefined)) {
    throw fields.problem('username', 'unset where there is a token or a tokenFile');
  }
  if (user.exec !== undefined && user.authProvider !== undefined) {
    throw fields.problem('auth-provider', 'unset where there is an exec plugin');
  }
  if (user.cert !== undefined && user.key === undefined) {
    throw fields.problem('client-key', 'set where there is a client-certificate');
  }
}

function readImpersonation(fields: Fields): Impersonation | undefined {
  const user = fields.text('as');
  const uid = fields.text('as-uid');
  const groups = fields.texts('as-groups');
  const extra = Object.entries(fields.record('as-user-extra') ?? {}).map(([key, values]) => {
    return [key, textsOf(values, () => fields.problem('as-user-extra', 'lists of text'))] as const;
  });
  if (user === undefined) {
    if (uid === undefined && groups.length === 0 && extra.length === 0) return undefined;
    throw fields.problem('as', 'set when as-uid, as-groups or as-user-extra is');
  }
  return { user, uid, groups, extra };
}

function readExec(fields: Fields): ExecEntry {
  const apiVersion = fields.text('apiVersion') ?? '';
  if (!/^client\.authentication\.k8s\.io\/v1(beta1)?$/.test(apiVersion)) {
    throw fields.problem('apiVersion', 'client.authentication.k8s.io/v1 or client.authentication.k8s.io/v1beta1');
  }
  const command = fields.text('command');
  if (command === undefined) throw fields.problem('command', 'the program to run');
  const interactiveMode = fields.text('interactiveMode') ?? 'IfAvailable';
  if (interactiveMode !== 'Never' && interactiveMode !== 'IfAvailable' && interactiveMode !== 'Always') {
    throw fields.problem('interactiveMode', 'Never, IfAvailable or Always');
  }
  const env = fields.list('env').map((each) => {
    const { name, value = '' } = isRecord(each) ? each : {};
    if (!isText(name) || /[=\0]/.test(name) || typeof value !== 'string' || value.includes('\0'))
      throw fields.problem('env', 'a list of names and values');
    return [name, value] as const;
  });
  const args = fields.texts('args');
  // Node would quote them in its refusal.
  if ([command, ...args].some((text) => text.includes('\0'))) throw fields.problem('args', 'text without NUL');
  return {
    apiVersion,
    command: command.includes('/') ? fields.absolute(command) : command,
    args,
    env,
    provideClusterInfo: fields.flag('provideClusterInfo'),
    interactiveMode,
    installHint: fields.text('installHint') ?? '',
  };
}

/** Fields of one entry: empty ones count as unset, others have to have their type. */
class Fields {
  readonly #fields: Readonly<Record<string, unknown>>;
  readonly #directory: string;
  readonly #what: string;

  constructor({ fields, directory, isTwice }: Entry, what: string) {
    if (isTwice) throw new KubeconfigError(`${what} is in ${directory} more than once under that name`);
    if (!isRecord(fields)) throw new KubeconfigError(`${what} is not a map of fields`);
    this.#fields = fields;
    this.#directory = directory;
    this.#what = what;
  }

  problem(field: string, allowed: string): KubeconfigError {
    return new KubeconfigError(`${this.#what}: ${field} must be ${allowed}`);
  }

  absolute(path: string): string {
    return isAbsolute(path) ? path : join(this.#directory, path);
  }

  text(field: string): string | undefined {
    const value = this.#fields[field] ?? '';
    if (typeof value !== 'string') throw this.problem(field, 'text');
    return value === '' ? undefined : value;
  }

  flag(field: string): boolean {
    const value = this.#fields[field] ?? false;
    if (typeof value !== 'boolean') throw this.problem(field, 'true or false');
    return value;
  }

  list(field: string): readonly unknown[] {
    const value = this.#fields[field] ?? [];
    if (!Array.isArray(value)) throw this.problem(field, 'a list');
    return value;
  }

  texts(field: string): readonly string[] {
    return textsOf(this.list(field), () => this.problem(field, 'a list of text'));
  }

  record(field: string): Readonly<Record<string, unknown>> | undefined {
    const value = this.#fields[field] ?? undefined;
    if (value !== undefined && !isRecord(value)) throw this.problem(field, 'a map of fields');
    return value;
  }

  /** `field` names a file, `field` and `-data` are base64, which comes first. */
  fileOrData(field: string): FileOrData {
    const data = this.text(`${field}-data`)?.replaceAll(/[\r\n]/g, '');
    if (data !== undefined) {
      // Buffer would leave out what is not base64, and what is left be a certificate that verifies nothing.
      if (!/^[A-Za-z0-9+/]*={0,2}$/.test(data)) throw this.problem(`${field}-data`, 'base64');
      return { data: Buffer.from(data, 'base64') };
    }
    const file = this.text(field);
    return file === undefined ? undefined : { file: this.absolute(file) };
  }
}

function textsOf(value: unknown, problem: () => Error): readonly string[] {
  if (!Array.isArray(value) || !value.every((each) => typeof each === 'string')) throw problem();
  return value;
}
