// digger follows a cluster under fifty changes a second while one fault after the other is inflicted on the way to it.
// Two replicas do, of which one asks for protobuf and the other for JSON.
//
// After each fault: the whole state of both equals the API server's lists within the fault's bound, deletes included,
// and where a watch could go on, no list was requested (digger's own counts; outage.test.ts holds them against the
// server's). The plan follows from a seed, which is printed.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Message } from '../observers/digger-client.ts';
import type { DiggerProcess } from '../observers/digger-process.ts';
import { done, eventually, notYet } from '../observers/eventually.ts';
import { assertWholeState } from '../observers/whole-state.ts';
import { createRandom, type Random } from '../random.ts';
import type { KubeObject } from './api-client.ts';
import { Churn } from './churn.ts';
import { Scene } from './scene.ts';
import type { TcpProxy } from './tcp-proxy.ts';
import { object, WORLD_NAMESPACE } from './world.ts';

export type ChaosOptions = {
  readonly seed: number;
  /** Each once, in an order that the seed decides; then again until the time is up. */
  readonly faults: readonly FaultName[];
  readonly minDurationMs: number;
};

/** What happened. */
export type ChaosReport = {
  readonly seed: number;
  readonly rounds: readonly Round[];
  readonly changes: number;
  readonly failedChanges: number;
  readonly changesPerSecond: number;
  readonly durationMs: number;
};

export type Round = {
  readonly fault: FaultName;
  /** From the end of the fault to an equal state, a second of further changes and the comparison itself included. */
  readonly recoveredMs: number;
  /** Lists that each replica began, of all resources together; as `ENCODINGS`. */
  readonly lists: readonly number[];
  readonly entities: number;
};

export type FaultName = keyof typeof FAULTS;

const CHANGES_PER_SECOND = 50;

/** Of each replica, asked for first. */
const ENCODINGS = ['protobuf', 'json'] as const;

/** API server: successful token reviews are cached for 10 s. */
const TOKEN_CACHE_MS = 11_000;

type Stage = {
  readonly scene: Scene;
  readonly proxy: TcpProxy;
  readonly replicas: readonly DiggerProcess[];
  readonly random: Random;
  /** Name of the Secret that the present token lives and dies with. */
  secret: string;
};

type Fault = {
  /** The watches' version is lost on the server's side, so that listing again is the only way. */
  readonly mustList: boolean;
  /** From the end of the fault to an equal state. */
  readonly boundMs: number;
  /** Resolves when the fault is over. */
  readonly inflict: (stage: Stage) => Promise<void>;
};

const FAULTS = {
  /** Under fifty changes a second there is always a frame under way. */
  'connections reset': {
    mustList: false,
    boundMs: 20_000,
    inflict: async ({ proxy, random }) => {
      assert.ok(proxy.cut() > 0, 'digger had a connection');
      for (let more = random.between(0, 3); more > 0; more--) {
        await delay(random.between(0, 3_000));
        proxy.cut();
      }
    },
  },
  'half-open connection': {
    mustList: false,
    boundMs: 20_000,
    inflict: async ({ proxy, replicas }) => {
      const accepted = proxy.accepted;
      const frozen = proxy.freeze();
      assert.ok(frozen >= replicas.length, 'every replica had a connection');
      await eventually(
        'the dead connections are noticed, and others opened',
        () =>
          proxy.accepted >= accepted + frozen ? done(undefined) : notYet({ frozen, opened: proxy.accepted - accepted }),
        { deadlineMs: 45_000 },
      );
    },
  },
  'silence on all connections': {
    mustList: false,
    boundMs: 30_000,
    inflict: async ({ proxy, random }) => {
      proxy.hold();
      await delay(random.between(3_000, 40_000));
      proxy.pass();
    },
  },
  'compaction behind a held watch': {
    mustList: false,
    boundMs: 30_000,
    inflict: async ({ proxy, scene }) => {
      proxy.hold();
      await delay(5_000);
      await scene.plane.compact();
      await delay(1_000);
      await scene.plane.compact();
      proxy.pass();
    },
  },
  'API server killed and restarted': {
    mustList: true,
    boundMs: 30_000,
    inflict: async ({ scene, random }) => {
      await scene.plane.killApiServer();
      await delay(random.between(0, 5_000));
      await scene.plane.startApiServer();
    },
  },
  'API server killed, history compacted, restarted without streamed lists': {
    mustList: true,
    boundMs: 30_000,
    inflict: async ({ scene }) => {
      await scene.plane.killApiServer();
      await scene.plane.compact();
      await scene.plane.startApiServer({ WatchList: false });
    },
  },
  'token rotated, the old one refused': {
    mustList: false,
    boundMs: 20_000,
    inflict: async (stage) => {
      const old = stage.secret;
      stage.secret = await rotate(stage.scene);
      await removeSecret(stage, old);
      await delay(TOKEN_CACHE_MS);
      stage.proxy.cut();
    },
  },
  'wrong token for a while': {
    mustList: false,
    boundMs: 45_000,
    inflict: async (stage) => {
      writeFileSync(tokenFile(stage.scene), 'not-a-token\n');
      await removeSecret(stage, stage.secret);
      await delay(TOKEN_CACHE_MS);
      stage.proxy.cut();
      await eventually('the refusal is told', () => allSay(stage.replicas, /401/));
      await delay(stage.random.between(0, 4_000));
      stage.secret = await rotate(stage.scene);
    },
  },
  'too many requests': {
    mustList: false,
    boundMs: 45_000,
    inflict: async ({ scene, proxy, replicas, random }) => {
      const { client } = scene.plane;
      await client.apply(refusingLevel());
      await client.apply(refusingSchema());
      await eventually('digger is refused', async () => {
        proxy.cut();
        await delay(1_500);
        return allSay(replicas, /429/);
      });
      await delay(random.between(0, 4_000));
      await client.delete(refusingSchema());
      await client.delete(refusingLevel());
    },
  },
} as const satisfies Readonly<Record<string, Fault>>;

