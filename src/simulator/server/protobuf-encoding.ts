// The protobuf half of the encodings, over the project's subset of the Kubernetes messages (proto/kubernetes).
//
// An object is `k8s\0` + Unknown{typeMeta, raw}; a watch is a sequence of frames, each a uint32 big-endian length and a
// WatchEvent whose object is such an envelope again (k8s.io/apimachinery pkg/runtime/serializer/protobuf, streaming).
// Fields outside the subset are not sent: a client that reads them from JSON will miss them here. Refuses resources
// that the subset has no message for.

import protobuf from 'protobufjs';
import { packageFile } from '../../package/own-files.ts';
import { type Encoding, PARTIAL_OBJECT } from './encoding.ts';
import { apiVersionOf, type Resource } from './served-resources.ts';

export interface ProtobufSupport {
  /** The subset has a message for whole objects of this resource. */
  covers(resource: Resource): boolean;
  /** Throws for a whole object that is not covered. */
  createEncoding(resource: Resource, metadataOnly: boolean): Encoding;
}

/** Parses the .proto files: some milliseconds of synchronous work, worth doing once per process. */
export function loadProtobufSupport(): ProtobufSupport {
  const protoFolder = packageFile('proto/');
  const root = new protobuf.Root();
  root.resolvePath = (_origin, target) => (target.startsWith(protoFolder) ? target : protoFolder + target);
  const files = ['core', 'discovery', 'meta', 'networking'].map((name) => `kubernetes/${name}.proto`);
  root.loadSync(files, { keepCase: true }).resolveAll();
  const message = (name: string): protobuf.Type => root.lookupType(`kubernetes.${name}`);
  const covers = (resource: Resource): boolean => !resource.custom && COVERED.has(resource.kind);
  return {
    covers,
    createEncoding: (resource, metadataOnly) => {
      if (!metadataOnly && !covers(resource)) {
        throw new Error(`proto/kubernetes has no message for ${resource.kind}`);
      }
      const typeMeta = metadataOnly ? PARTIAL_OBJECT : { kind: resource.kind, apiVersion: apiVersionOf(resource) };
      return createEncoding(typeMeta, message);
    },
  };
}

const COVERED: ReadonlySet<string> = new Set(['Pod', 'Service', 'Endpoints', 'Node', 'EndpointSlice', 'ServiceCIDR']);

const MAGIC = Buffer.from('k8s\0');
const STATUS_META = { kind: 'Status', apiVersion: 'v1' };

interface TypeMeta {
  readonly kind: string;
  readonly apiVersion: string;
}

function createEncoding(typeMeta: TypeMeta, message: (name: string) => protobuf.Type): Encoding {
  const one = message(typeMeta.kind);
  const many = message(`${typeMeta.kind}List`);
  const status = message('Status');
  const unknown = message('Unknown');
  const watchEvent = message('WatchEvent');

  const envelope = (meta: TypeMeta, type: protobuf.Type, value: unknown): Buffer => {
    const raw = type.encode(toMessage(type, value)).finish();
    const body = unknown.encode({ typeMeta: meta, raw, contentEncoding: '', contentType: '' }).finish();
    return Buffer.concat([MAGIC, body]);
  };
  const frameOf = (type: string, raw: Uint8Array): Buffer => {
    const event = watchEvent.encode({ type, object: { raw } }).finish();
    const frame = Buffer.allocUnsafe(4 + event.length);
    frame.writeUInt32BE(event.length);
    frame.set(event, 4);
    return frame;
  };
  return {
    contentType: 'application/vnd.kubernetes.protobuf',
    watchContentType: 'application/vnd.kubernetes.protobuf;stream=watch',
    object: (object) => envelope(typeMeta, one, object),
    list: (items, metadata) => envelope({ ...typeMeta, kind: `${typeMeta.kind}List` }, many, { metadata, items }),
    status: (value) => envelope(STATUS_META, status, value),
    frame: (frame) => {
      switch (frame.type) {
        case 'BOOKMARK': {
          const { resourceVersion, annotations } = frame;
          return frameOf('BOOKMARK', envelope(typeMeta, one, { metadata: { resourceVersion, annotations } }));
        }
        case 'ERROR':
          return frameOf('ERROR', envelope(STATUS_META, status, frame.status));
        default:
          return frameOf(frame.type, envelope(typeMeta, one, frame.object));
      }
    },
    // A right length in front of bytes that are not a message: field 1 with wire type 7, which does not exist.
    corruptFrame: () => Buffer.from([0, 0, 0, 4, 0x0f, 0xff, 0xff, 0xff]),
  };
}

/**
 * JSON as the API writes it → what protobufjs encodes: only known fields; Time and IntOrString in their binary form.
 */
function toMessage(type: protobuf.Type, value: unknown): Record<string, unknown> {
  if (type.name === 'Time') {
    return { seconds: Math.floor(Date.parse(String(value)) / 1000), nanos: 0 };
  }
  if (type.name === 'IntOrString') {
    return typeof value === 'number' ? { type: 0, intVal: value } : { type: 1, strVal: String(value) };
  }
  const source: Readonly<Record<string, unknown>> =
    // In JSON an ephemeral container's common part is inlined.
    type.name === 'EphemeralContainer'
      ? { ephemeralContainerCommon: value }
      : (value as Readonly<Record<string, unknown>>);
  const result: Record<string, unknown> = {};
  for (const field of type.fieldsArray) {
    const present = source[field.name];
    if (present === undefined || present === null) {
      continue;
    }
    const { resolvedType } = field;
    if (!(resolvedType instanceof protobuf.Type) || field.map) {
      result[field.name] = present;
    } else if (field.repeated) {
      result[field.name] = (present as readonly unknown[]).map((item) => toMessage(resolvedType, item));
    } else {
      result[field.name] = toMessage(resolvedType, present);
    }
  }
  return result;
}
