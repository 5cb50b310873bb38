// Records a vector from a running server: what its feed sends of timelines and facts, and what it answers to questions
// at random when that has come to rest for a moment.
//
//   node test/vectors/record.ts HOST:PORT SECONDS QUESTIONS ABOUT > test/vectors/NN-name.json
//
// So an answer of the vector is that of the server's own index, by way of its API. Plaintext; a server that runs for
// less than its history, because a vector has one moment at which all is asked.

import { Client, credentials } from '@grpc/grpc-js';
import type { Message } from '../observers/digger-client.ts';
import { DiggerClient } from '../observers/digger-client.ts';
import { createRandom } from '../random.ts';
import { decodeToJson } from '../../src/wire/proto-json.ts';
import { messageType } from '../../src/wire/schema.ts';
import type { AnsweringHolder, AnswerJson, ChangeJson, FrameJson, QuestionJson, Vector } from './vector.ts';

const [target = '127.0.0.1:50051', seconds = '20', count = '150', about = 'Recorded.'] = process.argv.slice(2);
/** All that was asked has to be answered before another change comes. */
const QUIET_MS = 150;
const ATTEMPTS = 200;
/** A vector is read by people too: of a whole cluster it would have megabytes. */
const MANY_TOLD = 8;
const OTHERS = 8;

const frames: FrameJson[] = [];
let changedAtMs = 0;
const client = new Client(target, credentials.createInsecure());
const WatchRequest = messageType('digger.v1.WatchRequest');
const stream = client.makeServerStreamRequest(
  '/digger.v1.ChangeFeedService/Watch',
  (request: object) => Buffer.from(WatchRequest.encode(WatchRequest.fromObject(request)).finish()),
  (bytes: Buffer) => bytes,
  { timelines: true, heartbeatInterval: { seconds: 1 } },
);
const failed = new Promise<never>((_, reject) => stream.on('error', reject));
failed.catch(() => undefined);
stream.on('data', (bytes: Buffer) => {
  const { reset, synced, changes } = decodeToJson('digger.v1.WatchResponse', bytes) as FrameJson;
  if (reset !== undefined || synced !== undefined) frames.push(reset === undefined ? { synced: {} } : { reset: {} });
  const told = (changes?.changes ?? []).filter(({ timeline, facts }) => timeline !== undefined || facts !== undefined);
  if (told.length === 0) return;
  changedAtMs = Date.now();
  frames.push({ changes: { changes: told } });
});

await Promise.race([new Promise((resolve) => setTimeout(resolve, Number(seconds) * 1_000)), failed]);
using lookups = new DiggerClient(target);
const vector = await record();
stream.cancel();
client.close();
process.stdout.write(`${JSON.stringify(vector, undefined, 2)}\n`);

async function record(): Promise<Vector> {
  const random = createRandom(1);
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
    if (Date.now() - changedAtMs < QUIET_MS) continue;
    const nowMs = Date.now();
    const seen = frames.length;
    const chosen = choose(random);
    const asked = Array.from({ length: Number(count) }, () => question(nowMs, chosen, random));
    const answers: AnswerJson[] = [];
    for (let from = 0; from < asked.length; from += 100) {
      const queries = asked.slice(from, from + 100).map(toQuery);
      const { results } = await lookups.call('LookupService', 'BatchResolveAddresses', { queries });
      answers.push(...(results as readonly Message[]).map(({ resolution }) => written(resolution as Message)));
    }
    await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
    if (frames.length !== seen) continue;
    const questions = asked.map((ask, index) => ({ ask, answer: answers[index] as AnswerJson }));
    return { about, frames: frames.slice(0, seen).flatMap((frame) => pruned(frame, chosen)), questions };
  }
  throw new Error(`the server was never quiet for ${QUIET_MS} ms in ${ATTEMPTS} attempts`);
}

/** Those of which was told most often, and some others. */
function choose(random: ReturnType<typeof createRandom>): ReadonlySet<string> {
  const told = new Map<string, number>();
  for (const { changes } of frames) {
    for (const { timeline } of changes?.changes ?? []) {
      const { address } = timeline?.place ?? {};
      if (address !== undefined) told.set(address, (told.get(address) ?? 0) + 1);
    }
  }
  const addresses = [...told].toSorted(([, one], [, other]) => other - one).map(([address]) => address);
  return new Set([...addresses.slice(0, MANY_TOLD), ...Array.from({ length: OTHERS }, () => random.pick(addresses))]);
}

