// `digger resolve -`: questions from standard input, one a line, answered in their order while they come.
//
// A line is `ADDRESS[:PORT] [TIME]`. What has arrived goes to the service as one batch, the next batch when that one is
// answered and written: one batch and one piece of input are held at a time, however long the input and however slow
// the reader. A line that cannot be asked about gets an error in its place, so that answers and lines can be joined.
// Answers come from the service, or from a replica in this process (resolve-replica.ts).

import { createInterface } from 'node:readline';
import type { ResolveOrder } from '../line/orders.ts';
import { type AddressAndPort, momentBefore, parseAddressAndPort } from '../line/values.ts';
import type { Connection } from './connection.ts';
import { type AskEdge, written } from './edge.ts';
import { resolutionRow } from './answer-text.ts';
import { rowLine } from './lines.ts';
import { EXIT_OK, EXIT_USAGE } from './exit-codes.ts';
import { isTable, objectText, shownForm, type ShownForm } from './output.ts';
import type { JsonObject } from '../../wire/proto-json.ts';
import { OTEL_ATTRIBUTES, queryOf } from './resolve.ts';

/** What BatchResolveAddresses takes. */
const MAX_BATCH = 1_000;

type Line =
  | { readonly ok: true; readonly text: string; readonly question: AddressAndPort; readonly atMs: number | undefined }
  | { readonly ok: false; readonly text: string; readonly problem: string };

/** A line that can be asked about. */
export type AskedLine = Line & { readonly ok: true };

/** Answers lines, each with `resolution` or `error`, in their order. */
export type LineAnswers = (lines: readonly AskedLine[]) => Promise<readonly JsonObject[]> | readonly JsonObject[];

/** Ends with EXIT_OK when every line was answered, whatever the outcomes. Rejects as `answers` does. */
export async function resolveLines(order: ResolveOrder, answers: LineAnswers, edge: AskEdge): Promise<number> {
  const form = shownForm(order.output, edge);
  if (isTable(form)) edge.stdout.write(`${rowLine(['ADDRESS', 'OUTCOME', 'TARGET', 'WORKLOAD'])}\n`);
  let code = EXIT_OK;
  for await (const lines of batches(edge.stdin, order.atMs)) {
    const asked = lines.filter((line) => line.ok);
    const given = asked.length === 0 ? [] : await answers(asked);
    let next = 0;
    let text = '';
    for (const line of lines) {
      const answer = line.ok ? (given[next++] ?? {}) : refused(line.problem);
      if (answer['error'] !== undefined) code = EXIT_USAGE;
      text += answerText(form, line.text, answer);
    }
    await written(edge.stdout, text);
  }
  return code;
}

/** By a service, a batch at a time. Rejects with a ServiceError. */
export async function askAll(
  lines: readonly AskedLine[],
  { protocol, network, otel, connection: { timeoutMs } }: ResolveOrder,
  connection: Connection,
): Promise<readonly JsonObject[]> {
  const queries = lines.map(({ question, atMs }) => queryOf(question, protocol, atMs, network));
  const answer = await connection.call(
    'LookupService/BatchResolveAddresses',
    { queries, ...(otel ? OTEL_ATTRIBUTES : {}) },
    timeoutMs,
  );
  return (answer['results'] ?? []) as readonly JsonObject[];
}

/** In JSON the `Resolution` itself, or `{"error": …}`. */
function answerText(form: ShownForm, asked: string, answer: JsonObject): string {
  const { resolution, error } = answer as Readonly<Record<string, JsonObject | undefined>>;
  // The index in the batch says nothing about the line.
  const message = String(error?.['message'] ?? '').replace(/^queries\[\d+\]\./, '');
  if (!isTable(form)) return objectText(form, resolution ?? { error: { ...error, message } });
  const cells = resolution === undefined ? ['ERROR', message] : resolutionRow(resolution);
  return `${rowLine([asked, ...cells])}\n`;
}

function refused(problem: string): JsonObject {
  // google.rpc.Code.INVALID_ARGUMENT, as the service says it of an item of a batch.
  return { error: { code: 3, message: problem } };
}

/** What has arrived since the last time, at most a batch of it. Empty lines are passed over. */
async function* batches(input: AskEdge['stdin'], atMs: number | undefined): AsyncGenerator<readonly Line[]> {
  let arrived: Line[] = [];
  let wake: () => void = () => undefined;
  let ended = false;
  const reader = createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY });
  reader.on('line', (text) => {
    if (text.trim() === '') return;
    arrived.push(readLine(text.trim(), atMs));
    if (arrived.length >= MAX_BATCH) reader.pause();
    wake();
  });
  reader.on('close', () => {
    ended = true;
    wake();
  });
  for (;;) {
    if (arrived.length === 0) {
      if (ended) return;
      await new Promise<void>((resolve) => (wake = resolve));
      continue;
    }
    const batch = arrived.slice(0, MAX_BATCH);
    // One piece of input may hold more lines than a batch.
    arrived = arrived.slice(MAX_BATCH);
    yield batch;
    if (arrived.length === 0 && !ended) reader.resume();
  }
}

function readLine(text: string, atMs: number | undefined): Line {
  const [address = '', time, ...more] = text.split(/\s+/);
  const question = parseAddressAndPort(address);
  if (!question.ok)
    return { ok: false, text, problem: `address: got ${JSON.stringify(address)}; allowed: ${question.allowed}` };
  if (more.length > 0)
    return { ok: false, text, problem: `got ${JSON.stringify(text)}; allowed: an address, and a time behind it` };
  if (time === undefined) return { ok: true, text: address, question: question.value, atMs };
  const at = momentBefore(Date.now())(time);
  if (!at.ok) return { ok: false, text, problem: `time: got ${JSON.stringify(time)}; allowed: ${at.allowed}` };
  return { ok: true, text: address, question: question.value, atMs: at.value };
}
