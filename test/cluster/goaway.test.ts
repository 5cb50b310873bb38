// kube-apiserver with --goaway-chance, which tells one connection in so many requests to go, so that clients spread
// over the replicas of a control plane. Here every watch is on a connection of its own that was told to go.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { systemClock } from '../../src/kube/clock.ts';
import { createCredentials } from '../../src/kube/credentials/credentials.ts';
import { Reflector } from '../../src/kube/reflector/reflector.ts';
import { ServerContact } from '../../src/kube/reflector/server-contact.ts';
import { endpointSlices, nodes, owners, pods, type ResourceDescriptor, services } from '../../src/kube/resources.ts';
import { createTransport, type Transport } from '../../src/kube/transport/transport.ts';
import type { KubernetesRecord } from '../../src/model/kubernetes/records.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { MirrorStore } from '../kube/reflector/mirror-store.ts';
import { done, eventually, notYet } from '../observers/eventually.ts';
import type { ApiClient } from './api-client.ts';
import { ControlPlane } from './control-plane.ts';
import { createServiceAccountKubeconfig } from './service-account.ts';
import { TcpProxy } from './tcp-proxy.ts';
import { barePod, createPod, object, scaled, service, WORLD_NAMESPACE } from './world.ts';

/** The most that the API server takes. */
const GOAWAY_CHANCE = 0.02;
/** That none of so many requests is answered with GOAWAY happens once in 5 × 10^17 times. */
const MAX_REQUESTS = 2_000;
/** Often enough that all connections are asked several times while the test runs. */
const PING = { pingAfterMs: 200, pingTimeoutMs: 20_000 };

const deployments = owners.find(({ plural }) => plural === 'deployments');
assert.ok(deployments);
const WATCHED = [pods, services, nodes, endpointSlices, deployments] as readonly ResourceDescriptor<KubernetesRecord>[];

describe(`kube-apiserver with --goaway-chance=${GOAWAY_CHANCE}`, () => {
  let plane: ControlPlane;
  let proxy: TcpProxy;
  let transport: Transport;
  const stopping = new AbortController();
  const watched: {
    readonly plural: string;
    store: MirrorStore<KubernetesRecord>;
    reflector: Reflector<KubernetesRecord>;
  }[] = [];

  before(async () => {
    plane = await ControlPlane.start({ controllers: false, apiServerArgs: [`--goaway-chance=${GOAWAY_CHANCE}`] });
    proxy = await TcpProxy.start(Number(new URL(plane.url).port));
    const kubeconfig = await createServiceAccountKubeconfig(plane, `https://127.0.0.1:${proxy.port}`);
    const { client } = plane;
    await client.apply(object('v1', 'Namespace', WORLD_NAMESPACE));
    await client.apply(object('v1', 'ServiceAccount', 'default'));
    await write(client, 'first');
    const credentials = createCredentials({ kubeconfig, clock: systemClock });
    transport = createTransport({ credentials, userAgent: 'digger/test', ping: PING });
    const logger = createLogger({ level: 'silent', pretty: false });
    const contact = new ServerContact(transport, systemClock, Math.random, logger, stopping.signal);
    for (const resource of WATCHED) {
      const store = new MirrorStore<KubernetesRecord>();
      const reflector = new Reflector({
        ...{ resource, store, transport, contact, logger, clock: systemClock, random: Math.random },
        onStatusChange: () => {},
      });
      watched.push({ plural: resource.plural, store, reflector });
    }
  });
  after(async () => {
    stopping.abort();
    await Promise.all(watched.map(({ reflector }) => reflector.stop()));
    await transport?.close();
    await proxy?.stop();
    await plane?.stop();
  });

  it('sends the next requests to other connections, and lets watches go on where they are', async () => {
    for (const { plural, reflector } of watched) {
      reflector.start();
      await eventually(`${plural} are watched`, () =>
        reflector.status().state === 'watching' ? done(undefined) : notYet(reflector.status()),
      );
      await untilToldToGo();
    }
    // The last one is the one that answered last, and has no watch.
    assert.ok(proxy.connections > watched.length, `${proxy.connections} connections`);
  });

  it('loses no event of a watch on a connection that was told to go, and no list is needed', async () => {
    const before = await plane.requestTotals();
    for (const name of ['second', 'third']) {
      await write(plane.client, name);
      await untilAllHold(name);
    }
    await plane.client.delete(
      { ...barePod('first', {}), metadata: { name: 'first', namespace: WORLD_NAMESPACE } },
      { graceSeconds: 0 },
    );
    await eventually('the deletion is known', () => {
      const names = storeOf('pods').names();
      return names.includes('first') ? notYet(names) : done(undefined);
    });
    for (const { plural, reflector } of watched) {
      const { lists, watches, restarts, state } = reflector.status();
      assert.deepEqual(
        { lists, watches, restarts: [...restarts], state },
        { lists: 1, watches: 1, restarts: [], state: 'watching' },
        plural,
      );
    }
    const totals = await plane.requestTotals();
    for (const { plural } of watched) {
      for (const [key, count] of totals) {
        if (new RegExp(`^(LIST|STREAM|WATCH) ${plural}\\b`).test(key)) assert.equal(count, before.get(key), key);
      }
    }
  });

  it('is resumed without a list when connections that were told to go are cut', async () => {
    const lists = watched.map(({ reflector }) => reflector.status().lists);
    proxy.refuse();
    assert.ok(proxy.cut() >= watched.length);
    await write(plane.client, 'fourth');
    proxy.pass();
    await untilAllHold('fourth');
    assert.deepEqual(
      watched.map(({ reflector }) => reflector.status().lists),
      lists,
    );
  });

  /** Asks until a request has to take another connection than the one before: that was told to go. */
  async function untilToldToGo(): Promise<void> {
    const accepted = proxy.accepted;
    for (let n = 0; proxy.accepted === accepted; n += 1) {
      assert.ok(n < MAX_REQUESTS, `no GOAWAY in ${n} requests`);
      const response = await transport.request({ path: '/readyz', accept: '*/*', signal: AbortSignal.timeout(10_000) });
      assert.equal(response.status, 200);
      for await (const _ of response.body) {
        // To its end.
      }
    }
  }

  async function untilAllHold(name: string): Promise<void> {
    await eventually(`every store holds ${name}`, () => {
      const lacking = watched.filter(({ store }) => !store.names().includes(name));
      return lacking.length === 0 ? done(undefined) : notYet(lacking.map(({ plural }) => plural));
    });
  }

  function storeOf(plural: string): MirrorStore<KubernetesRecord> {
    const found = watched.find((each) => each.plural === plural);
    assert.ok(found);
    return found.store;
  }
});

/** An object of every watched kind under this name. */
async function write(client: ApiClient, name: string): Promise<void> {
  await createPod(client, barePod(name, {}));
  await client.apply(service(name, { ports: [{ port: 80 }] }));
  await client.apply(object('apps/v1', 'Deployment', name, scaled(name, 1)));
  const slice = object('discovery.k8s.io/v1', 'EndpointSlice', name);
  await client.apply({ ...slice, addressType: 'IPv4', endpoints: [] });
  const { namespace: _, ...metadata } = object('v1', 'Node', name).metadata;
  await client.apply({ ...object('v1', 'Node', name), metadata });
}
