// What a real API server makes of a version that it has not reached, as after its storage was restored from a backup.
//
// A list from it is refused. A watch is accepted and silent: no event and no bookmark, which come to every other watch.
// This is why version-doubt.ts asks for a list before a watch goes on; it takes the minute and a quarter in which a
// bookmark has to come.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../src/kube/clock.ts';
import { createCredentials } from '../../src/kube/credentials/credentials.ts';
import { toFailure } from '../../src/kube/reflector/failure.ts';
import { requestList, requestWatch } from '../../src/kube/reflector/requests.ts';
import { pods as resource } from '../../src/kube/resources.ts';
import { createTransport } from '../../src/kube/transport/transport.ts';
import { ControlPlane } from '../cluster/control-plane.ts';
import { done, eventually, notYet } from '../observers/eventually.ts';

const AHEAD = 1_000_000n;

test('a list from a version of the future is refused, and a watch from it hears nothing', {
  timeout: 300_000,
}, async () => {
  await using plane = await ControlPlane.start({ controllers: false });
  const credentials = createCredentials({ kubeconfig: plane.adminKubeconfig, clock: systemClock });
  const transport = createTransport({ credentials, userAgent: 'digger/test' });
  const stopping = new AbortController();
  const context = { transport, resource, namespace: undefined, signal: stopping.signal, onContact: () => {} };
  const { resourceVersion } = await requestList(
    context,
    { resourceVersion: '', limit: 0, continueToken: '' },
    () => {},
  );
  const future = String(BigInt(resourceVersion) + AHEAD);

  const refused = requestList(context, { resourceVersion: future, limit: 0, continueToken: '' }, () => {});
  await assert.rejects(refused, (error) => toFailure(error).kind === 'version_too_large');

  const heard = { now: [] as string[], future: [] as string[] };
  const follow = async (version: string, types: string[]) => {
    const query = { resourceVersion: version, timeoutSeconds: 200, sendInitialEvents: false };
    for await (const events of (await requestWatch(context, query)).events)
      types.push(...events.map(({ type }) => type));
  };
  const watches = [follow(resourceVersion, heard.now), follow(future, heard.future)];
  const stopped = Promise.allSettled(watches);
  try {
    await plane.client.create({
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: 'default', namespace: 'default' },
    });
    await plane.client.create({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'a', namespace: 'default' },
      spec: { containers: [{ name: 'c', image: 'i' }] },
    });
    await eventually(
      'the watch from now hears of the pod, and gets a bookmark',
      () => (heard.now.includes('ADDED') && heard.now.includes('BOOKMARK') ? done(undefined) : notYet(heard)),
      { deadlineMs: 150_000 },
    );
    assert.deepEqual(heard.future, []);
  } finally {
    stopping.abort();
    await stopped;
    await transport.close();
  }
});