/** Without the timelines of addresses that are not asked for. */
function pruned(frame: FrameJson, chosen: ReadonlySet<string>): FrameJson[] {
  if (frame.changes === undefined) return [frame];
  const changes = frame.changes.changes.filter(({ timeline }) => {
    const { address } = timeline?.place ?? {};
    return address === undefined || chosen.has(address);
  });
  return changes.length === 0 ? [] : [{ changes: { changes } }];
}

/** About places that timelines tell of, mostly, in the time since the server began, and a little before. */
function question(nowMs: number, chosen: ReadonlySet<string>, random: ReturnType<typeof createRandom>): QuestionJson {
  const places = frames.flatMap(({ changes }) => changes?.changes.map(placeOf) ?? []);
  const ports = [...new Set(places.flatMap((place) => place?.port ?? []))];
  const beganMs = Number(frames.flatMap(({ changes }) => changes?.changes ?? []).find(isOfFacts)?.facts?.beganMs ?? 0);
  const address = random.chance(0.1) ? random.pick(['203.0.113.77', '10.96.3.3', '::1']) : random.pick([...chosen]);
  const atMs = random.between(beganMs - 1_000, nowMs);
  return {
    address,
    ...(random.chance(0.5) ? { port: random.pick([80, 443, ...ports]) } : {}),
    ...(random.chance(0.3) ? { protocol: random.pick(['TCP', 'UDP'] as const) } : {}),
    atMs,
    ...(random.chance(0.2) ? { untilMs: random.between(atMs, nowMs) } : {}),
    nowMs,
  };
}

function placeOf({ timeline }: ChangeJson): { readonly address?: string; readonly port?: number } | undefined {
  return timeline?.place;
}

function isOfFacts({ facts }: ChangeJson): boolean {
  return facts !== undefined;
}

function toQuery({ address, port, protocol, atMs = 0, untilMs }: QuestionJson): Message {
  return {
    address,
    ...(port === undefined ? {} : { port }),
    ...(protocol === undefined ? {} : { protocol: `PROTOCOL_${protocol}` }),
    at: timestamp(atMs),
    ...(untilMs === undefined ? {} : { until: timestamp(untilMs) }),
  };
}

function written(resolution: Message): AnswerJson {
  const { outcome, candidates = [], workload, uncertain, historySince } = resolution;
  const isResolved = outcome === 'OUTCOME_RESOLVED';
  const told = (candidates as readonly Message[]).map(holder);
  const holders = isResolved ? [holder(resolution)] : told;
  return {
    outcome: String(outcome).replace('OUTCOME_', ''),
    ...(uncertain === true ? { uncertain } : {}),
    ...(holders.length > 0 ? { holders } : {}),
    ...(isResolved && told.length > 0 ? { others: told } : {}),
    ...(workload?.['uid'] ? { workload: workload['uid'] } : {}),
    since: milliseconds(historySince) ?? 0,
  };
}

function holder(candidate: Message): AnsweringHolder {
  const { pod, service, node, externalEndpoint, role, validFrom, validTo, uncertain } = candidate;
  const target = pod ?? service ?? node ?? externalEndpoint?.['service'];
  const to = milliseconds(validTo);
  return {
    uid: target?.['uid'],
    role: String(role).replace('ADDRESS_ROLE_', ''),
    from: milliseconds(validFrom) ?? 0,
    ...(to === undefined ? {} : { to }),
    ...(uncertain === true ? { uncertain } : {}),
  };
}

function timestamp(ms: number): Message {
  return { seconds: Math.floor(ms / 1_000), nanos: (ms % 1_000) * 1e6 };
}

function milliseconds(moment: Message | undefined | null): number | undefined {
  return moment ? Number(moment['seconds'] ?? 0) * 1_000 + Math.round(Number(moment['nanos'] ?? 0) / 1e6) : undefined;
}
