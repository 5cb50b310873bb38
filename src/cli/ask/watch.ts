// `digger watch`: follows the change feed as its documentation tells consumers to. A stream that ends because the
// service stops, is not ready yet or cannot be reached is continued with the newest token, until nothing was heard for
// the time that the person allowed. A reader of the output that does not keep up is waited for: the stream is not read
// meanwhile, so that the service sees a slow subscriber, and nothing grows here.
//
// JSON: one line per change, `{"upsert":…}` or `{"removal":…}`, and `{"reset":…}` and `{"synced":{}}` where they
// belong. Table: one line per change; the rest is told on stderr.

import { setTimeout as delay } from 'node:timers/promises';
import { type ServiceError, status } from '@grpc/grpc-js';
import type { AskEdge } from './edge.ts';
import type { WatchOrder } from '../line/orders.ts';
import type { Connection } from './connection.ts';
import { entityRow, removalRow } from './entity-text.ts';
import { EXIT_OK } from './exit-codes.ts';
import { isTable, objectText, type ShownForm, shownForm } from './output.ts';
import type { JsonObject, JsonValue } from '../../wire/proto-json.ts';
import { PacedOutput } from './paced-output.ts';
import { exitCodeOf, failureText, toServiceError } from './service-error.ts';
import { SnapshotProgress } from './snapshot-progress.ts';

/** Resolves with the exit code; without `snapshotOnly` only when the service is gone for good. */
export async function watch(order: WatchOrder, connection: Connection, edge: AskEdge): Promise<number> {
  const { address, timeoutMs } = order.connection;
  const view = new WatchView(order, edge);
  for (let heardAtMs = performance.now(); ; ) {
    const begunAtMs = performance.now();
    const { failure, paused } = await follow(order, connection, view, edge, () => (heardAtMs = performance.now()));
    view.progress.end();
    if (failure === undefined || edge.signal?.aborted) return EXIT_OK;
    // Nothing was read while the reader of our output slept: the service is not to blame for the silence.
    await untilDrained(view, edge.signal);
    if (paused) heardAtMs = performance.now();
    // A token may expire during a subscription; the file has the next one by then.
    const expired = failure.code === status.UNAUTHENTICATED && heardAtMs > begunAtMs;
    // The service ends a subscriber that takes nothing for a minute.
    const stalled = failure.code === status.RESOURCE_EXHAUSTED && paused;
    const mayGoOn = failure.code === status.UNAVAILABLE || expired || stalled;
    if (!mayGoOn || performance.now() - heardAtMs > timeoutMs) {
      edge.stderr.write(`digger: ${failureText(failure, address)}\n`);
      return exitCodeOf(failure.code);
    }
    view.interrupted(failureText(failure, address));
    await delay(RETRY_MS);
    if (edge.signal?.aborted) return EXIT_OK;
  }
}

/** As often as a person would look again; the service asks for 0.2 s to 1 s. */
const RETRY_MS = 1_000;

/** Returns too when the command is to end. */
async function untilDrained(view: WatchView, signal: AbortSignal | undefined): Promise<void> {
  if (view.draining === undefined || signal?.aborted) return;
  const { promise: aborted, resolve } = Promise.withResolvers<void>();
  const abort = (): void => resolve();
  signal?.addEventListener('abort', abort, { once: true });
  await Promise.race([view.draining, aborted]);
  signal?.removeEventListener('abort', abort);
}

/** How one stream went. */
interface Followed {
  /** Unset: it ended as planned. */
  readonly failure: ServiceError | undefined;
  /** It was not read for a while, because the reader of our output did not keep up. */
  readonly paused: boolean;
}

