// One run of the adversary against replicas on a real control plane: two servers, a replica for TypeScript and one for
// Go that follow one of them through a proxy of its own, and random questions to all. Meanwhile streams are cut,
// servers fall silent, are refused, are killed and start anew, and the API server goes away.
//
// What a replica answers is held against the server that it follows: equal, after the moments that a change takes on
// its way; and, whether it follows one or not, against the adversary's record: never wrong without saying so.
import assert from 'node:assert/strict';
import { type Answer, describeTruth, type Gap, judge, type Truth } from '../addresses/verdict.ts';
import type { Message } from '../observers/digger-client.ts';
import type { DiggerProcess } from '../observers/digger-process.ts';
import { done, eventually, notYet } from '../observers/eventually.ts';
import { createRandom, type Random } from '../random.ts';
import { AdversarialKubelet } from './adversarial-kubelet.ts';
import type { ApiClient } from './api-client.ts';
import {
  type Answered,
  type AnsweredHolder,
  type AskedQuestion,
  type AskedReplica,
  GoReplica,
  TypeScriptReplica,
  writtenResolution,
} from './asked-replicas.ts';
import { Scene } from './scene.ts';
import { TcpProxy } from './tcp-proxy.ts';
import { object, service, WORLD_NAMESPACE } from './world.ts';

/** What came of a run, for each language. */
export type ReplicaReport = {
  /** Answers that were held against those of the server, and what differed in the end. */
  readonly compared: number;
  /** Of those compared, answers that are the same to the millisecond. */
  readonly exact: number;
  readonly differing: readonly string[];
  /** Of those compared, answers for an interval, and with a port. */
  readonly intervals: number;
  readonly ports: number;
  /** Answers that were held against the record, and those that are WRONG, in words. */
  readonly judged: number;
  readonly wrong: readonly string[];
  /** Outcome → answers. */
  readonly outcomes: ReadonlyMap<string, number>;
  /** How often another server was followed, and how often one sent everything anew. */
  readonly hops: number;
  readonly resets: number;
};

export type RunReport = {
  readonly replicas: ReadonlyMap<string, ReplicaReport>;
  /** What was done to servers and streams. */
  readonly deeds: ReadonlyMap<string, number>;
};

type Mutable = { -readonly [Key in keyof ReplicaReport]: ReplicaReport[Key] } & {
  differing: string[];
  wrong: string[];
  outcomes: Map<string, number>;
  target: string;
};

const BATCH = 60;
const PAUSE_MS = 200;
/** A question on which they differ is asked again for so long: a change takes its time to a replica, and to its timelines. */
const AGREE_MS = 6_000;
/** See adversarial-run.ts; a replica is silent for 1.5 s before it says so. */
const TOLERANCE_MS = 700;
const DELAY_MS = 2_000 + 1_500;
const DOUBT_MS = 35_000;
/** By how much two servers may see one change at different times, on a busy machine. */
const APART_MS = 1_500;

/** A server, and the way of the replicas to it. */
class Server {
  digger: DiggerProcess | undefined;
  readonly proxy: TcpProxy;
  readonly #scene: Scene;

  constructor(scene: Scene, digger: DiggerProcess, proxy: TcpProxy) {
    this.#scene = scene;
    this.digger = digger;
    this.proxy = proxy;
  }

  static async start(scene: Scene): Promise<Server> {
    const digger = await scene.startDigger();
    await digger.untilReady();
    return new Server(scene, digger, await TcpProxy.start(portOf(digger)));
  }

  get target(): string {
    return `127.0.0.1:${this.proxy.port}`;
  }

  /** `kill`: without a word to those who follow it. */
  async restart(kill: boolean): Promise<void> {
    const { digger } = this;
    this.digger = undefined;
    if (kill) await digger?.stop();
    else {
      digger?.terminate();
      await digger?.ended;
    }
    const next = await this.#scene.startDigger();
    this.proxy.retarget(portOf(next));
    await next.untilReady();
    this.digger = next;
  }
}

function portOf({ address }: DiggerProcess): number {
  return Number(address.split(':')[1]);
}

