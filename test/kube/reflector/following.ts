// A reflector of pods that follows the simulated API server.
//
// Every scenario ends with the same check: the store holds what the server lists now, read as JSON by a plain request
// that shares nothing with the reflector.

import assert from 'node:assert/strict';
import type { Credentials } from '../../../src/kube/credentials/credentials.ts';
import type { Reflector } from '../../../src/kube/reflector/reflector.ts';
import { pods } from '../../../src/kube/resources.ts';
import type { PodRecord } from '../../../src/model/kubernetes/records.ts';
import { createSimulator, type Simulator, type SimulatorOptions } from '../../../src/simulator/server/simulator.ts';
import { createRandom } from '../../random.ts';
import type { MirrorStore } from './mirror-store.ts';
import { type HurriedClock, ReflectorUnderTest, TestCredentials } from './reflector-under-test.ts';

export interface FollowingOptions {
  readonly simulator?: Partial<SimulatorOptions>;
  /** Writes and switches before the first request. */
  readonly arrange?: (simulator: Simulator) => void;
  /** Default: false, plain lists. */
  readonly streamInitialList?: boolean;
  readonly credentials?: (server: string) => Credentials;
  /** A token that the server takes from the one who checks the state, where it asks for tokens. */
  readonly token?: () => string;
}

export interface Following {
  readonly simulator: Simulator;
  readonly store: MirrorStore<PodRecord>;
  readonly reflector: Reflector<PodRecord>;
  readonly clock: HurriedClock;
  readonly create: (name: string) => void;
  readonly remove: (name: string) => void;
  /** The reflector's requests so far: `list rv=0 limit=500`, `watch rv=1000`, `stream`. */
  readonly requests: () => readonly string[];
  readonly until: (condition: () => boolean) => Promise<void>;
  /** Waits until the watch is up and the store holds what the server lists. */
  readonly untilEqual: () => Promise<void>;
}

/** Runs `scenario` once the first list is there and the watch is up, and closes it with the check. */
export async function following(
  scenario: (following: Following) => Promise<void>,
  options: FollowingOptions = {},
): Promise<void> {
  const simulator = createSimulator({
    random: createRandom(1).next,
    now: Date.now,
    freshnessWaitMs: 50,
    ...options.simulator,
  });
  options.arrange?.(simulator);
  const server = await simulator.listen({ port: 0 });
  const credentials = options.credentials?.(server.url) ?? new TestCredentials(server.url);
  const { streamInitialList = false } = options;
  const tested = new ReflectorUnderTest<PodRecord>({ resource: pods, credentials, streamInitialList });
  const { store, reflector, clock } = tested;
  const requests = (): readonly string[] =>
    simulator.requests
      .entries({ resource: 'pods' })
      .filter(({ accept }) => accept.includes('protobuf'))
      .map(({ verb, parameters }) => describeRequest(verb, parameters));
  const seen = () => ({ requests: requests(), store: view(store) });
  const until = (condition: () => boolean) => tested.until(condition, seen);
  const untilEqual = async () => {
    let listed: readonly string[] = [];
    await tested.until(
      async () => {
        listed = await listDirectly(server.url, options.token?.() ?? '');
        // The state changes before the request is out.
        const watches = reflector.status().state === 'watching' && simulator.watchCount('pods') > 0;
        return watches && view(store).join('\n') === listed.join('\n');
      },
      () => ({ ...seen(), listed }),
    );
  };
  reflector.start();
  try {
    // The server has to know of the watch before a scenario does anything to it.
    await until(() => reflector.status().state === 'watching' && simulator.watchCount('pods') === 1);
    await scenario({
      simulator,
      store,
      reflector,
      clock,
      create: (name) => void simulator.cluster.create('pods', pod(name)),
      remove: (name) => void simulator.cluster.delete('pods', 'shop', name),
      requests,
      until,
      untilEqual,
    });
    if (reflector.status().state !== 'stopped') await untilEqual();
  } finally {
    await tested.stop();
    await server.close();
  }
  tested.assertNothingIsLeft();
}

/** Three pods, versions 1001 to 1003. */
export function arrange(simulator: Simulator): void {
  for (const name of ['a', 'b', 'c']) simulator.cluster.create('pods', pod(name));
}

/** A pod with a little of everything that a record keeps. */
export function pod(name: string): { metadata: { namespace: string; name: string }; [field: string]: unknown } {
  return {
    metadata: { namespace: 'shop', name, labels: { app: name, grün: 'ja 🐳' } } as { namespace: string; name: string },
    spec: { nodeName: 'node-1', containers: [{ name: 'main', image: 'image:1' }] },
    status: { phase: 'Running', podIPs: [{ ip: '10.0.0.1' }] },
  };
}

function describeRequest(verb: string, parameters: Readonly<Record<string, string>>): string {
  const { resourceVersion, limit, continue: token, sendInitialEvents } = parameters;
  if (limit === '1') return `check rv=${resourceVersion}`;
  const parts = [sendInitialEvents === 'true' ? 'stream' : verb];
  if (resourceVersion !== undefined) parts.push(`rv=${resourceVersion}`);
  if (limit !== undefined) parts.push(`limit=${limit}`);
  if (token !== undefined) parts.push('continue');
  return parts.join(' ');
}

function view(store: MirrorStore<PodRecord>): readonly string[] {
  return [...store.records.values()]
    .map(({ uid, name, labels, phase, podIps }) => JSON.stringify([uid, name, labels, phase, podIps]))
    .toSorted();
}

async function listDirectly(url: string, token: string): Promise<readonly string[]> {
  const headers = { accept: 'application/json', ...(token === '' ? {} : { authorization: `Bearer ${token}` }) };
  const response = await fetch(`${url}/api/v1/pods`, { headers });
  assert.equal(response.status, 200);
  const { items } = (await response.json()) as { items: readonly ListedPod[] };
  return items
    .map(({ metadata: { uid, name, labels }, status }) =>
      JSON.stringify([uid, name, labels, status.phase, status.podIPs.map(({ ip }) => ip)]),
    )
    .toSorted();
}

interface ListedPod {
  readonly metadata: { readonly uid: string; readonly name: string; readonly labels: Record<string, string> };
  readonly status: { readonly phase: string; readonly podIPs: readonly { readonly ip: string }[] };
}
