// Kubeconfig files, read and merged as client-go does.
//
// Of equal names the first file counts, and so does the first current context; files of a list that are missing or
// empty are skipped. YAML is what kubectl takes for it: UTF-8 or, with a byte order mark, UTF-16 (PowerShell writes
// it), merge keys, of a key that stands twice the last one, and of several documents the first. A name that stands
// twice in one file is remembered, because which of the two is meant is not written anywhere. Messages never quote what
// is in a file: it holds secrets.

import { existsSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { CORE_SCHEMA, loadAll, mergeTag } from 'js-yaml';

/** Merged files. */
export interface Kubeconfig {
  readonly contexts: ReadonlyMap<string, Entry>;
  readonly clusters: ReadonlyMap<string, Entry>;
  readonly users: ReadonlyMap<string, Entry>;
  readonly currentContext: string | undefined;
}

/** What is under `cluster`, `user` or `context`, and the folder that its paths begin at. */
export interface Entry {
  readonly fields: unknown;
  readonly directory: string;
  /** Another one of the same file has the same name. */
  readonly isTwice: boolean;
}

/** Something in a kubeconfig cannot be used; names the field. */
export class KubeconfigError extends Error {
  override readonly name = 'KubeconfigError';
}

interface ParsedFile {
  readonly fields: Readonly<Record<string, unknown>>;
  readonly directory: string;
}

/** Throws for the first file that cannot be read. `undefined`: all are missing, or nothing is in them. */
export function readKubeconfigs(files: readonly string[], mayBeMissing: boolean): Kubeconfig | undefined {
  const parsed = files.flatMap((file): ParsedFile[] => {
    if (mayBeMissing && !existsSync(file)) return [];
    const fields = parseFile(file);
    return fields === undefined ? [] : [{ fields, directory: dirname(resolve(file)) }];
  });
  if (parsed.length === 0) return undefined;
  const names = ['contexts', 'clusters', 'users', 'current-context'];
  // What `kubectl config unset` leaves behind has lists, but nothing in them.
  if (parsed.every(({ fields }) => names.every((name) => isEmpty(fields[name])))) return undefined;
  const current = parsed.map(({ fields }) => fields['current-context']).find((each) => !isEmpty(each));
  if (current !== undefined && !isText(current)) throw new KubeconfigError('current-context must be text');
  return {
    contexts: merged(parsed, 'contexts', 'context'),
    clusters: merged(parsed, 'clusters', 'cluster'),
    users: merged(parsed, 'users', 'user'),
    currentContext: current,
  };
}

function parseFile(file: string): Readonly<Record<string, unknown>> | undefined {
  const text = decoded(readFileSync(file));
  let parsed: unknown;
  try {
    // js-yaml throws for a file of comments, which is as empty as any.
    const isBlank = text.replaceAll(/^\s*(#.*|---\s*)?$/gm, '').trim() === '';
    [parsed] = isBlank ? [] : loadAll(text, { schema: CORE_SCHEMA.withTags(mergeTag), json: true });
  } catch (error) {
    // js-yaml quotes the lines around a mistake, which may hold a token or a key.
    const line = isRecord(error) && isRecord(error['mark']) ? error['mark']['line'] : undefined;
    const where = typeof line === 'number' ? ` at line ${line + 1}` : '';
    throw new KubeconfigError(`${file} is not valid YAML${where}`);
  }
  if (parsed === undefined || parsed === null) return undefined;
  if (!isRecord(parsed)) throw new KubeconfigError(`${file} is not a kubeconfig`);
  return parsed;
}

/** By its byte order mark, as YAML has it (YAML 1.2, 5.2); UTF-8 without one. */
function decoded(bytes: Buffer): string {
  const [first, second] = bytes;
  if (first === 0xff && second === 0xfe) return bytes.subarray(2).toString('utf16le');
  if (first === 0xfe && second === 0xff) return new TextDecoder('utf-16be').decode(bytes);
  return bytes.toString('utf8').replace(/^\uFEFF/, '');
}

function merged(files: readonly ParsedFile[], plural: string, singular: string): ReadonlyMap<string, Entry> {
  const entries = new Map<string, Entry>();
  for (const { fields, directory } of files) {
    const list = fields[plural];
    const ofFile = new Map<string, Entry>();
    for (const each of Array.isArray(list) ? list : []) {
      if (!isRecord(each) || !isText(each['name'])) continue;
      const isTwice = ofFile.has(each['name']);
      ofFile.set(each['name'], { fields: each[singular] ?? {}, directory, isTwice });
    }
    for (const [name, entry] of ofFile) if (!entries.has(name)) entries.set(name, entry);
  }
  return entries;
}

function isEmpty(value: unknown): boolean {
  return value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0);
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}
