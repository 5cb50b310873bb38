// Before the picture is complete there is no picture: digger says what it waits for, and nothing that could be taken
// for "no object holds this address". What it waits for may come late, or never because a permission is missing.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type ServiceError, status } from '@grpc/grpc-js';
import type { Message } from '../observers/digger-client.ts';
import type { DiggerProcess } from '../observers/digger-process.ts';
import { done, eventually, notYet } from '../observers/eventually.ts';
import { errorDetails } from '../observers/rpc-error.ts';
import { assertWholeState } from '../observers/whole-state.ts';
import { Story } from './story.ts';

const QUESTIONS = [
  ['ResolveAddress', { address: '10.244.1.2' }],
  ['ResolveAddress', { address: '10.244.1.2', wait: { seconds: 5 } }],
  ['BatchResolveAddresses', { queries: [{ address: '10.244.1.2' }] }],
  ['GetPod', { namespace: 'shop', name: 'cart-redis-0' }],
  ['GetService', { namespace: 'shop', name: 'frontend' }],
  ['GetNode', { name: 'worker-1' }],
  ['GetWorkload', { apiGroup: 'apps', kind: 'StatefulSet', namespace: 'shop', name: 'cart-redis' }],
] as const;

describe('while the list of one resource is held up', () => {
  it('every question is UNAVAILABLE, names what is pending and when to ask again, until the list is there', async () => {
    await using story = await Story.begin();
    const held = story.simulator.faults.answer({ resource: 'pods', code: 429, retryAfterSeconds: 1, times: Infinity });
    const digger = await story.startDigger();
    await untilPendingIs(digger, /^list pods/);

    for (const [method, request] of QUESTIONS) {
      await assert.rejects(digger.call('LookupService', method, request), (error) => notSynced(error as ServiceError));
    }
    const subscription = digger.watch({ snapshotOnly: true });
    const refusal = await subscription.ended;
    assert.ok(refusal);
    notSynced(refusal);
    assert.deepEqual(subscription.frames, []);

    const answer = await digger.call('StatusService', 'GetStatus');
    assert.equal(answer['ready'] ?? false, false);
    const states = Object.fromEntries(resources(answer).map((each) => [each['resource'], each['synced'] ?? false]));
    assert.deepEqual([states['pods'], states['services'], states['nodes']], [false, true, true]);
    const services = ['', 'readiness', 'digger.v1.LookupService', 'digger.v1.ChangeFeedService'];
    for (const service of services) assert.equal(await digger.health(service), 'NOT_SERVING', service);
    for (const service of ['liveness', 'digger.v1.StatusService']) {
      assert.equal(await digger.health(service), 'SERVING', service);
    }
    const probe = await fetch(`http://${digger.adminAddress}/readyz`);
    assert.equal(probe.status, 503);
    assert.match(await probe.text(), /list pods/);

    held.cancel();
    await digger.untilReady();
    for (const service of services) assert.equal(await digger.health(service), 'SERVING', service);
    await story.assertWholeState(digger);
  });

  it('digger stops all the same when it is asked to', async () => {
    await using story = await Story.begin();
    story.simulator.faults.answer({ resource: 'pods', code: 429, retryAfterSeconds: 1, times: Infinity });
    const digger = await story.startDigger();
    await eventually('only pods are missing', async () => {
      const { pending } = await digger.call('StatusService', 'GetStatus');
      const left = (pending as readonly string[]).filter((each) => each.startsWith('list '));
      return left.length === 1 && left[0]?.startsWith('list pods') === true ? done(undefined) : notYet(left);
    });
    digger.terminate();
    assert.deepEqual(await digger.ended, { code: 0, signal: null }, digger.log);
  });
});

describe('while a permission is missing', () => {
  it('for a resource that lookups need, digger stays not ready and names verb and resource, until it is granted', async () => {
    await using story = await Story.begin();
    const refused = story.simulator.faults.answer({ resource: 'services', code: 403, times: Infinity });
    const digger = await story.startDigger();
    const pending = await untilPendingIs(digger, /^list services: 403 /);
    assert.match(pending, /forbidden/i);
    const services = await resource(digger, 'services');
    assert.deepEqual([services['required'], services['synced'] ?? false], [true, false]);
    assert.match(services['message'], /^(list|watch) services: 403 /);
    assert.equal(await digger.health(), 'NOT_SERVING');
    await assert.rejects(digger.resolve('10.244.1.2'), (error) => {
      const pendingThere = errorDetails(error as ServiceError)['ErrorInfo']?.['metadata']['pending'];
      assert.match(pendingThere, /services/);
      return notSynced(error as ServiceError, /services/);
    });

    refused.cancel();
    await digger.untilReady();
    await story.assertWholeState(digger);
  });

  it('for a resource that it can do without, digger is ready, says which, and marks what it cannot know', async () => {
    await using story = await Story.begin();
    // The cluster stands still, and the observer's own lists would be refused too.
    const lists = await story.readLists();
    const refused = story.simulator.faults.answer({ resource: 'deployments.apps', code: 403, times: Infinity });
    const digger = await story.startDigger();
    await digger.untilReady();
    const deployments = await resource(digger, 'deployments.apps');
    assert.deepEqual([deployments['required'] ?? false, deployments['synced'] ?? false], [false, false]);
    assert.match(deployments['message'], /^(list|watch) deployments\.apps: 403 /);
    const name = lists.pods
      .map((pod) => pod.metadata?.name ?? '')
      .find((candidate) => candidate.startsWith('coredns-'));
    const { pod } = await digger.call('LookupService', 'GetPod', { namespace: 'kube-system', name });
    const { kind, name: workload, incomplete } = pod['workload'];
    assert.deepEqual([kind, workload, incomplete], ['Deployment', 'coredns', true]);
    // The picture of a replica that may not see Deployments.
    const owners = lists.owners.filter((owner) => owner.kind !== 'Deployment');
    await assertWholeState(digger, () => Promise.resolve({ ...lists, owners }), 20_000);

    refused.cancel();
    await eventually('the Deployments are known', async () => {
      const granted = await resource(digger, 'deployments.apps');
      return granted['synced'] ? done(undefined) : notYet(granted);
    });
    await story.assertWholeState(digger);
  });
});

async function untilPendingIs(digger: DiggerProcess, only: RegExp): Promise<string> {
  return eventually(`nothing but ${only} is pending`, async () => {
    const { pending } = await digger.call('StatusService', 'GetStatus');
    const tasks = (pending as readonly string[]).filter((task) => task.startsWith('list '));
    return tasks.length === 1 && only.test(tasks[0] ?? '') ? done(tasks[0] ?? '') : notYet(pending);
  });
}

function notSynced(error: ServiceError, pending = /pods/): true {
  assert.equal(error.code, status.UNAVAILABLE, String(error));
  const { ErrorInfo, RetryInfo } = errorDetails(error);
  assert.deepEqual([ErrorInfo?.['reason'], ErrorInfo?.['domain']], ['NOT_SYNCED', 'digger'], String(error));
  assert.match(ErrorInfo?.['metadata']['pending'], pending);
  assert.ok(RetryInfo?.['retry_delay'], 'says when to ask again');
  return true;
}

async function resource(digger: DiggerProcess, name: string): Promise<Message> {
  const found = resources(await digger.call('StatusService', 'GetStatus')).find((each) => each['resource'] === name);
  assert.ok(found, `${name} is in GetStatus`);
  return found;
}

function resources(answer: Message): readonly Message[] {
  return answer['resources'] as readonly Message[];
}
