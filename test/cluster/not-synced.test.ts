// Before the picture is complete there is no picture: every question is answered with UNAVAILABLE and what is pending,
// never with "unknown", and never with half of the truth.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type ServiceError, status } from '@grpc/grpc-js';
import type { DiggerProcess } from '../observers/digger-process.ts';
import { done, eventually, notYet } from '../observers/eventually.ts';
import { errorDetails } from '../observers/rpc-error.ts';
import { Scene } from './scene.ts';
import type { TcpProxy } from './tcp-proxy.ts';
import { assertWholeState } from '../observers/whole-state.ts';
import { barePod, createPod, object, WORLD_NAMESPACE } from './world.ts';

describe('before the first list is complete', () => {
  let scene: Scene;
  let proxy: TcpProxy;
  let digger: DiggerProcess;

  before(async () => {
    scene = await Scene.set({ proxied: true });
    assert.ok(scene.proxy);
    proxy = scene.proxy;
    await scene.plane.client.apply(object('v1', 'Namespace', WORLD_NAMESPACE));
    await createPod(scene.plane.client, barePod('early', {}));
    // The API server accepts connections and never says a word.
    proxy.hold();
    digger = await scene.startDigger();
  });
  after(async () => scene?.strike());

  for (const [method, request] of [
    ['ResolveAddress', { address: '10.128.0.1' }],
    ['BatchResolveAddresses', { queries: [{ address: '10.128.0.1' }] }],
    ['GetPod', { namespace: WORLD_NAMESPACE, name: 'early' }],
    ['GetService', { namespace: 'default', name: 'kubernetes' }],
    ['GetNode', { name: 'node-a' }],
    ['GetWorkload', { apiGroup: 'apps', kind: 'Deployment', namespace: WORLD_NAMESPACE, name: 'web' }],
  ] as const) {
    it(`${method} is UNAVAILABLE, names what is pending and when to ask again`, async () => {
      await assert.rejects(digger.call('LookupService', method, request), (error) => notSynced(error as ServiceError));
    });
  }

  it('Watch is UNAVAILABLE, names what is pending and when to ask again', async () => {
    const subscription = digger.watch({ snapshotOnly: true });
    const error = await subscription.ended;
    assert.ok(error, 'the stream fails');
    notSynced(error);
    assert.deepEqual(subscription.frames, []);
  });

  it('GetStatus answers, and says so too', async () => {
    const answer = await digger.call('StatusService', 'GetStatus');
    assert.equal(answer['ready'] ?? false, false);
    assert.match(answer['pending'].join(' '), /pods/);
    assert.match(answer['pending'].join(' '), /services/);
  });

  it('is over as soon as the lists are complete', async () => {
    proxy.pass();
    await digger.untilReady();
    await eventually('the pod answers', async () => {
      const pods = (await scene.readLists()).pods;
      const ip = pods.find((pod) => pod.metadata?.name === 'early')?.status?.podIP;
      const resolution = ip ? await digger.resolve(ip) : undefined;
      return resolution?.['pod']?.['name'] === 'early' ? done(undefined) : notYet({ ip, resolution });
    });
    await assertWholeState(digger, scene.readLists);
  });
});

function notSynced(error: ServiceError): true {
  assert.equal(error.code, status.UNAVAILABLE, String(error));
  const { ErrorInfo, RetryInfo } = errorDetails(error);
  assert.equal(ErrorInfo?.['reason'], 'NOT_SYNCED', String(error));
  assert.equal(ErrorInfo['domain'], 'digger');
  assert.match(ErrorInfo['metadata']['pending'], /pods/);
  assert.ok(RetryInfo?.['retry_delay'], 'says when to ask again');
  return true;
}