/** Runs it. `durationMs` counts from the first question. */
export async function runReplicas(options: { readonly seed: number; readonly durationMs: number }): Promise<RunReport> {
  const { seed, durationMs } = options;
  await using scene = await Scene.set({ controllers: false, proxied: true });
  const { client } = scene.plane;
  await scene.kubelet.stop();
  await client.apply(object('v1', 'Namespace', WORLD_NAMESPACE));
  await using adversary = new Adversary(client, seed);
  const servers = [await Server.start(scene), await Server.start(scene)];
  const startedMs = Date.now();
  await adversary.start();
  const targets = servers.map(({ target }) => target);
  const replicas = [new TypeScriptReplica(targets), await GoReplica.start(targets.toReversed())];
  const stop = new AbortController();
  const reports = new Map(replicas.map(({ language }) => [language, newReport()]));
  const gaps: Gap[] = [];
  const asking = replicas.map((replica, index) =>
    askOnAndOn({
      ...{ replica, servers, adversary, startedMs, gaps, signal: stop.signal },
      report: reports.get(replica.language) ?? assert.fail(),
      random: createRandom(seed * 10 + index),
    }),
  );
  for (const each of asking) each.catch(() => stop.abort());
  const deeds = new Map<string, number>();
  try {
    await disturb({ scene, servers, gaps, deeds, random: createRandom(seed), durationMs, signal: stop.signal });
  } finally {
    stop.abort();
    await Promise.all(asking);
    for (const replica of replicas) await replica.stop();
    for (const { proxy } of servers) await proxy.stop();
  }
  return { replicas: reports, deeds };
}

/** The adversary's pods, and services that come and go with ports on addresses of nodes and outside. */
class Adversary implements AsyncDisposable {
  readonly kubelet: AdversarialKubelet;
  readonly places: readonly { readonly address: string; readonly ports: readonly number[] }[];
  readonly #client: ApiClient;
  readonly #random: Random;
  readonly #stopping = new AbortController();
  #services: Promise<void> = Promise.resolve();

  constructor(client: ApiClient, seed: number) {
    this.#client = client;
    this.#random = createRandom(seed + 1);
    this.kubelet = new AdversarialKubelet({ client, seed });
    this.places = [
      ...this.kubelet.addresses.map((address) => ({ address, ports: [80, 8_080] })),
      ...['172.18.0.2', '203.0.113.2', '172.18.0.3', 'fd00:172:18::4'].map((address) => ({
        address,
        ports: [22, 443, 30_081, 30_082, 30_083],
      })),
      ...['198.51.100.7', '198.51.100.8', '10.0.0.1', '192.0.2.1'].map((address) => ({ address, ports: [443, 8_443] })),
    ];
  }

  async start(): Promise<void> {
    await this.kubelet.start();
    this.#services = this.#changeServices();
    this.#services.catch(() => this.#stopping.abort());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort();
    await this.kubelet.stop();
    await this.#services;
  }

  async #changeServices(): Promise<void> {
    const random = this.#random;
    while (!this.#stopping.signal.aborted) {
      await pause(random.between(200, 2_000), this.#stopping.signal);
      const number = random.between(1, 3);
      const name = `shared-${number}`;
      try {
        if (random.chance(0.4)) await this.#client.delete(service(name, {}));
        else {
          await this.#client.apply(
            service(name, {
              type: 'NodePort',
              externalIPs: random.chance(0.5) ? ['198.51.100.7', '172.18.0.2'] : ['198.51.100.8'],
              ports: [{ name: 'a', port: random.pick([443, 8_443]), nodePort: 30_080 + number, protocol: 'TCP' }],
            }),
          );
        }
      } catch (error) {
        // The API server is away, or the service is not there: another time.
        if (this.#stopping.signal.aborted) throw error;
      }
    }
  }
}

async function disturb(context: {
  readonly scene: Scene;
  readonly servers: readonly Server[];
  readonly gaps: Gap[];
  readonly deeds: Map<string, number>;
  readonly random: Random;
  readonly durationMs: number;
  readonly signal: AbortSignal;
}): Promise<void> {
  const { scene, servers, gaps, deeds, random, durationMs, signal } = context;
  const deedsToDo: readonly [string, (server: Server) => Promise<void>][] = [
    ['streams cut', async ({ proxy }) => void proxy.cut()],
    [
      'server refused for a while',
      async ({ proxy }) => {
        proxy.refuse();
        proxy.cut();
        await pause(random.between(500, 4_000), signal);
        proxy.pass();
      },
    ],
    [
      'server silent for a while',
      async ({ proxy }) => {
        proxy.hold();
        await pause(random.between(500, 6_000), signal);
        proxy.pass();
      },
    ],
    ['server killed', async (server) => server.restart(true)],
    ['server drained', async (server) => server.restart(false)],
    ['API server away', async () => void gaps.push(await blind(scene, servers))],
  ];
  const endMs = Date.now() + durationMs;
  // Each of them once, then any of them.
  const order = deedsToDo.map((_, index) => index).sort(() => random.between(0, 1) - 0.5);
  for (let round = 0; Date.now() < endMs && !signal.aborted; round++) {
    await pause(Math.min(random.between(1_000, 5_000), endMs - Date.now()), signal);
    const [name, deed] = deedsToDo[order[round] ?? random.between(0, deedsToDo.length - 1)] ?? assert.fail();
    deeds.set(name, (deeds.get(name) ?? 0) + 1);
    await deed(random.pick(servers));
  }
}

