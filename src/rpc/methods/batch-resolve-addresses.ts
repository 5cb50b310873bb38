// LookupService.BatchResolveAddresses: ResolveAddress for up to 1,000 addresses in one call.
//
// A bad item fails alone, as a `google.rpc.Status` in its place. `wait` ends when every item that is not bad has had a
// holder, and the whole batch is answered from one moment: every item is resolved again before the answer is written.
//
// A batch that does not wait is one pass: its bytes are read without making objects of them (`requests/batch-scan.ts`),
// and what is told of most addresses is kept ready (`answers/plain-answers.ts`;
// docs/decisions/plain-answers-are-kept.md).

import protobuf from 'protobufjs';

import type { AddressQuestion } from '../../addresses/reader.ts';
import type { WorkloadEntity } from '../../model/entities.ts';
import type { BatchResolveAddressesRequest__Output } from '../../wire/generated/digger/v1/BatchResolveAddressesRequest.ts';
import type { View } from '../../wire/encoded-entity.ts';
import { type MessageWriter, startMessage } from '../../wire/message-writer.ts';
import { FieldTags } from '../../wire/field-tags.ts';
import { messageType } from '../../wire/schema.ts';
import { BatchScan } from './requests/batch-scan.ts';
import type { CallContext } from './call-context.ts';
import { CALL_COSTS } from '../limits/caller-rates.ts';
import type { CallError } from '../errors/call-error.ts';
import { invalidArgument } from '../errors/outcomes.ts';
import { toStatus } from '../errors/status-details.ts';
import { NamedNamespaces } from './answers/named-namespaces.ts';
import { holdsAt, type PlainAnswer } from './answers/plain-answers.ts';
import {
  MAX_CLOCK_SKEW_MS,
  parseQuestion,
  parseView,
  parseWait,
  type QuestionFields,
  Violations,
} from './requests/request-fields.ts';
import { wishOf } from './answers/otel-attributes.ts';
import {
  encodeCircumstances,
  isHeld,
  outcomeOf,
  type ResolutionContext,
  writePlain,
  writeResolution,
} from './answers/resolution.ts';
import type { AddressLookup } from './resolve-address.ts';
import type { UnreadRequest } from './requests/unread-request.ts';

/** Most queries of a batch: an answer stays within a message, and the event loop is not held for long. */
export const MAX_QUERIES = 1_000;

export type BatchRequest = BatchResolveAddressesRequest__Output;

/** The encoded BatchResolveAddressesResponse. Throws CallError. */
export function batchResolveAddresses(
  unread: UnreadRequest<BatchRequest>,
  lookup: AddressLookup,
  call: CallContext,
): Uint8Array | Promise<Uint8Array> {
  const isRead = scan.read(unread.bytes);
  try {
    return isRead ? answerScanned(lookup, call) : answer(unread.read(), lookup, call);
  } finally {
    found.fill(undefined, 0, scan.count);
    workloads.fill(undefined, 0, scan.count);
    scan.forget();
  }
}