/** One stream, from its request to its end. */
function follow(
  order: WatchOrder,
  connection: Connection,
  view: WatchView,
  { signal }: AskEdge,
  heard: () => void,
): Promise<Followed> {
  const stream = connection.stream('ChangeFeedService/Watch', {
    filter: {
      kinds: order.kinds,
      namespaces: order.namespaces,
      nodeNames: order.nodes,
      labelSelector: order.labelSelector,
      namespaceSelector: order.namespaceSelector,
    },
    snapshotOnly: order.snapshotOnly,
    ...(order.values === undefined ? {} : { values: order.values }),
    ...(view.resumeToken === undefined ? {} : { resumeToken: Buffer.from(view.resumeToken, 'base64') }),
  });
  const cancel = (): void => stream.cancel();
  signal?.addEventListener('abort', cancel, { once: true });
  return new Promise((resolve, reject) => {
    let ended = false;
    let paused = false;
    const end = (failure: ServiceError | undefined): void => {
      ended = true;
      resolve({ failure, paused });
    };
    stream.once('close', () => signal?.removeEventListener('abort', cancel));
    stream.on('data', (frame: JsonObject) => {
      // An error overtakes frames that wait here to be read; they come again, because the token is an older one.
      if (ended) return;
      heard();
      view.show(frame);
      if (view.draining === undefined) return;
      paused = true;
      stream.pause();
      void view.draining.then(() => stream.resume());
    });
    stream.once('end', () => end(undefined));
    stream.once('error', (thrown: unknown) => {
      try {
        end(toServiceError(thrown));
      } catch (bug) {
        reject(bug);
      }
    });
  });
}

/** Shows frames, and knows how far they came. */
class WatchView {
  readonly progress: SnapshotProgress;
  /** Base64; of the newest frame. */
  resumeToken: string | undefined;
  readonly #form: ShownForm;
  readonly #edge: AskEdge;
  readonly #stdout: PacedOutput;
  #inSnapshot = true;
  #lastTrouble = '';

  constructor(order: WatchOrder, edge: AskEdge) {
    this.#edge = edge;
    this.#form = shownForm(order.output, edge);
    this.#stdout = new PacedOutput(edge.stdout);
    this.progress = new SnapshotProgress(edge.stderr, () => performance.now());
    if (isTable(this.#form))
      this.#write(rowText('CHANGE', { kind: 'KIND', namespace: 'NAMESPACE', name: 'NAME', detail: '' }));
  }

  /** Resolves when the reader of the output has caught up; unset: it has. */
  get draining(): Promise<void> | undefined {
    return this.#stdout.draining;
  }

  show(frame: JsonObject): void {
    this.#lastTrouble = '';
    const token = frame['resumeToken'];
    if (typeof token === 'string') this.resumeToken = token;
    const { reset, changes, synced, progress } = frame as Readonly<Record<string, JsonObject | undefined>>;
    if (changes !== undefined) this.#changes((changes['changes'] ?? []) as readonly JsonObject[]);
    else if (reset !== undefined) {
      this.#inSnapshot = true;
      this.progress.begin();
      if (!isTable(this.#form)) this.#object({ reset });
      else if (reset['reason'] !== 'RESET_REASON_NO_TOKEN') this.#say(`forget the above: ${String(reset['message'])}`);
    } else if (synced !== undefined) {
      this.progress.complete();
      this.#inSnapshot = false;
      if (!isTable(this.#form)) this.#object({ synced: {} });
    } else if (progress?.['closing'] === true) this.#say('the service is about to close this stream');
  }

  /** A stream ended and will be continued; the same trouble is told once. */
  interrupted(text: string): void {
    if (text !== this.#lastTrouble) this.#say(`${text}; trying again`);
    this.#lastTrouble = text;
  }

  #changes(changes: readonly JsonObject[]): void {
    // One write for all: a terminal is slower than a feed.
    let text = '';
    for (const change of changes) text += isTable(this.#form) ? this.#row(change) : objectText(this.#form, change);
    if (this.#inSnapshot) this.progress.add(changes.length);
    this.#write(text);
  }

  #row(change: JsonObject): string {
    const { upsert, removal } = change as Readonly<Record<string, JsonObject | undefined>>;
    if (upsert !== undefined) return rowText(this.#inSnapshot ? 'snapshot' : 'upsert', entityRow(upsert));
    return rowText('removal', removalRow(removal ?? {}));
  }

  #object(value: Readonly<Record<string, JsonValue>>): void {
    this.#write(isTable(this.#form) ? '' : objectText(this.#form, value));
  }

  #write(text: string): void {
    this.progress.clear();
    this.#stdout.write(text);
  }

  #say(text: string): void {
    this.progress.clear();
    this.#edge.stderr.write(`digger: ${text}\n`);
  }
}

/** Widths that fit most names: rows are shown as they come, before the longest one is known. */
function rowText(change: string, { kind, namespace, name, detail }: ReturnType<typeof entityRow>): string {
  const columns = [change.padEnd(8), kind.padEnd(11), namespace.padEnd(15), name.padEnd(36), detail];
  return `${columns.join('  ').trimEnd()}\n`;
}