/** Cuts the servers off from the API server for some seconds. */
async function blind({ proxy }: Scene, servers: readonly Server[]): Promise<Gap> {
  assert.ok(proxy);
  const sinceMs = Date.now();
  proxy.refuse();
  proxy.cut();
  await pause(3_000);
  proxy.pass();
  for (const { digger } of servers) {
    await eventually('the server is up to date again', async () => {
      const status = await digger?.call('StatusService', 'GetStatus');
      return status?.['staleness'] ? notYet(status) : done(undefined);
    });
  }
  return { sinceMs, untilMs: Date.now(), doubtedSinceMs: sinceMs - DOUBT_MS };
}

interface Asking {
  readonly replica: AskedReplica;
  readonly servers: readonly Server[];
  readonly adversary: Adversary;
  readonly startedMs: number;
  readonly gaps: readonly Gap[];
  readonly random: Random;
  readonly report: Mutable;
  readonly signal: AbortSignal;
}

async function askOnAndOn(context: Asking): Promise<void> {
  const { replica, adversary, startedMs, random, report, signal } = context;
  const judged: { question: AskedQuestion; askedMs: number; answer: Answer }[] = [];
  while (!signal.aborted) {
    await pause(PAUSE_MS, signal);
    const askedMs = Date.now();
    const questions = Array.from({ length: BATCH }, () => questionAt(askedMs, startedMs, adversary, random));
    const first = await replica.ask(questions);
    for (const [index, answer] of first.answers.entries()) {
      report.outcomes.set(answer.outcome, (report.outcomes.get(answer.outcome) ?? 0) + 1);
      const question = questions[index];
      if (question === undefined || question.port !== undefined || question.untilMs !== undefined) continue;
      if (!adversary.kubelet.addresses.includes(question.address)) continue;
      judged.push({ question, askedMs, answer: toAnswer(answer) });
    }
    await compare(context, questions);
  }
  const truth: Truth = {
    ...{ holds: adversary.kubelet.holds, gaps: context.gaps, toleranceMs: TOLERANCE_MS, delayMs: DELAY_MS },
  };
  report.judged = judged.length;
  for (const { question, askedMs, answer } of judged) {
    const asked = { ...question, askedMs };
    const verdict = judge(truth, asked, answer);
    if (verdict.startsWith('WRONG'))
      report.wrong.push(`${verdict}: ${JSON.stringify(answer)}: ${describeTruth(truth, asked)}`);
  }
}

/** Asks both until they agree on each question, as long as the replica follows one server. */
async function compare(
  { replica, servers, report, signal }: Asking,
  questions: readonly AskedQuestion[],
): Promise<void> {
  let left = questions;
  let seen: { target: string; resets: number } | undefined;
  const untilMs = Date.now() + AGREE_MS;
  for (;;) {
    const given = await replica.ask(left);
    if (given.target !== report.target) {
      if (report.target !== '') report.hops++;
      report.target = given.target;
    }
    report.resets = given.resets;
    const digger = servers.find(({ target }) => target === given.target)?.digger;
    const hasMoved = seen !== undefined && (seen.target !== given.target || seen.resets !== given.resets);
    if (!given.isFollowing || digger === undefined || hasMoved || signal.aborted) return;
    seen = given;
    const owed = await answersOf(digger, left);
    if (owed === undefined) return;
    const still = left.map((question, index) => ({ question, given: given.answers[index], owed: owed[index] }));
    const differing = still.filter((each) => !areEqual(each.question, each.given, each.owed));
    for (const { question, given: answer, owed: wanted } of still) {
      if (differing.some((each) => each.question === question)) continue;
      report.compared++;
      if (JSON.stringify(answer) === JSON.stringify(wanted)) report.exact++;
      if (question.untilMs !== undefined) report.intervals++;
      if (question.port !== undefined) report.ports++;
    }
    left = differing.map(({ question }) => question);
    if (left.length === 0) return;
    if (Date.now() > untilMs) {
      for (const each of differing) report.differing.push(JSON.stringify({ ...each, target: given.target }));
      return;
    }
    await pause(150, signal);
  }
}

