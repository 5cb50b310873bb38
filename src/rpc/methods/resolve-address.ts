// LookupService.ResolveAddress: who held an address at a moment.
//
// With `wait`, the answer comes as soon as an object holds the address at the asked moment, at the latest when the
// time is over, and then it is the answer of that moment. When too many calls wait already, it does not wait.

import type { AddressAnswer, AddressQuestion, AddressReader } from '../../addresses/reader.ts';
import type { CatalogReader } from '../../catalog/reader.ts';
import type { ClusterIdentity } from '../../model/cluster-identity.ts';
import type { ResolveAddressRequest__Output } from '../../wire/generated/digger/v1/ResolveAddressRequest.ts';
import { startMessage } from '../../wire/message-writer.ts';
import { FieldTags } from '../../wire/field-tags.ts';
import type { CallContext, CountLookup, Staleness } from './call-context.ts';
import { CALL_COSTS } from '../limits/caller-rates.ts';
import { NamedNamespaces } from './answers/named-namespaces.ts';
import { holdsAt, type PlainAnswers } from './answers/plain-answers.ts';
import { parseQuestion, parseView, parseWait, Violations } from './requests/request-fields.ts';
import { type PodAttributes, wishOf } from './answers/otel-attributes.ts';
import {
  encodeCircumstances,
  isHeld,
  type NetworkNames,
  outcomeOf,
  writePlain,
  writeResolution,
} from './answers/resolution.ts';

export interface AddressLookup {
  readonly addresses: Pick<AddressReader, 'resolve' | 'history' | 'waitForHolder'>;
  readonly catalog: Pick<CatalogReader, 'resolveWorkload' | 'namespace' | 'node'>;
  /** Unset: no answers are kept. */
  readonly plain: PlainAnswers | undefined;
  readonly networks: NetworkNames;
  readonly cluster: () => ClusterIdentity;
  readonly podAttributes: PodAttributes;
  readonly stalenessMs: Staleness;
  readonly countLookup: CountLookup;
}

/** The encoded ResolveAddressResponse. Throws CallError. */
export function resolveAddress(
  request: ResolveAddressRequest__Output,
  lookup: AddressLookup,
  call: CallContext,
): Uint8Array | Promise<Uint8Array> {
  const violations = new Violations();
  const question = parseQuestion(request, call.nowMs(), '', violations);
  const waitMs = parseWait(request.wait, violations);
  const view = parseView(request.view, violations);
  violations.throwIfAny();

  const mayBeKept = view === 'BASIC' && question.untilMs === undefined && request.otelAttributes === null;
  const plain = mayBeKept ? lookup.plain : undefined;
  const kept = plain && answerKept(question, plain, lookup);
  if (kept !== undefined) return kept;

  const encode = (answer: AddressAnswer): Uint8Array => {
    lookup.countLookup(outcomeOf(answer));
    const writer = startMessage();
    const namespaces = new NamedNamespaces(lookup.catalog, view);
    const begun = writer.uint32(RESOLUTION).begin();
    writeResolution(writer, question.address, answer, {
      resolveWorkload: (reference) => lookup.catalog.resolveWorkload(reference),
      stalenessMs: lookup.stalenessMs(),
      networks: lookup.networks,
      cluster: lookup.cluster(),
      otelAttributes: wishOf(request.otelAttributes, lookup),
      view,
      namespaces,
    });
    namespaces.write(writer.end(begun), NAMESPACES);
    const message = writer.finish();
    plain?.keep(question.address);
    return message;
  };
  const answer = lookup.addresses.resolve(question);
  if (waitMs === 0 || isHeld(answer)) return encode(answer);
  call.charge(CALL_COSTS.wait);
  return waitForAnswer(question, answer, lookup, call, call.waitSignal(waitMs)).then(encode);
}

const response = new FieldTags('digger.v1.ResolveAddressResponse');
const RESOLUTION = response.delimited('resolution');
const NAMESPACES = response.delimited('namespaces');
const RESOLUTION_TAGS = [RESOLUTION] as const;

/** The answer that is kept ready, if it is one to this question. */
function answerKept(question: AddressQuestion, plain: PlainAnswers, lookup: AddressLookup): Uint8Array | undefined {
  const kept = plain.get(question.address);
  if (kept === undefined) return undefined;
  const moment = plain.moment();
  if (!holdsAt(kept, question.atMs, moment)) return undefined;
  lookup.countLookup('RESOLVED');
  const workload = kept.workload && lookup.catalog.resolveWorkload(kept.workload);
  const context = { stalenessMs: lookup.stalenessMs(), cluster: lookup.cluster() };
  const circumstances = encodeCircumstances(moment.historySinceMs, context);
  const writer = startMessage();
  writePlain(writer, RESOLUTION_TAGS, kept, workload, circumstances);
  return writer.finish();
}

async function waitForAnswer(
  question: AddressQuestion,
  first: AddressAnswer,
  { addresses }: AddressLookup,
  call: CallContext,
  signal: AbortSignal,
): Promise<AddressAnswer> {
  let answer = first;
  using waiting = addresses.waitForHolder([question.address], signal);
  if (waiting === undefined) return answer;
  while (!isHeld(answer) && !signal.aborted) {
    // A new holder need not hold the address at the asked moment or port: look again, and wait on.
    await waiting.next();
    await call.turn();
    call.throwIfOver();
    answer = addresses.resolve(question);
  }
  return answer;
}
