// Kubernetes objects as decoding leaves them, before they are trimmed to records.
//
// Both encodings have this shape: JSON by its nature, protobuf because the subset schema keeps Kubernetes' own field
// names. They differ in three things, which the types admit and records-from-objects.ts evens out: times (text or
// seconds), IntOrString (value or tagged message), and what is absent (missing, or the message's default). Nothing
// here was checked: a server may send anything, so every field is read as if it could be missing.

/** protobufjs hands 64-bit numbers over as Long objects. */
export type Int64 = number | { toNumber(): number };

/** JSON: RFC 3339. Protobuf: seconds since the epoch; an empty message is the zero time. */
export type TimeValue = string | { readonly seconds?: Int64; readonly nanos?: number } | null | undefined;

export type IntOrStringValue =
  | number
  | string
  | { readonly type?: Int64; readonly intVal?: number; readonly strVal?: string }
  | null
  | undefined;

type Maybe<T> = T | null | undefined;
type Strings = Maybe<Readonly<Record<string, string>>>;

export interface OwnerReferenceObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly name?: string;
  readonly uid?: string;
  readonly controller?: Maybe<boolean>;
}

export interface ObjectMetaObject {
  readonly name?: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly creationTimestamp?: TimeValue;
  readonly deletionTimestamp?: TimeValue;
  readonly labels?: Strings;
  readonly annotations?: Strings;
  readonly ownerReferences?: Maybe<readonly OwnerReferenceObject[]>;
}

export interface ListMetaObject {
  readonly resourceVersion?: string;
  readonly continue?: string;
}

/** What every object has, and all that PartialObjectMetadata has. */
export interface KubernetesObject {
  readonly metadata?: Maybe<ObjectMetaObject>;
}

export interface ContainerObject {
  readonly name?: string;
  readonly image?: string;
  readonly restartPolicy?: string;
  readonly ports?: Maybe<
    readonly {
      readonly name?: string;
      readonly hostPort?: number;
      readonly containerPort?: number;
      readonly protocol?: string;
      readonly hostIP?: string;
    }[]
  >;
}

export interface ContainerStatusObject {
  readonly name?: string;
  readonly containerID?: string;
  readonly imageID?: string;
  readonly state?: Maybe<{ readonly terminated?: Maybe<TerminatedObject> }>;
  readonly lastState?: Maybe<{ readonly terminated?: Maybe<TerminatedObject> }>;
}

interface TerminatedObject {
  readonly finishedAt?: TimeValue;
  readonly containerID?: string;
}

/** In protobuf what it has in common with other containers is a message of its own. */
export interface EphemeralContainerObject extends ContainerObject {
  readonly ephemeralContainerCommon?: Maybe<ContainerObject>;
}

export interface PodObject extends KubernetesObject {
  readonly spec?: Maybe<{
    readonly nodeName?: string;
    readonly serviceAccountName?: string;
    readonly hostNetwork?: boolean;
    readonly containers?: Maybe<readonly ContainerObject[]>;
    readonly initContainers?: Maybe<readonly ContainerObject[]>;
    readonly ephemeralContainers?: Maybe<readonly EphemeralContainerObject[]>;
  }>;
  readonly status?: Maybe<{
    readonly phase?: string;
    readonly conditions?: Maybe<
      readonly { readonly type?: string; readonly status?: string; readonly lastTransitionTime?: TimeValue }[]
    >;
    readonly hostIP?: string;
    readonly podIP?: string;
    readonly hostIPs?: Maybe<readonly { readonly ip?: string }[]>;
    readonly podIPs?: Maybe<readonly { readonly ip?: string }[]>;
    readonly startTime?: TimeValue;
    readonly containerStatuses?: Maybe<readonly ContainerStatusObject[]>;
    readonly initContainerStatuses?: Maybe<readonly ContainerStatusObject[]>;
    readonly ephemeralContainerStatuses?: Maybe<readonly ContainerStatusObject[]>;
  }>;
}

export interface ServiceObject extends KubernetesObject {
  readonly spec?: Maybe<{
    readonly type?: string;
    readonly clusterIP?: string;
    readonly clusterIPs?: Maybe<readonly string[]>;
    readonly externalIPs?: Maybe<readonly string[]>;
    readonly externalName?: string;
    readonly selector?: Strings;
    readonly ports?: Maybe<
      readonly {
        readonly name?: string;
        readonly protocol?: string;
        readonly port?: number;
        readonly targetPort?: IntOrStringValue;
        readonly nodePort?: number;
        readonly appProtocol?: Maybe<string>;
      }[]
    >;
  }>;
  readonly status?: Maybe<{
    readonly loadBalancer?: Maybe<{
      readonly ingress?: Maybe<
        readonly { readonly ip?: string; readonly hostname?: string; readonly ipMode?: Maybe<string> }[]
      >;
    }>;
  }>;
}

export interface TargetReferenceObject {
  readonly kind?: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly uid?: string;
}

export interface EndpointSliceObject extends KubernetesObject {
  readonly endpoints?: Maybe<
    readonly {
      readonly addresses?: Maybe<readonly string[]>;
      readonly conditions?: Maybe<{ readonly ready?: Maybe<boolean> }>;
      readonly targetRef?: Maybe<TargetReferenceObject>;
    }[]
  >;
}

export interface EndpointAddressObject {
  readonly ip?: string;
  readonly targetRef?: Maybe<TargetReferenceObject>;
}

export interface EndpointsObject extends KubernetesObject {
  readonly subsets?: Maybe<
    readonly {
      readonly addresses?: Maybe<readonly EndpointAddressObject[]>;
      readonly notReadyAddresses?: Maybe<readonly EndpointAddressObject[]>;
    }[]
  >;
}

export interface NodeObject extends KubernetesObject {
  readonly spec?: Maybe<{ readonly podCIDR?: string; readonly podCIDRs?: Maybe<readonly string[]> }>;
  readonly status?: Maybe<{
    readonly addresses?: Maybe<readonly { readonly type?: string; readonly address?: string }[]>;
  }>;
}

export interface ServiceCidrObject extends KubernetesObject {
  readonly spec?: Maybe<{ readonly cidrs?: Maybe<readonly string[]> }>;
}
