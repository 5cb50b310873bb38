// How far this process has followed the resources that claims are made from: a sibling that has seen less cannot tell
// the beginnings of what is known here.
//
// Versions of two resources cannot be compared, and those of one that is quiet look old although nothing happened; so a
// position is also level when the records are the same, see `SourcePosition.digest`.

import { CLAIMING_RESOURCES } from '../addresses/address-book.ts';
import type { ChangeBatch } from '../model/changes.ts';
import { compareResourceVersions } from '../model/kubernetes/resource-version.ts';
import { resourceOf } from '../model/source.ts';

/** A resource and an opaque position, as `digger.v1.HandOverPosition` has them. */
export interface ToldPosition {
  readonly resource: string;
  readonly position: Uint8Array;
}

interface Position {
  readonly version: string;
  readonly digest: number | undefined;
}

/** `level`: everything was seen here that was seen there. */
export type Comparison = 'level' | 'behind' | 'other-resources' | 'other-history';

export class Positions {
  readonly #current = new Map<string, Position>();
  /** Resources of which a list is being applied: their records are at no moment. */
  readonly #unfinished = new Set<string>();

  /** To be called with every batch. */
  note({ position, unfinished = false }: ChangeBatch): void {
    const { resource, resourceVersion: version, digest } = position;
    if (!CLAIMING_RESOURCES.has(resourceOf(resource))) return;
    if (unfinished) this.#unfinished.add(resource);
    else {
      this.#unfinished.delete(resource);
      this.#current.set(resource, { version, digest });
    }
  }

  told(): readonly ToldPosition[] {
    return [...this.#current].map(([resource, { version, digest }]) => ({
      resource,
      position: Buffer.from(JSON.stringify([version, digest ?? -1])),
    }));
  }

  /** What is known here beside what another process has seen. */
  compare(told: readonly ToldPosition[]): Comparison {
    const names = new Set(told.map(({ resource }) => resource));
    if (names.size === 0 || names.size !== this.#current.size || ![...names].every((name) => this.#current.has(name))) {
      return 'other-resources';
    }
    let isBehind = this.#unfinished.size > 0;
    for (const { resource, position } of told) {
      const here = this.#current.get(resource);
      const there = parse(position);
      if (here === undefined || there === undefined) return 'other-history';
      if (here.digest !== undefined && here.digest === there.digest) continue;
      const order = compareResourceVersions(here.version, there.version);
      if (order === undefined) return 'other-history';
      if (order < 0) isBehind = true;
    }
    return isBehind ? 'behind' : 'level';
  }
}

function parse(position: Uint8Array): Position | undefined {
  try {
    const [version, digest]: unknown[] = JSON.parse(Buffer.from(position).toString());
    return typeof version === 'string' && typeof digest === 'number' ? { version, digest } : undefined;
  } catch {
    // Bytes of another version of this service, or of none.
    return undefined;
  }
}