function answer(request: BatchRequest, lookup: AddressLookup, call: CallContext): Uint8Array | Promise<Uint8Array> {
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
  const finish = (): Uint8Array => encode(items, lookup, createContext(lookup, view, request.otelAttributes));
  if (waitMs === 0) return finish();
  const open = openQuestions(items, lookup);
  if (open.size === 0) return finish();
  call.charge(CALL_COSTS.wait);
  return waitForHolders(open, lookup, call, call.waitSignal(waitMs)).then(finish);
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

const scan = new BatchScan(MAX_QUERIES);

/** Answers what `scan` has read, at once: it knows no request that waits. */
function answerScanned(lookup: AddressLookup, call: CallContext): Uint8Array {
  const { count } = scan;
  const view = parseView(scan.view, new Violations());
  call.charge(count);
  const nowMs = call.nowMs();
  const { plain } = lookup;
  const context = createContext(lookup, view, null);
  if (plain === undefined || view !== 'BASIC') {
    const writer = startMessage();
    for (let index = 0; index < count; index += 1) writeScanned(writer, index, nowMs, lookup, context);
    context.namespaces.write(writer, NAMESPACES);
    return writer.finish();
  }
  const moment = plain.moment();
  const circumstances = encodeCircumstances(moment.historySinceMs, context);
  const writer = startMessage();
  // First all that is looked up, then all that is written: look-ups wait for memory, and in a row they wait together.
  for (let index = 0; index < count; index += 1) {
    const answer = plain.find(
      scan.bytes,
      scan.starts[index] as number,
      scan.ends[index] as number,
      scan.keys[index] as number,
    );
    found[index] = answer;
    workloads[index] = answer?.workload && lookup.catalog.resolveWorkload(answer.workload);
  }
  let ready = 0;
  for (let index = 0; index < count; index += 1) {
    const answer = found[index];
    const atMs = momentOf(index, nowMs);
    const isUsable = atMs !== undefined && isPort(scan.ports[index] as number);
    if (answer !== undefined && isUsable && holdsAt(answer, atMs === NOW ? undefined : atMs, moment)) {
      ready += 1;
      writePlain(writer, RESULT_TAGS, answer, workloads[index], circumstances);
      continue;
    }
    const address = writeScanned(writer, index, nowMs, lookup, context);
    if (answer === undefined && address !== undefined) plain.keep(address);
  }
  if (ready > 0) lookup.countLookup('RESOLVED', ready);
  return writer.finish();
}

/** By query, while a batch is answered. */
const found: (PlainAnswer | undefined)[] = Array.from({ length: MAX_QUERIES });
const workloads: (WorkloadEntity | undefined)[] = Array.from({ length: MAX_QUERIES });

/** The moment that a query asks about, in ms since the epoch; NOW; `undefined`: it has to be looked at more closely. */
function momentOf(index: number, nowMs: number): number | undefined {
  const seconds = scan.seconds[index] as number;
  if (seconds === -1) return NOW;
  const nanos = scan.nanos[index] as number;
  const atMs = seconds * 1_000 + nanos / 1e6;
  if (nanos >= 1e9 || atMs - nowMs > MAX_CLOCK_SKEW_MS) return undefined;
  return atMs >= nowMs ? NOW : atMs;
}

const NOW = -1;

/** Or none. */
function isPort(port: number): boolean {
  return port !== 0 && port <= 65_535;
}

/** Resolves one query of the scan as any other. The address, if it is one. */
function writeScanned(
  writer: MessageWriter,
  index: number,
  nowMs: number,
  lookup: AddressLookup,
  context: ResolutionContext,
): string | undefined {
  const item = parseItem(scan.fieldsOf(index), index, nowMs);
  writeItem(writer, item, lookup, context);
  return item.kind === 'question' ? item.question.address : undefined;
}

function createContext(
  lookup: AddressLookup,
  view: View,
  otelAttributes: BatchRequest['otelAttributes'],
): ResolutionContext {
  return {
    resolveWorkload: (reference) => lookup.catalog.resolveWorkload(reference),
    stalenessMs: lookup.stalenessMs(),
    networks: lookup.networks,
    cluster: lookup.cluster(),
    otelAttributes: wishOf(otelAttributes, lookup),
    view,
    namespaces: new NamedNamespaces(lookup.catalog, view),
  };
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
const RESULT_TAGS = [RESULTS, RESOLUTION] as const;

export function tooManyQueries(given: string): string {
  return `${given} queries given, at most ${MAX_QUERIES} are allowed`;
}

function parseItem(query: QuestionFields, index: number, nowMs: number): Item {
  const violations = new Violations();
  const question = parseQuestion(query, nowMs, `queries[${index}].`, violations);
  if (violations.any) return { kind: 'invalid', error: invalidArgument(violations.all) };
  return { kind: 'question', question };
}

/** The questions that no object is the answer to, by address. */
function openQuestions(items: readonly Item[], { addresses }: AddressLookup): Map<string, AddressQuestion[]> {
  const open = new Map<string, AddressQuestion[]>();
  for (const item of items) {
    if (item.kind !== 'question' || isHeld(addresses.resolve(item.question))) continue;
    const { question } = item;
    const others = open.get(question.address);
    if (others === undefined) open.set(question.address, [question]);
    else others.push(question);
  }
  return open;
}

/** Looks again at the addresses that were claimed, and at no others: they come one by one, and may be 1,000. */
async function waitForHolders(
  open: Map<string, readonly AddressQuestion[]>,
  { addresses }: AddressLookup,
  call: CallContext,
  signal: AbortSignal,
): Promise<void> {
  using waiting = addresses.waitForHolder([...open.keys()], signal);
  if (waiting === undefined) return;
  while (open.size > 0 && !signal.aborted) {
    const claimed = await waiting.next();
    await call.turn();
    call.throwIfOver();
    for (const address of claimed) {
      const questions = (open.get(address) ?? []).filter((question) => !isHeld(addresses.resolve(question)));
      if (questions.length > 0) open.set(address, questions);
      else {
        open.delete(address);
        waiting.forget(address);
      }
    }
  }
}

function encode(items: readonly Item[], lookup: AddressLookup, context: ResolutionContext): Uint8Array {
  const writer = startMessage();
  for (const item of items) writeItem(writer, item, lookup, context);
  context.namespaces.write(writer, NAMESPACES);
  return writer.finish();
}

function writeItem(writer: MessageWriter, item: Item, lookup: AddressLookup, context: ResolutionContext): void {
  const result = writer.uint32(RESULTS).begin();
  switch (item.kind) {
    case 'question': {
      const { question } = item;
      const answer = lookup.addresses.resolve(question);
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
