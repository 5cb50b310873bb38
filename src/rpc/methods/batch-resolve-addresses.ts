// LookupService.BatchResolveAddresses: ResolveAddress for up to 1,000 addresses in one call.
//
// A bad item fails alone, as a `google.rpc.Status` in its place. `wait` ends when every item that is not bad has a
// holder, and the whole batch is answered from one moment: every item is resolved again before the answer is written.

import protobuf from 'protobufjs';

import type { AddressAnswer, AddressQuestion } from '../../addresses/reader.ts';
import type { AddressQuery__Output } from '../../wire/generated/digger/v1/AddressQuery.ts';
import type { BatchResolveAddressesRequest__Output } from '../../wire/generated/digger/v1/BatchResolveAddressesRequest.ts';
import { startMessage } from '../../wire/message-writer.ts';
import { FieldTags } from '../../wire/field-tags.ts';
import { messageType } from '../../wire/schema.ts';
import type { CallContext } from './call-context.ts';
import { CALL_COSTS } from '../limits/caller-rates.ts';
import { type CallError, invalidArgument, toStatus } from '../errors.ts';
import { NamedNamespaces } from './named-namespaces.ts';
import { parseQuestion, parseView, parseWait, Violations } from './request-fields.ts';
import { wishOf } from './otel-attributes.ts';
import { isHeld, outcomeOf, type ResolutionContext, writeResolution } from './resolution.ts';
import type { AddressLookup } from './resolve-address.ts';

/** Most queries of a batch: an answer stays within a message, and the event loop is not held for long. */
export const MAX_QUERIES = 1_000;

/** The encoded BatchResolveAddressesResponse. Throws CallError. */
export function batchResolveAddresses(
  request: BatchResolveAddressesRequest__Output,
  lookup: AddressLookup,
  call: CallContext,
): Uint8Array | Promise<Uint8Array> {
  const { queries } = request;
  const violations = new Violations();
  if (queries.length === 0) violations.add('queries', 'REQUIRED', `none given; 1–${MAX_QUERIES} are allowed`);
  if (queries.length > MAX_QUERIES) violations.add('queries', 'TOO_MANY', tooManyQueries(`${queries.length}`));
  const waitMs = parseWait(request.wait, violations);
  const view = parseView(request.view, violations);
  violations.throwIfAny();
  call.charge(queries.length);

  const nowMs = call.nowMs();
  const items = queries.map((query, index) => parseItem(query, index, nowMs));
  const finish = (): Uint8Array =>
    encode(items, lookup, {
      resolveWorkload: (reference) => lookup.catalog.resolveWorkload(reference),
      stalenessMs: lookup.stalenessMs(),
      networks: lookup.networks,
      cluster: lookup.cluster(),
      otelAttributes: wishOf(request.otelAttributes, lookup),
      view,
      namespaces: new NamedNamespaces(lookup.catalog, view),
    });
  if (waitMs === 0 || openAddresses(items, lookup).length === 0) return finish();
  call.charge(CALL_COSTS.wait);
  return waitForHolders(items, lookup, call, call.waitSignal(waitMs)).then(finish);
}

/**
 * Refuses a batch that is too large before it is decoded: a request within the size limit has room for half a million
 * empty queries, which would take hundreds of MB as objects. Malformed bytes are left to the decoder. Batches of
 * containers have their queries in the same field.
 */
export function refuseLargeBatch(bytes: Uint8Array): CallError | undefined {
  if (bytes.length < 2 * MAX_QUERIES) return undefined;
  const reader = protobuf.Reader.create(bytes);
  let count = 0;
  try {
    while (reader.pos < reader.len && count <= MAX_QUERIES) {
      const tag = reader.uint32();
      if (tag === QUERIES) count += 1;
      reader.skipType(tag & 7);
    }
  } catch {
    // Truncated or malformed: the decoder meets the same bytes and says so.
    return undefined;
  }
  if (count <= MAX_QUERIES) return undefined;
  const description = tooManyQueries(`more than ${MAX_QUERIES}`);
  return invalidArgument([{ field: 'queries', reason: 'TOO_MANY', description }], 'batch_size');
}

/** A query that can be asked, or what is wrong with it. */
type Item =
  | { readonly kind: 'question'; readonly question: AddressQuestion }
  | { readonly kind: 'invalid'; readonly error: CallError };

const StatusType = messageType('google.rpc.Status');
const result = new FieldTags('digger.v1.BatchResolveAddressesResult');
/** Of containers too, see `refuseLargeBatch`. */
const QUERIES = new FieldTags('digger.v1.BatchResolveAddressesRequest').delimited('queries');
const response = new FieldTags('digger.v1.BatchResolveAddressesResponse');
const RESULTS = response.delimited('results');
const NAMESPACES = response.delimited('namespaces');
const RESOLUTION = result.delimited('resolution');
const ERROR = result.delimited('error');

export function tooManyQueries(given: string): string {
  return `${given} queries given, at most ${MAX_QUERIES} are allowed`;
}

function parseItem(query: AddressQuery__Output, index: number, nowMs: number): Item {
  const violations = new Violations();
  const question = parseQuestion(query, nowMs, `queries[${index}].`, violations);
  if (violations.any) return { kind: 'invalid', error: invalidArgument(violations.all) };
  return { kind: 'question', question };
}

/** The addresses among the items that no object holds. */
function openAddresses(items: readonly Item[], { addresses }: AddressLookup): readonly string[] {
  const open = new Set<string>();
  for (const item of items) {
    if (item.kind === 'question' && !isHeld(addresses.resolve(item.question))) open.add(item.question.address);
  }
  return [...open];
}

async function waitForHolders(
  items: readonly Item[],
  lookup: AddressLookup,
  call: CallContext,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const open = openAddresses(items, lookup);
    if (open.length === 0) return;
    const waiting = lookup.addresses.waitForHolder(open, signal);
    if (waiting === undefined) return;
    await waiting;
    call.throwIfOver();
  }
}

function encode(items: readonly Item[], lookup: AddressLookup, context: ResolutionContext): Uint8Array {
  const writer = startMessage();
  for (const item of items) {
    const result = writer.uint32(RESULTS).begin();
    switch (item.kind) {
      case 'question': {
        const { question } = item;
        const answer: AddressAnswer = lookup.addresses.resolve(question);
        lookup.countLookup(outcomeOf(answer));
        const resolution = writer.uint32(RESOLUTION).begin();
        writeResolution(writer, question.address, answer, context);
        writer.end(resolution);
        break;
      }
      case 'invalid':
        lookup.countLookup('INVALID');
        writer.uint32(ERROR).bytes(StatusType.encode(toStatus(item.error)).finish());
        break;
    }
    writer.end(result);
  }
  context.namespaces.write(writer, NAMESPACES);
  return writer.finish();
}
