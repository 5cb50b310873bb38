// `digger.v1.Node`: all of it comes from the node's own record.

import { NO_BYTES } from '../model/byte-string.ts';
import { parseApiIp } from '../model/ip/ip.ts';
import { PLUGIN_ADDRESS } from '../model/kubernetes/node-addresses.ts';
import type { NodeRecord } from '../model/kubernetes/records.ts';
import type { EncodedRecord } from './encoded-entity.ts';
import { FieldTags } from './field-tags.ts';
import { writeText, writeTexts, writeTimestamp } from './fields.ts';
import { startEntity } from './message-writer.ts';
import { keptLabel, REGION_LABEL, type ValuePolicy, writeValues, ZONE_LABEL } from './value-policy.ts';

/** What is not in the record as it is to be told. */
export interface NodePlaces {
  /** The canonical addresses that a network plugin gave the node. */
  readonly addresses: readonly string[];
  readonly podRanges: readonly string[];
}

/** The whole message. */
export function encodeNodeRecord(record: NodeRecord, places: NodePlaces, policy: ValuePolicy): EncodedRecord {
  const writer = startEntity();
  writeText(writer, NODE.name, record.name);
  writeText(writer, NODE.uid, record.uid);
  const further = places.addresses.map((address) => ({ type: PLUGIN_ADDRESS, address }));
  for (const { type, address } of [...record.addresses, ...further]) {
    const begun = writer.uint32(NODE.addresses).begin();
    writeText(writer, ADDRESS.type, type);
    writeText(writer, ADDRESS.address, parseApiIp(address) ?? address);
    writer.end(begun);
  }
  writeText(writer, NODE.zone, keptLabel(record.labels, ZONE_LABEL, policy));
  writeText(writer, NODE.region, keptLabel(record.labels, REGION_LABEL, policy));
  writeTexts(writer, NODE.podRanges, places.podRanges);
  if (record.deletionTimeMs !== undefined) writeTimestamp(writer, NODE.deletionTime, record.deletionTimeMs);
  const own = writer.cut();
  writeValues(writer, NODE, record.labels, {}, policy);
  return { own, values: writer.cut(), rest: NO_BYTES };
}

const node = new FieldTags('digger.v1.Node');
const NODE = {
  name: node.delimited('name'),
  uid: node.delimited('uid'),
  addresses: node.delimited('addresses'),
  zone: node.delimited('zone'),
  region: node.delimited('region'),
  podRanges: node.delimited('podRanges'),
  deletionTime: node.delimited('deletionTime'),
  labels: node.delimited('labels'),
  // A node's annotations are not published.
  annotations: undefined,
  omitted: node.delimited('omitted'),
};

const address = new FieldTags('digger.v1.NodeAddress');
const ADDRESS = { type: address.delimited('type'), address: address.delimited('address') };
