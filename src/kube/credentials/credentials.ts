// Who we are to the API server, as one immutable identity, from a kubeconfig or a pod's service account.
//
// Context, cluster and server are fixed at the start. A kubeconfig that is rewritten (new CA, certificate, token,
// plugin) is read again within seconds and its identity swapped whole; one that is half written, or leads to another
// cluster, changes nothing, and neither does a token file that cannot be used: both are told in the log and by
// `trouble`. One look-up runs at a time however many requests wait; each wait ends with its own signal, and the look-up
// with the last of them. A refusal (401) discards the identity that was refused and no other. Secrets never appear in
// messages.

import { existsSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Logger } from '../../telemetry/logger.ts';
import type { Clock } from '../clock.ts';
import { proxyFromEnvironment, proxyUrl } from './environment-proxy.ts';
import { type Chosen, choose, podAccount } from './kubeconfig.ts';
import { KubeconfigError, readKubeconfigs } from './kubeconfig-files.ts';
import { SharedWait } from './shared-wait.ts';
import { type RequestHeaders, ShownCredentials, type TlsMaterial } from './shown-credentials.ts';

export type { RequestHeaders, TlsMaterial };

/** All that a request shows. Never changed: what is new is another identity. */
export interface Identity {
  /** Authorization, impersonation. */
  readonly headers: RequestHeaders;
  readonly tls: TlsMaterial;
}

export interface Credentials {
  /** `https://10.0.0.1:6443`, without a slash at the end; may have a path (Rancher and other proxies). */
  readonly server: string;
  /** From the kubeconfig (`proxy-url`), else from the environment. */
  readonly proxyUrl: string | undefined;
  /** Rejects with a CredentialsError, or with the signal's reason. The same object for as long as nothing changes. */
  current(signal: AbortSignal): Promise<Identity>;
  /**
   * The server said 401 to it: everything is read again before the next request. Nothing, if it is not current any
   * more.
   */
  refused(identity: Identity): void;
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
  /** Unset: the kubeconfig's current context, as it is at the start. */
  readonly context?: string;
  readonly clock: Clock;
  /** Told of each trouble, once. */
  readonly logger?: Logger;
}

/** Throws a NoClusterError that says what was looked for and what to do. */
export function createCredentials(options: CredentialsOptions): KubeconfigCredentials {
  return new KubeconfigCredentials(options);
}

/** A stat is cheap, but there is a request for each page of a list. */
const LOOK_AT_FILES_AFTER_MS = 5_000;
/** A little more than an exec plugin has: for providers that have no limit of their own. */
const LOOK_UP_LIMIT_MS = 65_000;

export class KubeconfigCredentials implements Credentials {
  readonly server: string;
  readonly proxyUrl: string | undefined;
  readonly #options: CredentialsOptions;
  readonly #files: readonly string[];
  readonly #lookUp: SharedWait<Identity>;
  #shown: ShownCredentials;
  /** What `current` gave last; `undefined`: refused, or not asked for yet. */
  #identity: Identity | undefined;
  #stale = false;
  readonly #troubles = { kubeconfig: '', tokenFile: '' };
  #lookedAtMs: number;
  #seenFiles: string;

