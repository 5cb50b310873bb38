// `digger.v1.Node`: all of it comes from the node's own record.

import { parseIp } from '../model/ip.ts';
import type { NodeRecord } from '../model/records.ts';
import { type EncodedRecord, FieldTags, newWriter, writeString, writeStrings } from './encode-entity.ts';
import { type ValuePolicy, writeValues } from './value-policy.ts';

/** The whole message. The bytes are not sealed. */
export function encodeNodeRecord(record: NodeRecord, policy: ValuePolicy): EncodedRecord {
  const writer = newWriter();
  writeString(writer, NODE.name, record.name);
  writeString(writer, NODE.uid, record.uid);
  for (const { type, address } of record.addresses) {
    writer.uint32(NODE.addresses).fork();
    writeString(writer, ADDRESS.type, type);
    writeString(writer, ADDRESS.address, parseIp(address) ?? address);
    writer.ldelim();
  }
  // Well-known labels: https://kubernetes.io/docs/reference/labels-annotations-taints/#topologykubernetesiozone
  writeString(writer, NODE.zone, record.labels['topology.kubernetes.io/zone'] ?? '');
  writeString(writer, NODE.region, record.labels['topology.kubernetes.io/region'] ?? '');
  writeStrings(writer, NODE.podRanges, record.podCidrs);
  const ownLength = writer.len;
  writeValues(writer, NODE, record.labels, {}, policy);
  return { bytes: writer.finish(), ownLength };
}

const node = new FieldTags('digger.v1.Node');
const NODE = {
  name: node.delimited('name'),
  uid: node.delimited('uid'),
  addresses: node.delimited('addresses'),
  zone: node.delimited('zone'),
  region: node.delimited('region'),
  podRanges: node.delimited('podRanges'),
  labels: node.delimited('labels'),
  // A node's annotations are not published.
  annotations: undefined,
  omitted: node.delimited('omitted'),
};

const address = new FieldTags('digger.v1.NodeAddress');
const ADDRESS = { type: address.delimited('type'), address: address.delimited('address') };