/** `undefined`: it is gone, or does not follow the cluster. */
async function answersOf(
  digger: DiggerProcess,
  questions: readonly AskedQuestion[],
): Promise<readonly Answered[] | undefined> {
  const queries = questions.map(({ atMs, untilMs, protocol, ...query }) => ({
    ...query,
    ...(protocol === undefined ? {} : { protocol: `PROTOCOL_${protocol}` }),
    at: timestamp(atMs),
    ...(untilMs === undefined ? {} : { until: timestamp(untilMs) }),
  }));
  const response = await digger.call('LookupService', 'BatchResolveAddresses', { queries }).catch(() => undefined);
  const resolutions = (response?.['results'] as readonly Message[] | undefined)?.map(({ resolution }) => resolution);
  if (resolutions === undefined || resolutions.some((resolution) => resolution?.['staleness'])) return undefined;
  return resolutions.map((resolution) => writtenResolution(resolution as Message));
}

/**
 * A replica that came with a token from the other server has what that one saw of the moments before: some
 * milliseconds earlier or later, where only the servers' own eyes tell.
 */
function areEqual({ atMs, untilMs = atMs }: AskedQuestion, a: Answered | undefined, b: Answered | undefined): boolean {
  if (a === undefined || b === undefined) return false;
  if (JSON.stringify(a) === JSON.stringify(b)) return true;
  const edges = [...a.holders, ...b.holders, ...a.others, ...b.others].flatMap(({ from, to }) => [from, to ?? 0]);
  const isAtEdge = edges.some((ms) => Math.abs(ms - atMs) <= APART_MS || Math.abs(ms - untilMs) <= APART_MS);
  const hasSame = (one: readonly AnsweredHolder[], other: readonly AnsweredHolder[]): boolean =>
    one.length === other.length && one.every((holder, index) => isSameHolder(holder, other[index]));
  const isSame =
    a.outcome === b.outcome &&
    a.workload === b.workload &&
    a.isUncertain === b.isUncertain &&
    hasSame(a.holders, b.holders) &&
    hasSame(a.others, b.others);
  return isSame || isAtEdge;
}

function isSameHolder(a: AnsweredHolder, b: AnsweredHolder | undefined): boolean {
  return (
    b !== undefined &&
    a.uid === b.uid &&
    a.role === b.role &&
    a.isUncertain === b.isUncertain &&
    Math.abs(a.from - b.from) <= APART_MS &&
    Math.abs((a.to ?? 0) - (b.to ?? 0)) <= APART_MS
  );
}

function questionAt(askedMs: number, startedMs: number, { places }: Adversary, random: Random): AskedQuestion {
  const { address, ports } = random.pick(places);
  const atMs = random.between(Math.max(startedMs, askedMs - (random.chance(0.5) ? 10_000 : 90_000)), askedMs);
  return {
    address,
    ...(random.chance(0.5) ? { port: random.pick(ports) } : {}),
    ...(random.chance(0.3) ? { protocol: random.pick(['TCP', 'UDP'] as const) } : {}),
    atMs,
    ...(random.chance(0.1) ? { untilMs: random.between(atMs, Math.min(askedMs, atMs + 10_000)) } : {}),
  };
}

function toAnswer({ outcome, holders, isUncertain }: Answered): Answer {
  const uids = holders.map(({ uid }) => uid);
  switch (outcome) {
    case 'RESOLVED':
      return { outcome, uid: uids[0] ?? '', uncertain: isUncertain };
    case 'AMBIGUOUS':
      return { outcome, uids, uncertain: holders.some((holder) => holder.isUncertain) };
    case 'UNASSIGNED':
    case 'EXTERNAL':
    case 'UNKNOWN':
      return { outcome };
    default:
      throw new Error(`not an outcome: ${outcome}`);
  }
}

function newReport(): Mutable {
  return {
    ...{ compared: 0, exact: 0, intervals: 0, ports: 0, judged: 0, hops: 0, resets: 0, target: '' },
    ...{ differing: [], wrong: [], outcomes: new Map() },
  };
}

function timestamp(ms: number): Message {
  return { seconds: Math.floor(ms / 1_000), nanos: (ms % 1_000) * 1_000_000 };
}

async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  if (ms <= 0 || signal?.aborted) return;
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true });
  });
}
