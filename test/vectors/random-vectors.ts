// Makes up vectors: small worlds in which everything happens within two seconds and on few addresses, so that spans,
// doubts and gaps meet at every question. What a server would never send (a span that ends before it begins) is left
// out; what it hardly ever sends is frequent.

import { createRandom, type Random } from '../random.ts';
import type { ChangeJson, FactsJson, FrameJson, HolderJson, QuestionJson, SpanJson, TimelineJson } from './vector.ts';

const LAST = 2_000;
const ADDRESSES = ['10.0.0.1', '10.0.0.2', '192.0.2.7', 'fd00::1', '2001:db8::5'];
const SPECIAL = ['127.0.0.1', 'fe80::1', '0.0.0.0', '224.0.0.1', '255.255.255.255', '::ffff:10.0.0.1'];
const NODES = ['node-a', 'node-b'];
const PORTS = [53, 80, 443];
const PROTOCOLS = ['TCP', 'UDP', 'SCTP'] as const;
const RANGES = ['10.0.0.0/24', '10.0.0.7/24', 'fd00::/64', '0.0.0.0/0'];
const WORKLOADS = ['w1', 'w2'];
const POD_ROLES = ['POD_IP', 'HOST_PORT', 'HOST_NETWORK', 'ENDPOINT'];
const SERVICE_ROLES = ['CLUSTER_IP', 'LOAD_BALANCER', 'EXTERNAL_IP', 'NODE_PORT', 'ENDPOINT'];

export interface RandomWorld {
  readonly frames: readonly FrameJson[];
  readonly questions: readonly QuestionJson[];
}

/** One world, and so many questions about it. */
export function randomWorld(seed: number, questions: number): RandomWorld {
  const random = createRandom(seed);
  const changes: ChangeJson[] = [{ facts: randomFacts(random) }];
  for (let n = random.between(2, 18); n > 0; n--) changes.push({ timeline: randomTimeline(random) });
  const middle = random.between(1, changes.length);
  const frames: FrameJson[] = [
    { reset: { reason: 'RESET_REASON_NO_TOKEN' } },
    { changes: { changes: changes.slice(0, middle) } },
    { synced: {} },
    ...(middle < changes.length ? [{ changes: { changes: changes.slice(middle) } }] : []),
  ];
  return { frames, questions: Array.from({ length: questions }, () => randomQuestion(random)) };
}

function randomQuestion(random: Random): QuestionJson {
  const atMs = random.chance(0.9) ? random.between(0, LAST + 100) : undefined;
  const isInterval = atMs !== undefined && random.chance(0.3);
  return {
    address: random.chance(0.03) ? random.pick(SPECIAL) : random.pick(ADDRESSES),
    ...(random.chance(0.7) ? { port: random.pick(PORTS) } : {}),
    ...(random.chance(0.6) ? { protocol: random.pick(PROTOCOLS) } : {}),
    ...(atMs === undefined ? {} : { atMs }),
    ...(isInterval ? { untilMs: atMs + random.between(0, random.pick([50, 50, 1_500, LAST])) } : {}),
    nowMs: random.chance(0.9) ? LAST : random.between(LAST / 2, LAST),
    ...(random.chance(0.1) ? { heardMs: random.between(LAST / 2, LAST) } : {}),
  };
}

function randomFacts(random: Random): FactsJson {
  const blind = random.chance(0.5) ? cuts(random, random.between(1, 3)) : [];
  return {
    beganMs: random.chance(0.7) ? 0 : random.between(0, LAST / 2),
    historyMs: random.chance(0.7) ? 10 * LAST : random.between(LAST / 2, LAST),
    blind: blind.map(([sinceMs, untilMs]) => ({ sinceMs, untilMs })),
    ...(random.chance(0.15) ? { blindSinceMs: random.between(LAST / 2, LAST) } : {}),
    unknownUntilMs: random.chance(0.6) ? 0 : random.between(0, LAST / 2),
    ...(random.chance(0.2) ? { incompleteUntilMs: random.between(0, LAST / 2) } : {}),
    reportDelayMs: random.pick([0, 0, 5, 100]),
    ...(random.chance(0.1) ? { partial: true } : {}),
    ...(random.chance(0.7) ? { rangesCompleteIpv4: true } : {}),
    ...(random.chance(0.7) ? { rangesCompleteIpv6: true } : {}),
  };
}

function randomTimeline(random: Random): TimelineJson {
  const address = random.pick(ADDRESSES);
  const node = random.pick(NODES);
  const at = { port: random.pick(PORTS), protocol: `PROTOCOL_${random.pick(PROTOCOLS)}` };
  switch (random.between(0, 11)) {
    case 0:
      return { place: { range: random.pick(RANGES) }, ...(random.chance(0.8) ? { known: true } : {}) };
    case 1:
    case 2:
      return randomSpans(random, { address, ...at }, SERVICE_ROLES, 'SERVICE');
    case 3:
      return randomSpans(random, { address, manyPorts: true }, SERVICE_ROLES, 'SERVICE');
    case 4:
    case 5:
      return randomSpans(random, { node, ...at }, POD_ROLES, 'POD');
    case 6:
      return randomSpans(random, { node, address, ...at }, POD_ROLES, 'POD');
    case 7:
      return randomSpans(random, at, ['NODE_PORT'], 'SERVICE');
    case 8:
      return randomSpans(random, { node }, ['HOST_NETWORK'], 'POD');
    default: {
      const made = randomSpans(random, { address }, POD_ROLES, random.pick(['POD', 'NODE', 'SERVICE']));
      const nodes = random.chance(0.5) ? cuts(random, random.between(1, 3)) : [];
      return {
        ...made,
        nodes: nodes.map(([fromMs, toMs]) => ({
          fromMs,
          ...(toMs < LAST || random.chance(0.5) ? { toMs } : {}),
          names: random.chance(0.8) ? [random.pick(NODES)] : NODES,
        })),
        inCluster: random.chance(0.7),
      };
    }
  }
}

