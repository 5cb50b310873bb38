// The name of a source of records: a resource, or a resource in one namespace where a cluster is watched in parts.
//
// `pods`, `deployments.apps`; `shop/pods`. It is what positions, statuses and metrics are told apart by.

/** Namespaces watched one by one at most: each costs eleven watches. With more, watching the whole cluster is cheaper. */
export const MAX_NAMESPACES = 16;

/** `namespace` unset: all of them, or a resource that has none. */
export function toSource(resource: string, namespace: string | undefined): string {
  return namespace === undefined ? resource : `${namespace}/${resource}`;
}

/** `shop/pods` → `pods`. */
export function resourceOf(source: string): string {
  return source.slice(source.indexOf('/') + 1);
}
