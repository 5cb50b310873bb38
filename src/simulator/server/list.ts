// A list: which objects at which resourceVersion, and in which pages.
//
// The semantics of resourceVersion and limit are those of kube-apiserver with a watch cache
// (https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions):
//   ''            consistent, now; limit honoured
//   '0'           whatever there is; limit ignored (a server without watch cache honours it)
//   N             not older than N; with a limit, or with Exact, exactly N
//   continue      exactly the version of the first page; forgotten means 410 with a token that goes on in the present
// A version from the future is waited for, then answered with 504.

import type { Cluster } from './cluster.ts';
import type { ListMeta } from './encoding.ts';
import type { StoredObject } from './stored-objects.ts';
import { invalidResourceVersion, type ListOptions, parseResourceVersion } from './request.ts';
import type { ResourceStore } from './resource-store.ts';
import { badRequest, expiredContinue, expiredList, StatusError, tooLargeResourceVersion } from './error-status.ts';

export interface ListAnswer {
  readonly items: readonly StoredObject[];
  readonly metadata: ListMeta;
}

export interface ListContext {
  readonly cluster: Cluster;
  readonly store: ResourceStore;
  readonly namespace: string | undefined;
  /** Honour `limit` at resourceVersion "0" too, as a server without watch cache does. */
  readonly pageAtZero: boolean;
  /** Resolves to false when the version has not been reached in time. */
  readonly waitFor: (resourceVersion: bigint) => Promise<boolean>;
}

/** Throws a StatusError. */
export async function answerList(options: ListOptions, context: ListContext): Promise<ListAnswer> {
  const { cluster, store } = context;
  if (options.continueToken !== '') {
    return continueList(options, context);
  }
  const requested = parseResourceVersion(options.resourceVersion);
  if (requested === undefined) {
    const message = `invalid resource version: ${invalidResourceVersion(options.resourceVersion)}`;
    throw new StatusError(badRequest(message));
  }
  const exact =
    options.resourceVersionMatch === 'Exact' ||
    (options.resourceVersionMatch === '' && requested > 0n && options.limit > 0);
  if (requested > cluster.resourceVersion && (exact || !(await context.waitFor(requested)))) {
    throw new StatusError(tooLargeResourceVersion(requested, cluster.resourceVersion));
  }
  if (!exact) {
    const limit = options.resourceVersion === '0' && !context.pageAtZero ? 0 : options.limit;
    return page(store.list(), cluster.resourceVersion, '', limit, context.namespace, options.name);
  }
  const past = store.listAt(requested);
  if (past === undefined) {
    throw new StatusError(expiredList());
  }
  return page(past, requested, '', options.limit, context.namespace, options.name);
}

function continueList(options: ListOptions, context: ListContext): ListAnswer {
  const { cluster, store } = context;
  const token = parseToken(options.continueToken);
  if (options.resourceVersion !== '' && options.resourceVersion !== '0') {
    throw new StatusError(badRequest('specifying resource version is not allowed when using continue'));
  }
  // A token with -1 came from an expired one: it goes on in the present, inconsistently.
  const resourceVersion = token.resourceVersion < 0n ? cluster.resourceVersion : token.resourceVersion;
  const objects = store.listAt(resourceVersion);
  if (objects === undefined) {
    // The real one writes the key of this token without its slash.
    throw new StatusError(expiredContinue(createToken(-1n, token.start.slice(1))));
  }
  return page(objects, resourceVersion, token.start, options.limit, context.namespace, options.name);
}

/** The page of at most `limit` (0: all) objects (with this name) whose key is `start` or comes after it. */
function page(
  objects: readonly (readonly [string, StoredObject])[],
  resourceVersion: bigint,
  start: string,
  limit: number,
  namespace: string | undefined,
  name: string | undefined,
): ListAnswer {
  // Within a namespace, tokens are relative to its prefix, as in etcd.
  const prefix = namespace === undefined ? '' : `/${namespace}`;
  const from = prefix + start;
  const matching = objects.filter(
    ([key, { metadata }]) =>
      key >= from && (prefix === '' || key.startsWith(`${prefix}/`)) && (name === undefined || metadata.name === name),
  );
  const chosen = limit > 0 ? matching.slice(0, limit) : matching;
  const remainingItemCount = matching.length - chosen.length;
  const last = chosen.at(-1);
  const items = chosen.map(([, object]) => object);
  const version = { resourceVersion: resourceVersion.toString() };
  if (remainingItemCount === 0 || last === undefined) {
    return { items, metadata: version };
  }
  const next = createToken(resourceVersion, `${last[0].slice(prefix.length)}\0`);
  return { items, metadata: { ...version, continue: next, remainingItemCount } };
}

/** The server's own form: base64url of `{"v":"meta.k8s.io/v1","rv":…,"start":"/key\u0000"}`. */
function createToken(resourceVersion: bigint, start: string): string {
  const json = `{"v":"meta.k8s.io/v1","rv":${resourceVersion},"start":${JSON.stringify(start)}}`;
  return Buffer.from(json).toString('base64url');
}

function parseToken(token: string): { readonly resourceVersion: bigint; readonly start: string } {
  const text = Buffer.from(token, 'base64url').toString();
  // Not JSON.parse: the version may be longer than a number can hold.
  const found = /^\{"v":"meta\.k8s\.io\/v1","rv":(-?\d+),"start":(".*")\}$/.exec(text);
  if (found === null) {
    throw new StatusError(badRequest('invalid continue token: continue key is not valid'));
  }
  const start = JSON.parse(found[2] ?? '') as string;
  return { resourceVersion: BigInt(found[1] ?? ''), start: start.startsWith('/') ? start : `/${start}` };
}
