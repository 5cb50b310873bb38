// `digger.v1.Cluster` as a field of an answer: the same bytes in every answer of a process, encoded once.

import { type ByteString, NO_BYTES } from '../model/byte-string.ts';
import type { ClusterIdentity } from '../model/cluster-identity.ts';
import { FieldTags } from './field-tags.ts';
import { writeText } from './fields.ts';
import { startEntity } from './message-writer.ts';

const cluster = new FieldTags('digger.v1.Cluster');
const NAME = cluster.delimited('name');
const UID = cluster.delimited('uid');

/** Made for one field: gives its bytes, tag included, for the identity of the moment; none when nothing is known. */
export function clusterField(tag: number): (identity: ClusterIdentity) => ByteString {
  let last: ClusterIdentity | undefined;
  let bytes: ByteString = NO_BYTES;
  return (identity) => {
    if (identity === last) return bytes;
    last = identity;
    if (identity.name === '' && identity.uid === '') return (bytes = NO_BYTES);
    const writer = startEntity();
    const begun = writer.uint32(tag).begin();
    writeText(writer, NAME, identity.name);
    writeText(writer, UID, identity.uid);
    return (bytes = writer.end(begun).cut());
  };
}