function randomSpans(
  random: Random,
  place: TimelineJson['place'],
  roles: readonly string[],
  kind: string,
): TimelineJson {
  if (random.chance(0.05)) return { place };
  const isWhole = place.address !== undefined && place.port === undefined && place.manyPorts !== true;
  const isMany = place.manyPorts === true;
  const series = random.between(0, 2);
  // More than a span is sent with, but not more than one could be.
  const holders = Array.from({ length: random.between(1, random.chance(0.03) ? 130 : 4) }, (_, index) =>
    randomHolder(random, place, roles, kind, index, series, isMany),
  );
  // More changes than an interval asks for.
  const parts = cuts(random, random.between(1, random.chance(0.02) ? 300 : 6));
  const nearness = isMany ? 0.05 : random.chance(0.3) ? 0.8 : 0.25;
  const spans = parts.map(([fromMs, toMs], index): SpanJson => {
    const isLast = index === parts.length - 1;
    const time = { fromMs, ...(isLast && random.chance(0.6) ? {} : { toMs }) };
    const first = random.between(0, holders.length - 1);
    const doubts = (list: readonly number[]) => ({
      ...(random.chance(0.3) ? { atEdge: list.filter(() => random.chance(0.5)) } : {}),
      ...(random.chance(0.15) ? { uncertain: list.filter(() => random.chance(0.5)) } : {}),
    });
    if (isWhole && random.chance(0.05)) return { ...time, unknownNode: true };
    if (isWhole && random.chance(0.1)) return { ...time, holders: [first], presumed: true, uncertain: [first] };
    if (random.chance(nearness)) {
      const nearMs = random.pick([toMs, fromMs - 1, random.between(fromMs - 1, toMs)]);
      const near = random.chance(0.05) ? [...holders.keys()] : [first];
      return { ...time, holders: near, nearMs, ...doubts(near) };
    }
    const list = holders.length > 10 || random.chance(0.2) ? [...holders.keys()] : [first];
    return { ...time, holders: list, ...doubts(list), ...(isMany && random.chance(0.2) ? { more: true } : {}) };
  });
  return { place, holders, spans, ...(random.chance(0.1) ? { cutAtMs: random.between(0, LAST) } : {}) };
}

function randomHolder(
  random: Random,
  place: TimelineJson['place'],
  roles: readonly string[],
  kind: string,
  index: number,
  series: number,
  isMany: boolean,
): HolderJson {
  // An object once in a timeline, and many of them in several timelines.
  const number = index < 4 ? random.between(0, 5) * 4 + index : 100 + 60 * series + index;
  const isNode = kind === 'NODE';
  const name = isNode ? random.pick(NODES) : `${kind.toLowerCase()}-${number}`;
  const from = random.between(0, LAST);
  const order = place.port === undefined && !isMany ? 0 : 1;
  // Of a namespace that is not published, or with a workload in one.
  const hidden = !isNode && number % 7 === 3;
  const workload = random.chance(0.1)
    ? { hidden: true }
    : { kind: 'Deployment', name: 'w', uid: random.pick(WORKLOADS) };
  return {
    kind: `ENTITY_KIND_${kind}`,
    ...(hidden ? { hidden } : { ...(isNode ? {} : { namespace: 'shop' }), name }),
    uid: isNode ? `uid-${name}-${index}` : `uid-${name}`,
    role: `ADDRESS_ROLE_${isNode ? 'NODE_ADDRESS' : random.pick(roles)}`,
    validFromMs: from,
    ...(random.chance(0.5) ? { validToMs: random.between(from, LAST) } : {}),
    ...(random.chance(0.2) ? { doubtedFromMs: random.between(0, LAST) } : {}),
    ...(random.chance(0.8) && !hidden ? { workload } : {}),
    // Few values, so that many are equal.
    startedMs: order * random.between(0, 2),
    seenMs: order * random.between(0, 1),
    createdMs: order * random.between(0, 1),
    ...(isMany
      ? {
          ports: Array.from({ length: random.between(1, 3) }, () => {
            const first = random.between(1, 400);
            const protocol = `PROTOCOL_${random.pick(PROTOCOLS)}`;
            return { first, last: first + random.between(0, 300), protocol };
          }),
          ...(random.chance(0.2) ? { portsInexact: true } : {}),
        }
      : {}),
  };
}

/** Intervals that do not overlap, oldest first; some touch. */
function cuts(random: Random, count: number): readonly (readonly [number, number])[] {
  const ends = new Set<number>();
  while (ends.size < count * 2) ends.add(random.between(0, LAST));
  const sorted = [...ends].sort((a, b) => a - b);
  const touch = random.chance(0.6);
  return Array.from({ length: count }, (_, i) => {
    const from = sorted[2 * i] ?? 0;
    return [from, touch ? (sorted[2 * i + 2] ?? LAST) : (sorted[2 * i + 1] ?? LAST)] as const;
  }).filter(([from, to]) => from < to);
}
