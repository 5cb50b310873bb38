// Which resources the simulated API server serves, and what their URLs and lists are called.
//
// The built-in ones are those that digger reads; custom kinds are added at run time like a CustomResourceDefinition.
// A resource is named as RBAC and client-go name it: `pods`, `deployments.apps`.

export interface Resource {
  /** `''` is the core group. */
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
  /** Custom resources are JSON only, and their list items carry apiVersion and kind. */
  readonly custom: boolean;
}

export interface CustomResource {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
  /** Default: true. */
  readonly namespaced?: boolean;
}

/** `pods`, `deployments.apps`. */
export function resourceName(resource: Resource): string {
  return resource.group === '' ? resource.plural : `${resource.plural}.${resource.group}`;
}

/** `v1`, `apps/v1`. */
export function apiVersionOf(resource: Resource): string {
  return resource.group === '' ? resource.version : `${resource.group}/${resource.version}`;
}

export const BUILT_IN_RESOURCES: readonly Resource[] = [
  builtIn('', 'v1', 'namespaces', 'Namespace', false),
  builtIn('', 'v1', 'nodes', 'Node', false),
  builtIn('', 'v1', 'pods', 'Pod', true),
  builtIn('', 'v1', 'services', 'Service', true),
  builtIn('', 'v1', 'endpoints', 'Endpoints', true),
  builtIn('', 'v1', 'replicationcontrollers', 'ReplicationController', true),
  builtIn('apps', 'v1', 'deployments', 'Deployment', true),
  builtIn('apps', 'v1', 'replicasets', 'ReplicaSet', true),
  builtIn('apps', 'v1', 'statefulsets', 'StatefulSet', true),
  builtIn('apps', 'v1', 'daemonsets', 'DaemonSet', true),
  builtIn('batch', 'v1', 'jobs', 'Job', true),
  builtIn('batch', 'v1', 'cronjobs', 'CronJob', true),
  builtIn('discovery.k8s.io', 'v1', 'endpointslices', 'EndpointSlice', true),
  builtIn('networking.k8s.io', 'v1', 'servicecidrs', 'ServiceCIDR', false),
];

function builtIn(group: string, version: string, plural: string, kind: string, namespaced: boolean): Resource {
  return { group, version, plural, kind, namespaced, custom: false };
}
