// `digger.v1.Namespace`: all of it comes from the namespace's own metadata.

import { NO_BYTES } from '../model/byte-string.ts';
import type { NamespaceRecord } from '../model/kubernetes/records.ts';
import type { EncodedRecord } from './encoded-entity.ts';
import { FieldTags } from './field-tags.ts';
import { writeText, writeTimestamp } from './fields.ts';
import { startEntity } from './message-writer.ts';
import { type ValuePolicy, writeValues } from './value-policy.ts';

/** The whole message. */
export function encodeNamespaceRecord(record: NamespaceRecord, policy: ValuePolicy): EncodedRecord {
  const writer = startEntity();
  writeText(writer, NAMESPACE.name, record.name);
  writeText(writer, NAMESPACE.uid, record.uid);
  if (record.deletionTimeMs !== undefined) writeTimestamp(writer, NAMESPACE.deletionTime, record.deletionTimeMs);
  const own = writer.cut();
  writeValues(writer, NAMESPACE, record.labels, record.annotations, policy);
  return { own, values: writer.cut(), rest: NO_BYTES };
}

const namespace = new FieldTags('digger.v1.Namespace');
const NAMESPACE = {
  name: namespace.delimited('name'),
  uid: namespace.delimited('uid'),
  deletionTime: namespace.delimited('deletionTime'),
  labels: namespace.delimited('labels'),
  annotations: namespace.delimited('annotations'),
  omitted: namespace.delimited('omitted'),
};
