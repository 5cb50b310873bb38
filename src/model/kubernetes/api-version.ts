// The two parts of an `apiVersion`, as Kubernetes writes it: `apps/v1`, or `v1` for the core group.

/** `apps/v1` → `apps`; `v1` → the core group, which is empty. */
export function groupOf(apiVersion: string): string {
  const slash = apiVersion.indexOf('/');
  return slash === -1 ? '' : apiVersion.slice(0, slash);
}

/** `apps/v1` → `v1`. */
export function versionOf(apiVersion: string): string {
  return apiVersion.slice(apiVersion.indexOf('/') + 1);
}
