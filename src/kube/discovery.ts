// Discovery: where the objects of a kind are, by the API server's own lists of what it serves (APIResourceList,
// APIGroup).
//
// Every authenticated client may read them by default (`system:discovery`). A reference may name a version that is not
// served any more: owner references keep the one that they were written with. Then the group is asked which versions it
// has, as a RESTMapper does, the preferred one first. Nothing is cached: a kind is asked for until it is found, see
// custom-kinds.ts.

import { groupOf, versionOf } from '../model/kubernetes/api-version.ts';
import type { Clock } from './clock.ts';
import { ApiError } from './reflector/failure.ts';
import type { Transport } from './transport/transport.ts';
import { readWholeAnswer } from './whole-answer.ts';
import { WireError } from './wire-error.ts';

export interface DiscoveredKind {
  /** A version in which it is served. */
  readonly version: string;
  /** Last part of the path. */
  readonly plural: string;
  readonly namespaced: boolean;
}

/** Who is asked. */
export interface DiscoverySource {
  readonly transport: Transport;
  readonly clock: Clock;
  /** Ends everything. */
  readonly signal: AbortSignal;
}

/** The server itself gives a request 60 s; a body that never ends would hold a kind's place for good. */
const LIMIT_MS = 60_000;
/** The largest group of Kubernetes itself takes 12 kB; this is a list of names, not of objects. */
const MAX_BYTES = 4 * 1024 * 1024;
/** Groups have two or three. */
const MAX_VERSIONS = 8;

/** `v1`, `v1alpha1`: what may become a part of a path. */
const VERSION = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/;

/**
 * `apiVersion` has to be one: it becomes a path. `undefined`: no served version of the group has such a kind that can
 * be listed and watched. Rejects with what failure.ts classifies, 404 for a group that is not served.
 */
export async function discoverKind(
  source: DiscoverySource,
  apiVersion: string,
  kind: string,
): Promise<DiscoveredKind | undefined> {
  const [group, version] = [groupOf(apiVersion), versionOf(apiVersion)];
  const found = await findIn(source, group, version, kind).catch((error: unknown) => {
    if (group !== '' && isNotFound(error)) return undefined;
    throw error;
  });
  if (found !== undefined || group === '') return found;
  for (const other of await versionsOf(source, group)) {
    if (other === version) continue;
    const elsewhere = await findIn(source, group, other, kind);
    if (elsewhere !== undefined) return elsewhere;
  }
  return undefined;
}

async function findIn(
  source: DiscoverySource,
  group: string,
  version: string,
  kind: string,
): Promise<DiscoveredKind | undefined> {
  const path = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
  const { resources } = (await readJson(source, path)) as { readonly resources?: unknown };
  for (const resource of objectsOf(resources)) {
    const { name, namespaced, verbs } = resource;
    // Subresources have the kind of what they return.
    if (resource['kind'] !== kind || typeof name !== 'string' || name.includes('/')) continue;
    if (!Array.isArray(verbs) || !verbs.includes('list') || !verbs.includes('watch')) continue;
    return { version, plural: name, namespaced: namespaced === true };
  }
  return undefined;
}

/** Served versions of a group, the preferred one first. */
async function versionsOf(source: DiscoverySource, group: string): Promise<readonly string[]> {
  const { versions, preferredVersion } = (await readJson(source, `/apis/${group}`)) as {
    readonly versions?: unknown;
    readonly preferredVersion?: unknown;
  };
  const named = objectsOf([preferredVersion, ...(Array.isArray(versions) ? versions : [])]).map(
    ({ version }) => version,
  );
  const usable = named.filter((version) => typeof version === 'string' && VERSION.test(version)) as string[];
  return [...new Set(usable)].slice(0, MAX_VERSIONS);
}

function objectsOf(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  return Array.isArray(value) ? value.filter((each) => typeof each === 'object' && each !== null) : [];
}

async function readJson({ transport, clock, signal }: DiscoverySource, path: string): Promise<object> {
  const body = await readWholeAnswer(transport, {
    ...{ path, accept: 'application/json', doing: `discover ${path}` },
    ...{ signal, clock, limitMs: LIMIT_MS, maxBytes: MAX_BYTES },
  });
  let parsed: unknown;
  try {
    parsed = JSON.parse(body.toString('utf8'));
  } catch (error) {
    throw new WireError(`${path} is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  return typeof parsed === 'object' && parsed !== null ? parsed : {};
}

function isNotFound(error: unknown): boolean {
  return error instanceof ApiError && error.status.code === 404;
}
