// Names for ranges of addresses outside of the cluster, from files that are followed while they are used.
//
// A file that is changed is taken without a restart; while one is not good, what it said last stays, whatever becomes
// of the others. Files are looked at on a beat instead of being watched (kubelets swap symbolic links, other tools
// write in place or rename), and read only when size, time or inode are others than before in two looks in a row.
// Across files the longest prefix counts, and of equal ones that of the file that was given first.

import { stat } from 'node:fs/promises';
import type { Logger } from '../telemetry/logger.ts';
import type { NamedRangesMetrics } from './metrics.ts';
import type { FoundRange } from './network-table.ts';
import { RangesFileError } from './problems.ts';
import { type FileMark, type RangesFile, readRangesFile } from './ranges-file.ts';

export interface NamedRangesOptions {
  /** A few, because a question looks into each of them; none: nothing has a name. */
  readonly paths: readonly string[];
  readonly logger: Logger;
  readonly metrics: NamedRangesMetrics;
  readonly nowMs: () => number;
  /** Between two looks at the files. Default: 5 s, so that a change is taken within about 10 s. */
  readonly lookIntervalMs?: number;
}

export interface NamedRangesStatus {
  readonly path: string;
  readonly ranges: number;
  /** When the file that is in use was written, and when it was taken; ms since the epoch. */
  readonly modifiedMs: number;
  readonly loadedMs: number;
  /** Why a newer file is not in use; empty: the newest file is in use. */
  readonly problem: string;
}

interface Followed {
  file: RangesFile;
  loadedMs: number;
  /** What the last look found, when it was not what is in use. */
  seen: FileMark | undefined;
  /** What was found to be bad, so that it is not read again and again. */
  refused: FileMark | undefined;
  problem: string;
}

export class NamedRanges {
  readonly #options: NamedRangesOptions;
  readonly #followed: readonly Followed[];
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  private constructor(options: NamedRangesOptions, files: readonly RangesFile[]) {
    this.#options = options;
    const loadedMs = options.nowMs();
    this.#followed = files.map((file) => ({ file, loadedMs, seen: undefined, refused: undefined, problem: '' }));
    for (const { path, table } of files) options.metrics.ranges.set({ file: path }, table.size);
    if (files.length > 0) this.#beat();
  }

  /** Reads the files; rejects with a RangesFileError for one that cannot be used. Then follows them until `close`. */
  static async start(options: NamedRangesOptions): Promise<NamedRanges> {
    const files: RangesFile[] = [];
    // One after the other: a large one takes memory several times its size while it is read.
    for (const path of new Set(options.paths)) files.push(await readRangesFile(path));
    return new NamedRanges(options, files);
  }

  /** The named range that contains the (canonical) address. */
  find(address: string): FoundRange | undefined {
    let best: FoundRange | undefined;
    for (const { file } of this.#followed) {
      const found = file.table.find(address);
      if (found !== undefined && (best === undefined || found.prefixLength > best.prefixLength)) best = found;
    }
    return best;
  }

  /** In the order of the configuration. */
  statuses(): readonly NamedRangesStatus[] {
    return this.#followed.map(({ file: { path, mark, table }, loadedMs, problem }) => ({
      path,
      ranges: table.size,
      modifiedMs: mark.modifiedMs,
      loadedMs,
      problem,
    }));
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  #beat(): void {
    this.#timer = setTimeout(() => {
      void this.#lookAtAll().finally(() => {
        if (!this.#closed) this.#beat();
      });
    }, this.#options.lookIntervalMs ?? LOOK_INTERVAL_MS);
    this.#timer.unref();
  }

  /** Never rejects. */
  async #lookAtAll(): Promise<void> {
    for (const followed of this.#followed) {
      try {
        await this.#look(followed);
      } catch (error) {
        this.#fail(followed, error);
      }
    }
    this.#options.metrics.reloadFailing.set(this.#followed.some(({ problem }) => problem !== '') ? 1 : 0);
  }

  async #look(followed: Followed): Promise<void> {
    const { path, mark } = followed.file;
    const found = await markOf(path);
    if (this.#closed) return;
    const settled = followed.seen !== undefined && sameMark(found, followed.seen);
    followed.seen = found;
    if (sameMark(found, mark)) {
      this.#recover(followed);
      return;
    }
    if (!settled || (followed.refused !== undefined && sameMark(found, followed.refused))) return;
    // Also when reading fails: until the file is another one.
    followed.refused = found;
    const file = await readRangesFile(path);
    if (this.#closed) return;
    this.#take(followed, file);
  }

  #take(followed: Followed, file: RangesFile): void {
    const { logger, metrics, nowMs } = this.#options;
    followed.file = file;
    followed.loadedMs = nowMs();
    followed.problem = '';
    metrics.ranges.set({ file: file.path }, file.table.size);
    metrics.reloads.inc();
    logger.info({ file: file.path, ranges: file.table.size }, 'named ranges reloaded');
  }

  /** Logged and counted when it begins and when it becomes another, not at every look. */
  #fail(followed: Followed, error: unknown): void {
    if (this.#closed) return;
    const problem = error instanceof RangesFileError ? error.message : String(error);
    if (followed.problem === problem) return;
    followed.problem = problem;
    this.#options.metrics.reloadFailures.inc();
    this.#options.logger.warn(
      { file: followed.file.path, problems: problem.split('\n') },
      'cannot use the new file of named ranges; the last good one stays in use',
    );
  }

  #recover(followed: Followed): void {
    if (followed.problem === '') return;
    followed.problem = '';
    this.#options.logger.info({ file: followed.file.path }, 'the file of named ranges is the one in use again');
  }
}

const LOOK_INTERVAL_MS = 5_000;

async function markOf(path: string): Promise<FileMark> {
  try {
    const { size, mtimeMs, ino } = await stat(path);
    return { size, modifiedMs: mtimeMs, inode: ino };
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new RangesFileError(`${path}: cannot be read: ${reason}`);
  }
}

function sameMark(a: FileMark, b: FileMark): boolean {
  return a.size === b.size && a.modifiedMs === b.modifiedMs && a.inode === b.inode;
}