export const ALL_FAULTS = Object.keys(FAULTS) as readonly FaultName[];

/** Throws with the seed when a promise is broken. */
export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const { seed } = options;
  const random = createRandom(seed);
  console.log(`chaos with seed ${seed}`);
  const startedAt = performance.now();
  const scene = await Scene.set({ controllers: false, proxied: true });
  try {
    assert.ok(scene.proxy);
    await scene.kubelet.stop();
    const { client } = scene.plane;
    await client.apply(object('v1', 'Namespace', WORLD_NAMESPACE));
    await eventually('the namespace can be used', async () =>
      done(await client.apply(object('v1', 'ServiceAccount', 'default'))),
    );
    const churn = new Churn(client, random, CHANGES_PER_SECOND);
    await churn.fill();
    const secret = await rotate(scene);
    const replicas: DiggerProcess[] = [];
    for (const encoding of ENCODINGS) {
      const replica = await scene.startDigger(['--cluster-encoding', encoding]);
      replicas.push(replica);
      await replica.untilReady();
      await assertWholeState(replica, scene.readLists);
    }
    const stage: Stage = { scene, proxy: scene.proxy, replicas, random, secret };

    const rounds: Round[] = [];
    const inflicted = performance.now();
    for (let plan: FaultName[] = []; ; ) {
      if (plan.length === 0) {
        if (rounds.length > 0 && performance.now() - inflicted >= options.minDurationMs) break;
        plan = shuffled(options.faults, random);
      }
      const [fault] = plan.splice(0, 1);
      if (fault === undefined) break;
      const round = await runRound(fault, stage, churn);
      console.log(JSON.stringify(round));
      rounds.push(round);
    }
    const { writes, failed, perSecond } = churn.totals;
    return {
      seed,
      rounds,
      changes: writes,
      failedChanges: failed,
      changesPerSecond: perSecond,
      durationMs: Math.round(performance.now() - startedAt),
    };
  } catch (error) {
    throw new Error(`seed ${seed}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  } finally {
    await scene.strike();
  }
}

async function runRound(name: FaultName, stage: Stage, churn: Churn): Promise<Round> {
  const fault: Fault = FAULTS[name];
  const { replicas, scene } = stage;
  const before = await Promise.all(replicas.map(lists));
  const logs = () => replicas.map(({ log }, index) => `${ENCODINGS[index]}:\n${log}`).join('\n');
  churn.start();
  try {
    await delay(1_000);
    await fault.inflict(stage);
  } catch (error) {
    await churn.stop();
    throw new Error(`${name}: ${String(error)}\n${logs()}`, { cause: error });
  }
  const overAt = performance.now();
  await delay(1_000);
  await churn.stop();
  const leftMs = () => Math.max(1_000, fault.boundMs - (performance.now() - overAt));
  let entities = 0;
  try {
    for (const replica of replicas) {
      await untilWatching(replica, leftMs());
      ({ entities } = await assertWholeState(replica, scene.readLists, leftMs()));
      assert.ok(entities > 100, `${entities} entities were compared`);
    }
  } catch (error) {
    throw new Error(`after ${name}: ${String(error)}\n${logs()}`, { cause: error });
  }
  const recoveredMs = Math.round(performance.now() - overAt);
  const listed: number[] = [];
  for (const [index, replica] of replicas.entries()) listed.push((await lists(replica)) - (before[index] ?? 0));
  for (const [index, count] of listed.entries()) {
    const who = `the replica that asks for ${ENCODINGS[index]}`;
    if (fault.mustList) assert.ok(count > 0, `${name}: the server forgot the versions, and ${who} listed nothing`);
    else assert.equal(count, 0, `lists after ${name} of ${who}, where every watch could go on\n${logs()}`);
  }
  return { fault: name, recoveredMs, lists: listed, entities };
}

async function resources(digger: DiggerProcess): Promise<readonly Message[]> {
  return (await digger.call('StatusService', 'GetStatus'))['resources'] as Message[];
}

/** Of every replica, what it says about its pods. */
async function allSay(replicas: readonly DiggerProcess[], what: RegExp) {
  const said: string[] = [];
  for (const replica of replicas) {
    const pods = (await resources(replica)).find(({ resource }) => resource === 'pods');
    said.push(String(pods?.['message'] ?? ''));
  }
  return said.every((message) => what.test(message)) ? done(undefined) : notYet(said);
}

async function lists(digger: DiggerProcess): Promise<number> {
  return (await resources(digger)).reduce((sum, resource) => sum + Number(resource['lists'] ?? 0), 0);
}

async function untilWatching(digger: DiggerProcess, deadlineMs: number): Promise<void> {
  await eventually(
    'every watch is up, and nothing is stale',
    async () => {
      const status = await digger.call('StatusService', 'GetStatus');
      const away = (status['resources'] as Message[]).filter(({ state }) => state !== 'WATCH_STATE_WATCHING');
      return away.length === 0 && !status['staleness']
        ? done(undefined)
        : notYet({ staleness: status['staleness'], away });
    },
    { deadlineMs },
  );
}

function tokenFile(scene: Scene): string {
  return join(scene.plane.directory, 'digger.token');
}

let secrets = 0;

/** A new token in the file; it is refused once the Secret that it is bound to, whose name this returns, is gone. */
async function rotate(scene: Scene): Promise<string> {
  const { client } = scene.plane;
  const name = `holds-token-${secrets++}`;
  const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace: 'digger' } };
  const { metadata } = await client.create(secret);
  const boundObjectRef = { apiVersion: 'v1', kind: 'Secret', name, uid: metadata.uid };
  const answer = await client.raw('POST', '/api/v1/namespaces/digger/serviceaccounts/digger/token', {
    body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { boundObjectRef } },
  });
  writeFileSync(tokenFile(scene), (JSON.parse(answer.body) as { status: { token: string } }).status.token);
  return name;
}

async function removeSecret({ scene }: Stage, name: string): Promise<void> {
  await scene.plane.client.delete({ apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace: 'digger' } });
}

/** Priority and fairness: a level without any seat, for digger alone. */
function refusingLevel(): KubeObject {
  return {
    apiVersion: 'flowcontrol.apiserver.k8s.io/v1',
    kind: 'PriorityLevelConfiguration',
    metadata: { name: 'refuses-digger' },
    spec: {
      type: 'Limited',
      limited: { nominalConcurrencyShares: 0, borrowingLimitPercent: 0, limitResponse: { type: 'Reject' } },
    },
  };
}

function refusingSchema(): KubeObject {
  return {
    apiVersion: 'flowcontrol.apiserver.k8s.io/v1',
    kind: 'FlowSchema',
    metadata: { name: 'refuses-digger' },
    spec: {
      matchingPrecedence: 2,
      priorityLevelConfiguration: { name: 'refuses-digger' },
      rules: [
        {
          subjects: [{ kind: 'ServiceAccount', serviceAccount: { name: 'digger', namespace: 'digger' } }],
          resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'], clusterScope: true, namespaces: ['*'] }],
        },
      ],
    },
  };
}

function shuffled<T>(items: readonly T[], random: Random): T[] {
  return items
    .map((item) => ({ item, at: random.next() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ item }) => item);
}
