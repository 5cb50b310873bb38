// Discovery: where the objects of a kind are, by the API server's own list of what it serves (APIResourceList).
//
// Everybody who is authenticated may read it by default (`system:discovery`). Nothing is cached: it is asked once a kind.

import { parseStatusBody } from './decoding/api-status.ts';
import { ApiError } from './reflector/failure.ts';
import type { Transport } from './transport/transport.ts';
import { WireError } from './wire-error.ts';

export interface DiscoveredKind {
  /** Last part of the path. */
  readonly plural: string;
  readonly namespaced: boolean;
}

/** The largest group of Kubernetes itself takes 12 kB; this is a list of names, not of objects. */
const MAX_BYTES = 4 * 1024 * 1024;

/**
 * `apiVersion` has to be one: it becomes a path. `undefined`: the group is served and has no such kind that can be listed and watched. Rejects with what failure.ts
 * classifies, 404 for a group or version that is not served.
 */
export async function discoverKind(
  transport: Transport,
  apiVersion: string,
  kind: string,
  signal: AbortSignal,
): Promise<DiscoveredKind | undefined> {
  const path = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const response = await transport.request({ path, accept: 'application/json', signal });
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response.body) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > MAX_BYTES) throw new WireError(`${path} is longer than ${MAX_BYTES} bytes`);
  }
  const body = Buffer.concat(chunks);
  if (response.status !== 200) {
    throw new ApiError({ ...parseStatusBody(body, response.status), code: response.status }, `discover ${apiVersion}`);
  }
  for (const resource of readResources(body, path)) {
    const { name, namespaced, verbs } = resource;
    // Subresources have the kind of what they return.
    if (resource.kind !== kind || typeof name !== 'string' || name.includes('/')) continue;
    if (!Array.isArray(verbs) || !verbs.includes('list') || !verbs.includes('watch')) continue;
    return { plural: name, namespaced: namespaced === true };
  }
  return undefined;
}

interface ApiResource {
  readonly name?: unknown;
  readonly kind?: unknown;
  readonly namespaced?: unknown;
  readonly verbs?: unknown;
}

function readResources(body: Buffer, path: string): readonly ApiResource[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body.toString('utf8'));
  } catch (error) {
    throw new WireError(`${path} is no JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  const resources = (parsed as { resources?: unknown } | null)?.resources;
  return Array.isArray(resources) ? resources.filter((each) => typeof each === 'object' && each !== null) : [];
}
