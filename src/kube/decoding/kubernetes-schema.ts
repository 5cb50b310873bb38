// The Kubernetes message types of proto/kubernetes, as protobufjs compiles them. Subsets: whatever is not in the
// .proto files is skipped by the decoder without being looked at, which is where half of a pod's bytes go.

import protobuf from 'protobufjs';
import { packageFile } from '../../package/own-files.ts';

/** Folder of the .proto files, with a slash at the end. */
const PROTO_ROOT = packageFile('proto/');

const root = new protobuf.Root();
root.resolvePath = (_origin, target) => `${PROTO_ROOT}${target}`;
// Names as Kubernetes writes them in JSON, so that one conversion reads both encodings.
root.loadSync(
  ['meta', 'core', 'discovery', 'networking'].map((name) => `kubernetes/${name}.proto`),
  { keepCase: true },
);
root.resolveAll();

/** A message type by its name, e.g. `Pod`. Throws when there is no such type. */
export function kubernetesType(name: string): protobuf.Type {
  return root.lookupType(`kubernetes.${name}`);
}
