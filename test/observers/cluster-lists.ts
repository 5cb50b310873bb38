// Everything that the API server lists now, of the kinds that digger reads, through `@kubernetes/client-node` in JSON.
//
// The other side of every comparison of state: it shares no code with digger's own client, which speaks
// protobuf, keeps a subset of the fields and follows watches.
import {
  AppsV1Api,
  BatchV1Api,
  CoreV1Api,
  CustomObjectsApi,
  DiscoveryV1Api,
  KubeConfig,
  type V1EndpointSlice,
  type V1Namespace,
  type V1Node,
  type V1ObjectMeta,
  type V1Pod,
  type V1Service,
} from '@kubernetes/client-node';

/** An object that can own pods, with what a list leaves out. */
export type OwnerObject = { readonly apiVersion: string; readonly kind: string; readonly metadata: V1ObjectMeta };

/** One reading; the lists are taken one after the other, so a cluster has to be at rest to compare with it. */
export type ClusterLists = {
  readonly pods: readonly V1Pod[];
  readonly services: readonly V1Service[];
  readonly endpointSlices: readonly V1EndpointSlice[];
  readonly nodes: readonly V1Node[];
  readonly namespaces: readonly V1Namespace[];
  readonly owners: readonly OwnerObject[];
};

/**
 * Not stored: the API server adds it while it converts a whole DaemonSet to apps/v1, so that who asks for metadata
 * only, as digger does, never sees it.
 */
const SYNTHESISED_ANNOTATION = 'deprecated.daemonset.template.generation';

/** A kind of owners that is no part of Kubernetes. */
export type CustomKind = {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
};

/** A reader that keeps its clients. Custom kinds are read where they are named: those that digger may read. */
export function createListReader(
  kubeconfig: string,
  customKinds: readonly CustomKind[] = [],
): () => Promise<ClusterLists> {
  const config = new KubeConfig();
  config.loadFromFile(kubeconfig);
  const core = config.makeApiClient(CoreV1Api);
  const apps = config.makeApiClient(AppsV1Api);
  const batch = config.makeApiClient(BatchV1Api);
  const discovery = config.makeApiClient(DiscoveryV1Api);
  const custom = config.makeApiClient(CustomObjectsApi);
  return async () => {
    const owners = await Promise.all([
      list(apps.listDeploymentForAllNamespaces(), 'apps/v1', 'Deployment'),
      list(apps.listReplicaSetForAllNamespaces(), 'apps/v1', 'ReplicaSet'),
      list(apps.listStatefulSetForAllNamespaces(), 'apps/v1', 'StatefulSet'),
      list(apps.listDaemonSetForAllNamespaces(), 'apps/v1', 'DaemonSet'),
      list(batch.listJobForAllNamespaces(), 'batch/v1', 'Job'),
      list(batch.listCronJobForAllNamespaces(), 'batch/v1', 'CronJob'),
      list(core.listReplicationControllerForAllNamespaces(), 'v1', 'ReplicationController'),
      ...customKinds.map(({ group, version, plural, kind }) =>
        list(custom.listClusterCustomObject({ group, version, plural }), `${group}/${version}`, kind),
      ),
    ]);
    return {
      pods: (await core.listPodForAllNamespaces()).items,
      services: (await core.listServiceForAllNamespaces()).items,
      endpointSlices: (await discovery.listEndpointSliceForAllNamespaces()).items,
      nodes: (await core.listNode()).items,
      namespaces: (await core.listNamespace()).items,
      owners: owners.flat(),
    };
  };
}

async function list(
  answer: Promise<{ items: { metadata?: V1ObjectMeta }[] }>,
  apiVersion: string,
  kind: string,
): Promise<readonly OwnerObject[]> {
  return (await answer).items.map((item) => {
    const metadata = item.metadata ?? {};
    const annotations = Object.entries(metadata.annotations ?? {}).filter(([key]) => key !== SYNTHESISED_ANNOTATION);
    return { apiVersion, kind, metadata: { ...metadata, annotations: Object.fromEntries(annotations) } };
  });
}
