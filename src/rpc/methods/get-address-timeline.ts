// LookupService.GetAddressTimeline: who held an address through the whole history, newest first, for people.

import type { AddressReader } from '../../addresses/reader.ts';
import type { CatalogReader } from '../../catalog/reader.ts';
import { splitNetworkAddress } from '../../model/kubernetes/pod-networks.ts';
import { writeDuration, writeText, writeTimestamp } from '../../wire/fields.ts';
import { FieldTags } from '../../wire/field-tags.ts';
import type { GetAddressTimelineRequest__Output } from '../../wire/generated/digger/v1/GetAddressTimelineRequest.ts';
import { startMessage } from '../../wire/message-writer.ts';
import type { CallContext, Staleness } from './call-context.ts';
import { NamedNamespaces } from './answers/named-namespaces.ts';
import { parseQuestion, parseView, Violations } from './requests/request-fields.ts';
import { outcomeNumber, writeCandidates } from './answers/resolution.ts';

/** An answer with more would be read by no person, and need not fit into a message. */
const MAX_INTERVALS = 1_000;
/** An answer stays within what clients accept: it ends before an interval that would begin behind this. */
const MAX_BYTES = 3 * 1024 * 1024;

export interface HistoryLookup {
  readonly addresses: Pick<AddressReader, 'history'>;
  readonly catalog: Pick<CatalogReader, 'namespace' | 'node'>;
  readonly stalenessMs: Staleness;
}

/** The encoded GetAddressTimelineResponse. Throws CallError. */
export function getAddressTimeline(
  request: GetAddressTimelineRequest__Output,
  lookup: HistoryLookup,
  call: CallContext,
): Uint8Array {
  const violations = new Violations();
  const { atMs: _, ...question } = parseQuestion({ ...request, at: null }, call.nowMs(), '', violations);
  const view = parseView(request.view, violations);
  violations.throwIfAny();
  const { stretches, historySinceMs } = lookup.addresses.history(question, MAX_INTERVALS);
  const context = { view, namespaces: new NamedNamespaces(lookup.catalog, view) };
  const writer = startMessage();
  const { address, network } = splitNetworkAddress(question.address);
  writeText(writer, ADDRESS, address);
  writeText(writer, POD_NETWORK, network);
  for (const { fromMs, toMs, outcome, holders } of stretches) {
    if (writer.length > MAX_BYTES) break;
    const begun = writer.uint32(INTERVALS).begin();
    writeTimestamp(writer, FROM, fromMs);
    if (toMs !== undefined) writeTimestamp(writer, TO, toMs);
    writer.uint32(OUTCOME).uint32(outcomeNumber(outcome, holders));
    writeCandidates(writer, HOLDERS, address, holders, context);
    if (holders.length > 0 && holders.every(({ uncertain }) => uncertain)) writer.uint32(UNCERTAIN).bool(true);
    writer.end(begun);
  }
  writeTimestamp(writer, HISTORY_SINCE, historySinceMs);
  const stalenessMs = lookup.stalenessMs();
  if (stalenessMs !== undefined) writeDuration(writer, STALENESS, stalenessMs);
  return writer.finish();
}

const response = new FieldTags('digger.v1.GetAddressTimelineResponse');
const ADDRESS = response.delimited('address');
const INTERVALS = response.delimited('intervals');
const HISTORY_SINCE = response.delimited('historySince');
const STALENESS = response.delimited('staleness');
const POD_NETWORK = response.delimited('podNetwork');
const interval = new FieldTags('digger.v1.AddressInterval');
const FROM = interval.delimited('from');
const TO = interval.delimited('to');
const OUTCOME = interval.varint('outcome');
const HOLDERS = interval.delimited('holders');
const UNCERTAIN = interval.varint('uncertain');