  constructor(options: CredentialsOptions) {
    this.#options = options;
    this.#files = kubeconfigFiles(options);
    this.#lookedAtMs = options.clock.now();
    this.#seenFiles = fingerprint(this.#files);
    this.#shown = load(options, options.context);
    const { cluster } = this.#shown.chosen;
    this.server = cluster.server;
    this.proxyUrl = proxyOf(this.#shown.chosen);
    this.#lookUp = new SharedWait((signal) => this.#read(signal));
  }

  /**
   * Why credentials of an earlier moment are used: a rewritten kubeconfig that is not followed, a token file that
   * cannot be read. `''`: those of now are. What keeps credentials from being had at all is said by the requests that
   * fail.
   */
  get trouble(): string {
    return Object.values(this.#troubles)
      .filter((trouble) => trouble !== '')
      .join('; ');
  }

  current(signal: AbortSignal): Promise<Identity> {
    return this.#lookUp.result(signal);
  }

  refused(identity: Identity): void {
    // Of many requests with one identity the first refusal counts; the others have been answered by it.
    if (identity !== this.#identity) return;
    this.#identity = undefined;
    this.#stale = true;
    this.#shown.discard();
  }

  async #read(signal: AbortSignal): Promise<Identity> {
    const timeout = new AbortController();
    const cancel = this.#options.clock.setTimer(() => {
      timeout.abort(new Error(`no answer from the auth provider within ${LOOK_UP_LIMIT_MS / 1000} s`));
    }, LOOK_UP_LIMIT_MS);
    const ending = AbortSignal.any([signal, timeout.signal]);
    try {
      this.#reload();
      const stopped = new Promise<never>((_resolve, reject) => {
        ending.addEventListener('abort', () => reject(ending.reason), { once: true });
      });
      const { headers, tls } = await Promise.race([this.#shown.read(ending), stopped]);
      const last = this.#identity;
      if (last !== undefined && isDeepStrictEqual({ headers, tls }, last)) return last;
      this.#identity = { headers, tls };
      return this.#identity;
    } catch (error) {
      if (signal.aborted) throw error;
      const reason = error instanceof Error ? error.message.trim() : String(error);
      throw new CredentialsError(`cannot get credentials for ${this.server}: ${reason}`, { cause: error });
    } finally {
      cancel();
      this.#say('tokenFile', this.#shown.trouble);
    }
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
    const { clock } = this.#options;
    let fresh: ShownCredentials;
    try {
      // The context of the start, whatever is current now.
      fresh = load(this.#options, this.#shown.chosen.context);
    } catch (error) {
      // Half written, or gone for a moment: the old one is good until the server says otherwise.
      this.#say(
        'kubeconfig',
        `the kubeconfig cannot be followed: ${error instanceof Error ? error.message : String(error)}`,
      );
      if (this.#stale) throw error;
      return;
    }
    this.#seenFiles = seenFiles;
    this.#stale = false;
    if (this.#leadsElsewhere(fresh.chosen)) return;
    this.#say('kubeconfig', '');
    // An unchanged user keeps what its plugin said.
    if (!isDeepStrictEqual(fresh.chosen, this.#shown.chosen)) this.#shown = new ShownCredentials(fresh.chosen, clock);
  }

  #leadsElsewhere(fresh: Chosen): boolean {
    const { chosen } = this.#shown;
    if (fresh.cluster.name === chosen.cluster.name && fresh.cluster.server === chosen.cluster.server) return false;
    this.#say(
      'kubeconfig',
      `the kubeconfig was rewritten and its context ${chosen.context} leads to another cluster: digger stays with ` +
        `${this.server} and the credentials that it has; restart it to follow`,
    );
    return true;
  }

  #say(about: 'kubeconfig' | 'tokenFile', trouble: string): void {
    if (trouble === this.#troubles[about]) return;
    this.#troubles[about] = trouble;
    if (trouble !== '') this.#options.logger?.warn({ server: this.server }, trouble);
  }
}

/** Files that a kubeconfig is made of; in a pod they are missing, and its mounted account counts. */
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

/** Throws a NoClusterError. */
function load(options: CredentialsOptions, context: string | undefined): ShownCredentials {
  const files = kubeconfigFiles(options);
  try {
    const config = readKubeconfigs(files, options.kubeconfig === undefined);
    if (config === undefined && options.kubeconfig !== undefined) {
      throw new KubeconfigError(`there is nothing in ${options.kubeconfig}`);
    }
    const chosen = config === undefined ? podAccount(process.env) : choose(config, context);
    if (chosen !== undefined) return new ShownCredentials(chosen, options.clock);
  } catch (error) {
    // Which file it was is said before it: the end of Node's message, `, open 'FILE'`, would say it again.
    const reason = (error instanceof Error ? error.message : String(error)).replace(/, (?:open|read|stat) '.*'$/, '');
    const source =
      error instanceof KubeconfigError
        ? ''
        : `cannot read ${files.filter(existsSync).join(', ') || files.join(', ')}: `;
    throw new NoClusterError(
      `${source}${reason}; name another kubeconfig with --kubeconfig, or run \`digger demo\`, which needs no cluster`,
      // A KubeconfigError has said all that it knows.
      error instanceof KubeconfigError ? undefined : { cause: error },
    );
  }
  throw new NoClusterError(
    `no cluster is configured (looked at ${files.join(', ')}): set KUBECONFIG, pass --kubeconfig and --context, or run in ` +
      'a pod with a service account; `digger demo` runs against a simulated cluster and needs none of it',
  );
}

function proxyOf({ cluster }: Chosen): string | undefined {
  try {
    if (cluster.proxyUrl !== undefined) return proxyUrl(cluster.proxyUrl, `cluster ${cluster.name}: proxy-url`);
    return proxyFromEnvironment(new URL(cluster.server), process.env);
  } catch (error) {
    throw new NoClusterError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}
