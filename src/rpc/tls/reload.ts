// Keeps a server's TLS files followed: new certificates, keys and client CAs are taken without a restart, and what was
// good last stays while the files on disk are not.
//
// Files are looked at on a beat instead of being watched: kubelets swap symbolic links, other tools write in place or
// rename, and watching means something else for each. What has changed is taken when two looks in a row found the same:
// a file in the middle of being written may be valid as far as it goes (a chain that lacks its end).

import type { Logger } from '../../telemetry/logger.ts';
import {
  checkTlsBytes,
  readTlsFiles,
  sameTlsBytes,
  type TlsBytes,
  TlsFilesError,
  type TlsMaterial,
  type TlsPaths,
} from './files.ts';
import type { TlsMetrics } from './metrics.ts';

export interface TlsReloadOptions {
  readonly paths: TlsPaths;
  readonly logger: Logger;
  readonly metrics: TlsMetrics;
  /** ms since the epoch. */
  readonly nowMs: () => number;
  /** Between two looks at the files. Default: 2 s, so that a change is served within about 4 s. */
  readonly lookIntervalMs?: number;
}

export class TlsReload {
  readonly metrics: TlsMetrics;
  readonly #paths: TlsPaths;
  readonly #logger: Logger;
  readonly #nowMs: () => number;
  readonly #listeners: ((material: TlsMaterial) => void)[] = [];
  #current: TlsMaterial;
  /** What the last look found, when it was not what is served. */
  #seen: TlsBytes | undefined;
  #failing = false;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  private constructor(options: TlsReloadOptions, first: TlsMaterial) {
    this.#paths = options.paths;
    this.#logger = options.logger;
    this.metrics = options.metrics;
    this.#nowMs = options.nowMs;
    this.#current = first;
    this.metrics.expiry.set(first.notAfterMs / 1000);
    this.#beat(options.lookIntervalMs ?? LOOK_INTERVAL_MS);
  }

  /** Reads the files; rejects with a TlsFilesError when they cannot be served with. Then follows them until `close`. */
  static async start(options: TlsReloadOptions): Promise<TlsReload> {
    const first = checkTlsBytes(await readTlsFiles(options.paths), options.paths);
    if (first.notAfterMs <= options.nowMs()) {
      options.logger.warn({ notAfter: isoTime(first.notAfterMs) }, 'the server certificate has expired');
    }
    return new TlsReload(options, first);
  }

  /** What to serve with. */
  get current(): TlsMaterial {
    return this.#current;
  }

  /** Called with what is served from now on. What it throws makes the new files count as bad. */
  onChange(listener: (material: TlsMaterial) => void): void {
    this.#listeners.push(listener);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  #beat(intervalMs: number): void {
    this.#timer = setTimeout(() => {
      void this.#look().finally(() => {
        if (!this.#closed) this.#beat(intervalMs);
      });
    }, intervalMs);
    this.#timer.unref();
  }

  /** Never rejects. */
  async #look(): Promise<void> {
    try {
      const found = await readTlsFiles(this.#paths);
      if (this.#closed) return;
      const settled = this.#seen !== undefined && sameTlsBytes(found, this.#seen);
      this.#seen = found;
      if (sameTlsBytes(found, this.#current)) this.#recover();
      else if (settled) this.#take(checkTlsBytes(found, this.#paths));
    } catch (error) {
      this.#fail(error);
    }
  }

  #take(material: TlsMaterial): void {
    const nowMs = this.#nowMs();
    if (material.notAfterMs <= nowMs && this.#current.notAfterMs > nowMs) {
      throw new TlsFilesError(`the certificate in ${this.#paths.cert} has expired`);
    }
    const before = this.#current;
    try {
      for (const listener of this.#listeners) listener(material);
    } catch (error) {
      for (const listener of this.#listeners) listener(before);
      throw error;
    }
    this.#current = material;
    this.metrics.expiry.set(material.notAfterMs / 1000);
    this.metrics.reloads.inc();
    this.#failing = false;
    this.metrics.reloadFailing.set(0);
    const { serialNumber, notAfterMs } = material;
    this.#logger.info({ serialNumber, notAfter: isoTime(notAfterMs) }, 'TLS files reloaded');
  }

  /** Logged and counted when it begins, not at every look. */
  #fail(error: unknown): void {
    if (this.#failing || this.#closed) return;
    this.#failing = true;
    this.metrics.reloadFailing.set(1);
    this.metrics.reloadFailures.inc();
    const reason = error instanceof Error ? error.message : String(error);
    const { serialNumber, notAfterMs } = this.#current;
    this.#logger.warn(
      { reason, serialNumber, notAfter: isoTime(notAfterMs) },
      'cannot use the new TLS files; the last good ones stay in use',
    );
  }

  #recover(): void {
    if (!this.#failing) return;
    this.#failing = false;
    this.metrics.reloadFailing.set(0);
    this.#logger.info('the TLS files are those in use again');
  }
}

const LOOK_INTERVAL_MS = 2_000;

function isoTime(timeMs: number): string {
  return new Date(timeMs).toISOString();
}
