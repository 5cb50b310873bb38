// The answers of an API server that are not about objects: version, health and which resources there are.
//
// Enough for clients that ask before they list. Follows the switches: a resource that is switched off is not announced.

import { apiVersionOf, type Resource } from './served-resources.ts';

export type DiscoveryAnswer =
  | { readonly type: 'json'; readonly body: unknown }
  | { readonly type: 'text'; readonly body: string };

/** undefined: no such path. */
export function answerDiscovery(pathname: string, resources: readonly Resource[]): DiscoveryAnswer | undefined {
  const parts = pathname.split('/').filter((part) => part !== '');
  const [root, group, version] = parts;
  switch (root) {
    case 'version':
      return parts.length === 1 ? json(VERSION) : undefined;
    case 'healthz':
    case 'livez':
    case 'readyz':
      return { type: 'text', body: 'ok' };
    case 'api':
      if (parts.length === 1) {
        return json({ kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [] });
      }
      return parts.length === 2 ? resourceList(resources, `${group}`) : undefined;
    case 'apis':
      if (group === undefined) {
        const names = new Set(resources.map((resource) => resource.group).filter((name) => name !== ''));
        const groups = [...names].map((name) => apiGroup(resources, name));
        return json({ kind: 'APIGroupList', apiVersion: 'v1', groups });
      }
      if (!resources.some((resource) => resource.group === group) || parts.length > 3) {
        return undefined;
      }
      return version === undefined
        ? json({ kind: 'APIGroup', apiVersion: 'v1', ...apiGroup(resources, group) })
        : resourceList(resources, `${group}/${version}`);
    default:
      return undefined;
  }
}

const VERSION = {
  major: '1',
  minor: '37',
  gitVersion: 'v1.37.2+simulator',
  gitCommit: '',
  gitTreeState: '',
  buildDate: '1970-01-01T00:00:00Z',
  goVersion: '',
  compiler: '',
  platform: '',
};

function json(body: unknown): DiscoveryAnswer {
  return { type: 'json', body };
}

function apiGroup(resources: readonly Resource[], name: string): Readonly<Record<string, unknown>> {
  const versions = [...new Set(resources.filter(({ group }) => group === name).map(({ version }) => version))].map(
    (version) => ({ groupVersion: `${name}/${version}`, version }),
  );
  return { name, versions, preferredVersion: versions[0] };
}

function resourceList(resources: readonly Resource[], groupVersion: string): DiscoveryAnswer | undefined {
  const served = resources.filter((resource) => apiVersionOf(resource) === groupVersion);
  if (served.length === 0) {
    return undefined;
  }
  return json({
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion,
    resources: served.map(({ plural, kind, namespaced }) => ({
      name: plural,
      singularName: kind.toLowerCase(),
      namespaced,
      kind,
      verbs: ['get', 'list', 'watch'],
    })),
  });
}
