// One file of named ranges: read within a bound, its format found by what is in it, laid out for questions.
//
// The form is told by the content, not by the name: JSON with the lists of a cloud, else digger's own. A file is taken
// whole or not at all.

import { open } from 'node:fs/promises';
import { parseCloudFormat } from './cloud-formats.ts';
import { type NamedRange, NetworkTable } from './network-table.ts';
import { parseOwnFormat } from './own-format.ts';
import { Problems, RangesFileError } from './problems.ts';

/** Azure's, the largest that is published, has about 5 MB. */
export const MAX_FILE_BYTES = 16 * 1024 * 1024;

/** Of digger's own format, which takes longer to read: some 20,000 ranges. */
export const MAX_OWN_BYTES = 512 * 1024;

/** Ranges of one file, 150 to 250 bytes each. Azure's has about 100,000. */
export const MAX_RANGES = 250_000;

/** How long the event loop may be held while a table is made: lookups share it. */
const SLICE_MS = 5;

/** What tells that a file is another one or has been written, without reading it. */
export interface FileMark {
  readonly size: number;
  readonly modifiedMs: number;
  readonly inode: number;
}

export interface RangesFile {
  readonly path: string;
  readonly mark: FileMark;
  readonly table: NetworkTable;
}

/** Rejects with a RangesFileError for a file that cannot be used. */
export async function readRangesFile(path: string): Promise<RangesFile> {
  const { text, mark } = await readText(path);
  return { path, mark, table: await parseRanges(text, path) };
}

/** `path` is for messages. Rejects with a RangesFileError for text that cannot be used. */
export async function parseRanges(text: string, path: string): Promise<NetworkTable> {
  const problems = new Problems(path);
  const table = new NetworkTable();
  let untilMs = performance.now() + SLICE_MS;
  let count = 0;
  for (const range of rangesIn(text, problems)) {
    count += 1;
    if (count > MAX_RANGES) break;
    table.add(range);
    if (performance.now() < untilMs) continue;
    await new Promise((resolve) => setImmediate(resolve));
    untilMs = performance.now() + SLICE_MS;
  }
  if (count > MAX_RANGES) problems.add(undefined, `more than ${MAX_RANGES} ranges; allowed: at most that many`);
  // So a download that went wrong does not take away what is there.
  if (count === 0 && !problems.any) problems.add(undefined, 'holds no ranges');
  problems.throwIfAny();
  return table;
}

function rangesIn(text: string, problems: Problems): Iterable<NamedRange> {
  if (/^\s*\{/.test(text)) {
    const document = parseJson(text, problems);
    if (problems.any) return [];
    const ranges = parseCloudFormat(document, problems);
    if (ranges !== undefined) return ranges;
  }
  const bytes = Buffer.byteLength(text);
  if (bytes <= MAX_OWN_BYTES) return parseOwnFormat(text, problems);
  problems.add(undefined, `${bytes} bytes; allowed: at most ${MAX_OWN_BYTES}, or the JSON of AWS, Google or Azure`);
  return [];
}

async function readText(path: string): Promise<{ readonly text: string; readonly mark: FileMark }> {
  const problems = new Problems(path);
  try {
    await using file = await open(path);
    const { size, mtimeMs, ino } = await file.stat();
    if (size > MAX_FILE_BYTES) problems.add(undefined, `${size} bytes; allowed: at most ${MAX_FILE_BYTES}`);
    problems.throwIfAny();
    const text = await file.readFile('utf8');
    return { text: text.replace(/^\ufeff/, ''), mark: { size, modifiedMs: mtimeMs, inode: ino } };
  } catch (error) {
    if (error instanceof RangesFileError) throw error;
    const reason = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new RangesFileError(`${path}: cannot be read: ${reason}`);
  }
}

function parseJson(text: string, problems: Problems): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const position = /position (\d+)/.exec(reason)?.[1];
    const line = position === undefined ? undefined : text.slice(0, Number(position)).split('\n').length;
    problems.add(line, `not JSON: ${reason.replace(/ in JSON at position .*/, '')}`);
    return undefined;
  }
}
