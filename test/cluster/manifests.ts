// Reads and applies what `deploy/` holds.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadAll } from 'js-yaml';
import type { ApiClient, KubeObject } from './api-client.ts';

/** The folder `deploy`. */
export const DEPLOY_DIRECTORY = fileURLToPath(new URL('../../deploy/', import.meta.url));

/** The objects of a YAML text, in its order. Not by client-node's own loader: it renames `from` to `_from`. */
export function parseManifests(text: string): readonly KubeObject[] {
  return (loadAll(text) as (KubeObject | null)[]).filter((object) => object !== null);
}

/** What the kustomization of a folder lists as resources, in its order: files only. */
export function readBase(): readonly KubeObject[] {
  const base = join(DEPLOY_DIRECTORY, 'base');
  const [kustomization] = parseManifests(readFileSync(join(base, 'kustomization.yaml'), 'utf8')) as unknown as {
    resources: readonly string[];
  }[];
  const listed = kustomization?.resources ?? [];
  const files = readdirSync(base).filter((file) => file !== 'kustomization.yaml');
  const forgotten = files.filter((file) => !listed.includes(file));
  if (forgotten.length > 0) throw new Error(`not in deploy/base/kustomization.yaml: ${forgotten.join(', ')}`);
  return listed.flatMap((file) => parseManifests(readFileSync(join(base, file), 'utf8')));
}

/** The objects that a component of `deploy/components` adds. */
export function readComponent(name: string): readonly KubeObject[] {
  const folder = join(DEPLOY_DIRECTORY, 'components', name);
  const [kustomization] = parseManifests(readFileSync(join(folder, 'kustomization.yaml'), 'utf8')) as unknown as {
    resources?: readonly string[];
  }[];
  return (kustomization?.resources ?? []).flatMap((file) => parseManifests(readFileSync(join(folder, file), 'utf8')));
}

/** Applies the objects in order; returns what the server warned about, each with the object it is about. */
export async function applyAll(client: ApiClient, objects: readonly KubeObject[]): Promise<readonly string[]> {
  const warnings: string[] = [];
  for (const object of objects) {
    const answer = await client.apply(object);
    for (const warning of answer.warnings) warnings.push(`${object.kind} ${object.metadata.name}: ${warning}`);
  }
  return warnings;
}
