// Records: Kubernetes objects trimmed to what digger reads, as `kube/` hands them over.
//
// A record is immutable, says what the API said (addresses are text as written, not yet canonical) and carries no
// resourceVersion. Times are milliseconds since the epoch. A field that the object lacks is `undefined`, `''` or an
// empty list, never a guess.

/** Labels, annotations, selectors. Has no prototype properties that matter: read it with `Object.keys`. */
export type StringMap = Readonly<Record<string, string>>;

/** What tells one object from another. `namespace` is empty for cluster-scoped objects. */
export interface ObjectIdentity {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

/** The owner reference with `controller: true`, of which an object has at most one. */
export interface ControllerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
}

/** What records have in common. */
export interface RecordMeta extends ObjectIdentity {
  readonly labels: StringMap;
  readonly annotations: StringMap;
  readonly creationTimeMs: number | undefined;
  /** `metadata.deletionTimestamp`: request time plus grace period. */
  readonly deletionTimeMs: number | undefined;
  readonly controller: ControllerReference | undefined;
}

export interface PodRecord extends RecordMeta {
  readonly type: 'Pod';
  readonly nodeName: string;
  /** `spec.serviceAccountName`. */
  readonly serviceAccount: string;
  /** Condition `Ready` is True. */
  readonly ready: boolean;
  readonly hostNetwork: boolean;
  /** `status.phase` as written: `Pending`, `Running`, `Succeeded`, `Failed`, `Unknown` or `''`. */
  readonly phase: string;
  /** `status.podIPs[].ip`, or `[status.podIP]` where only that is set. As written. */
  readonly podIps: readonly string[];
  /** `status.hostIPs[].ip`, or `[status.hostIP]` where only that is set. As written. */
  readonly hostIps: readonly string[];
  readonly startTimeMs: number | undefined;
  /** Last transition of the condition `PodReadyToStartContainers` to True: the sandbox has its addresses. */
  readonly sandboxReadyTimeMs: number | undefined;
  /** Latest `state.terminated.finishedAt` of its containers (init, ordinary and ephemeral), once all have ended. */
  readonly finishedTimeMs: number | undefined;
  /** Ordinary containers, and init containers with `restartPolicy: Always` (sidecars). */
  readonly containers: readonly ContainerRecord[];
  /** Other init containers, then ephemeral ones. */
  readonly otherContainers: readonly ContainerRecord[];
  /** Beside the cluster's network: what its annotations say. */
  readonly networks: readonly PodNetworkRecord[];
  /** Why some of that is missing. */
  readonly networkProblem?: 'too_long' | 'malformed' | 'too_many' | undefined;
}

export interface PodNetworkRecord {
  /** `NAMESPACE/NAME`, or the name of a CNI configuration. */
  readonly name: string;
  readonly interface: string;
  /** Canonical, unlike those of a status: annotations are parsed. */
  readonly addresses: readonly string[];
}

export interface ContainerRecord {
  readonly type: 'ordinary' | 'sidecar' | 'init' | 'ephemeral';
  readonly name: string;
  readonly image: string;
  readonly containerId: string;
  /** `lastState.terminated.containerID`, if it is another one. */
  readonly previousContainerId: string;
  /** The one with `containerId` has terminated. */
  readonly ended: boolean;
  /** `sha256:…` of the image that it runs; empty until it was pulled, and where the runtime names none. */
  readonly imageDigest: string;
  readonly ports: readonly ContainerPortRecord[];
}

export interface ContainerPortRecord {
  readonly name: string;
  readonly containerPort: number;
  /** 0: none. */
  readonly hostPort: number;
  readonly hostIp: string;
  /** As written; `''` means TCP. */
  readonly protocol: string;
}

export interface ServiceRecord extends RecordMeta {
  readonly type: 'Service';
  /** `spec.type` as written. */
  readonly serviceType: string;
  /** `spec.clusterIPs`, or `[spec.clusterIP]` where only that is set. As written: may hold `None` or `''`. */
  readonly clusterIps: readonly string[];
  readonly externalIps: readonly string[];
  readonly loadBalancerIps: readonly string[];
  /** Those of them with `ipMode: Proxy` (KEP-1860). */
  readonly proxiedIps: readonly string[];
  readonly loadBalancerHostnames: readonly string[];
  readonly ports: readonly ServicePortRecord[];
  readonly selector: StringMap;
  /** `spec.externalName`. */
  readonly externalName: string;
}

export interface ServicePortRecord {
  readonly name: string;
  /** As written; `''` means TCP. */
  readonly protocol: string;
  readonly port: number;
  /** Number or name, as text. */
  readonly targetPort: string;
  /** 0: none. */
  readonly nodePort: number;
  readonly appProtocol: string;
}

/** An EndpointSlice, or an Endpoints object in the same shape. */
export interface EndpointSliceRecord extends RecordMeta {
  readonly type: 'EndpointSlice';
  /** Label `kubernetes.io/service-name`; for Endpoints the object's own name; `''`: belongs to no service. */
  readonly serviceName: string;
  readonly endpoints: readonly EndpointRecord[];
}

export interface EndpointRecord {
  /** As written; for slices of address type FQDN they are names. */
  readonly addresses: readonly string[];
  /** `conditions.ready`; unset counts as true. */
  readonly ready: boolean;
  readonly target: EndpointTarget | undefined;
}

export interface EndpointTarget {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

export interface NodeRecord extends RecordMeta {
  readonly type: 'Node';
  readonly addresses: readonly { readonly type: string; readonly address: string }[];
  /** `spec.podCIDRs`, or `[spec.podCIDR]` where only that is set. */
  readonly podCidrs: readonly string[];
}

/** Metadata of a namespace. */
export interface NamespaceRecord extends RecordMeta {
  readonly type: 'Namespace';
}

/** Metadata of an object that can own pods or their owners. */
export interface OwnerRecord extends RecordMeta {
  readonly type: 'Owner';
  /** `apps/v1`. */
  readonly apiVersion: string;
  /** `Deployment`. */
  readonly kind: string;
}

/** A record that can stand in a chain, as others refer to it. */
export interface KnownObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly controller: ControllerReference | undefined;
}

/** An owner that is gone, as another replica knows it. */
export interface FormerOwner extends KnownObject {
  /** When it went, ms since the epoch; `undefined`: so long ago that it is known only while objects refer to it. */
  readonly goneAtMs: number | undefined;
}

/** Ranges that cluster addresses of services are taken from (`networking.k8s.io/v1` ServiceCIDR, KEP-1880). */
export interface ServiceCidrRecord extends RecordMeta {
  readonly type: 'ServiceCidr';
  /** `spec.cidrs`, one per family. As written. */
  readonly cidrs: readonly string[];
}

export type KubernetesRecord =
  | PodRecord
  | ServiceRecord
  | EndpointSliceRecord
  | NodeRecord
  | NamespaceRecord
  | ServiceCidrRecord
  | OwnerRecord;
