// What differs between versions of Kubernetes, on the version that KUBERNETES names (the newest without it): how the
// first list comes, which endpoints there are, and who tells the ranges of services.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { systemClock } from '../../src/kube/clock.ts';
import { createCredentials } from '../../src/kube/credentials/credentials.ts';
import { toFailure } from '../../src/kube/reflector/failure.ts';
import { requestList } from '../../src/kube/reflector/requests.ts';
import { pods } from '../../src/kube/resources.ts';
import { createTransport } from '../../src/kube/transport/transport.ts';
import type { Message } from '../observers/digger-client.ts';
import type { DiggerProcess } from '../observers/digger-process.ts';
import { done, eventually, notYet } from '../observers/eventually.ts';
import { assertWholeState } from '../observers/whole-state.ts';
import { chosenVersion } from './binaries.ts';
import type { ControlPlaneOptions } from './control-plane.ts';
import { Scene } from './scene.ts';
import { barePod, createPod, object, service, WORLD_NAMESPACE } from './world.ts';

const version = chosenVersion();
const minor = Number(version.split('.')[1]);
/** Lists are streamed by default from here on (KEP-3157); before, the gate has to be opened. */
const STREAMS_SINCE = 34;

const SERVERS: readonly {
  readonly name: string;
  readonly options: ControlPlaneOptions;
  readonly streams: boolean;
}[] = [
  { name: 'as it comes', options: {}, streams: minor >= STREAMS_SINCE },
  {
    name: `whose lists are ${minor >= STREAMS_SINCE ? 'not ' : ''}streamed`,
    options: { featureGates: { WatchList: minor < STREAMS_SINCE } },
    streams: minor < STREAMS_SINCE,
  },
];

for (const { name, options, streams } of SERVERS) {
  describe(`kube-apiserver ${version} ${name}`, () => {
    let scene: Scene;
    let digger: DiggerProcess;

    before(async () => {
      scene = await Scene.set({ controllers: false, ...options });
      const { client } = scene.plane;
      await client.apply(object('v1', 'Namespace', WORLD_NAMESPACE));
      await client.apply(object('v1', 'ServiceAccount', 'default'));
      await createPod(client, barePod('first', {}));
      await client.apply(service('front', { ports: [{ port: 80 }] }));
      await untilRunning(['first']);
    });
    after(async () => scene?.strike());

    it('is the version that was asked for', async () => {
      const { body } = await scene.plane.client.raw('GET', '/version');
      assert.equal((JSON.parse(body) as { readonly gitVersion: string }).gitVersion, version);
    });

    it(`gives the first list ${streams ? 'as a stream' : 'in pages'}, and then changes`, async () => {
      const earlier = await scene.plane.requestTotals();
      digger = await scene.startDigger();
      await digger.untilReady();
      const totals = await scene.plane.requestTotals();
      for (const resource of ['replicationcontrollers', 'endpointslices.discovery.k8s.io']) {
        const more = (verb: string): number =>
          (totals.get(`${verb} ${resource}`) ?? 0) - (earlier.get(`${verb} ${resource}`) ?? 0);
        const wanted = { streams: streams ? 1 : 0, lists: streams ? 0 : 1 };
        assert.deepEqual({ streams: more('STREAM'), lists: more('LIST') }, wanted, resource);
      }
      await createPod(scene.plane.client, barePod('second', {}));
      await untilRunning(['first', 'second']);
      await assertWholeState(digger, scene.readLists);
    });

    it('gives one object not older than a version that it has reached, and refuses one that it has not', async () => {
      const { adminKubeconfig: kubeconfig } = scene.plane;
      const credentials = createCredentials({ kubeconfig, clock: systemClock });
      const transport = createTransport({ credentials, userAgent: 'digger/test' });
      try {
        const signal = AbortSignal.timeout(30_000);
        const context = { transport, resource: pods, namespace: undefined, signal, onContact: () => {} };
        const one = (resourceVersion: string) =>
          requestList(context, { resourceVersion, limit: 1, continueToken: '' }, () => {});
        const { resourceVersion } = await one('');
        await one(resourceVersion);
        // What a server that was restored from a backup says.
        await assert.rejects(
          one(String(BigInt(resourceVersion) + 1_000_000n)),
          (error) => toFailure(error).kind === 'version_too_large',
        );
      } finally {
        await transport.close();
      }
    });

    it('tells the ranges of services by ServiceCIDR objects', async () => {
      const range = object('networking.k8s.io/v1', 'ServiceCIDR', 'more', { cidrs: ['10.97.0.0/24'] });
      const { namespace: _, ...metadata } = range.metadata;
      await untilOutcome('10.97.0.7', 'OUTCOME_EXTERNAL');
      await untilOutcome('10.96.200.7', 'OUTCOME_UNASSIGNED');
      await scene.plane.client.apply({ ...range, metadata });
      await untilOutcome('10.97.0.7', 'OUTCOME_UNASSIGNED');
    });

    it('is caught up with after a restart', async () => {
      await scene.kubelet.stop();
      await scene.plane.killApiServer();
      await scene.plane.startApiServer();
      await scene.plane.client.apply(service('late', { ports: [{ port: 80 }] }));
      await eventually('the change is known', async () => {
        const request = { namespace: WORLD_NAMESPACE, name: 'late' };
        return done(await digger.call('LookupService', 'GetService', request));
      });
      await assertWholeState(digger, scene.readLists);
    });

    async function untilRunning(names: readonly string[]): Promise<void> {
      await eventually('the pods run', async () => {
        const pods = (await scene.readLists()).pods;
        const running = pods.filter((pod) => pod.status?.phase === 'Running').map((pod) => pod.metadata?.name ?? '');
        return running.toSorted().join() === names.join() ? done(undefined) : notYet(running);
      });
    }

    async function untilOutcome(address: string, outcome: string): Promise<void> {
      await eventually(`${address} is ${outcome}`, async () => {
        const resolution = await digger.resolve(address);
        return resolution['outcome'] === outcome ? done(undefined) : notYet(resolution);
      });
    }
  });
}

// From here on kube-apiserver is not ready without EndpointSlices: it reads them itself.
const NEEDS_SLICES_SINCE = 35;

if (minor < NEEDS_SLICES_SINCE) {
  describe(`kube-apiserver ${version} without EndpointSlices`, () => {
    let scene: Scene;

    before(async () => {
      scene = await Scene.set({ controllers: false, apiServerArgs: ['--runtime-config=discovery.k8s.io/v1=false'] });
    });
    after(async () => scene?.strike());

    it('is read for Endpoints', async () => {
      const lists = async () => (await scene.plane.requestTotals()).get('LIST endpoints') ?? 0;
      const earlier = await lists();
      // deploy/base does not grant Endpoints.
      const digger = await scene.startDigger([], scene.plane.adminKubeconfig);
      await digger.untilReady();
      assert.equal(await lists(), earlier + 1);
      const { resources } = await digger.call('StatusService', 'GetStatus');
      const status = (resources as readonly Message[]).find(({ resource }) =>
        (resource as string).startsWith('endpoint'),
      );
      assert.equal(status?.['synced'], true, JSON.stringify(status));
    });
  });
}
