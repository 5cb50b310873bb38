// Whose container it is, asked of a digger that runs: every type of container, restarts, pods that are gone, waiting.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type ServiceError, status } from '@grpc/grpc-js';
import type { DiggerProcess } from '../observers/digger-process.ts';
import { done, eventually, notYet } from '../observers/eventually.ts';
import { errorDetails } from '../observers/rpc-error.ts';
import { Story } from './story.ts';

/** What a call failed with; `undefined`: it did not. */
async function rpcErrorOf(call: Promise<unknown>) {
  const error = await call.then(
    () => undefined,
    (thrown: ServiceError) => thrown,
  );
  if (error === undefined) return undefined;
  const details = errorDetails(error);
  const { reason, metadata = {} } = details['ErrorInfo'] ?? {};
  const [violation = {}] =
    details['BadRequest']?.['fieldViolations'] ?? details['BadRequest']?.['field_violations'] ?? [];
  return { code: error.code, reason, metadata: metadata as Record<string, string>, field: violation.field };
}

const id = (start: string): string => `containerd://${start.padEnd(64, '0')}`;

describe('16.9 a container', () => {
  let story: Story;
  let digger: DiggerProcess;

  before(async () => {
    story = await Story.begin();
    put('cart', 'aaaaaaaaaa01', '');
    digger = await story.startReadyDigger();
  });
  after(() => story?.end());

  /** The pod, whose app runs with this id after that one. */
  function put(name: string, app: string, previous: string): void {
    const { cluster } = story.simulator;
    const object = {
      metadata: { namespace: 'shop', name, labels: { app: name }, uid: `uid-of-${name}` },
      spec: {
        nodeName: 'worker-1',
        initContainers: [
          { name: 'setup', image: 'setup:1' },
          { name: 'mesh', image: 'mesh:1', restartPolicy: 'Always' },
        ],
        containers: [{ name: 'app', image: 'registry.example.com/app:2' }],
        ephemeralContainers: [{ name: 'debug', image: 'busybox' }],
      },
      status: {
        ...{ phase: 'Running', podIP: '10.244.1.210', podIPs: [{ ip: '10.244.1.210' }] },
        initContainerStatuses: [
          {
            name: 'setup',
            containerID: id('bbbbbbbbbb01'),
            state: { terminated: { containerID: id('bbbbbbbbbb01') } },
          },
          { name: 'mesh', containerID: id('bbbbbbbbbb02'), state: { running: {} } },
        ],
        containerStatuses: [
          {
            ...{ name: 'app', containerID: id(app), state: { running: {} } },
            ...(previous === '' ? {} : { lastState: { terminated: { containerID: id(previous) } } }),
          },
        ],
        ephemeralContainerStatuses: [{ name: 'debug', containerID: id('bbbbbbbbbb03'), state: { running: {} } }],
      },
    };
    if (cluster.get('pods', 'shop', name) === undefined) cluster.create('pods', object);
    else cluster.update('pods', object);
  }

  const ask = async (containerId: string, more: object = {}) =>
    (await digger.call('LookupService', 'ResolveContainer', { containerId, ...more }))['resolution'];
  const brief = async (containerId: string): Promise<string> => {
    const { pod, container, ended } = await ask(containerId);
    return `${pod.name} ${container.name} ${(container.type ?? 'ordinary').replace('CONTAINER_TYPE_', '')}${ended ? ' ended' : ''}`;
  };

  it('is found by its id, and every type is told apart', async () => {
    assert.equal(await brief('aaaaaaaaaa01'), 'cart app ordinary');
    assert.equal(await brief(id('bbbbbbbbbb01')), 'cart setup INIT ended');
    assert.equal(await brief('bbbbbbbbbb02'), 'cart mesh SIDECAR');
    assert.equal(await brief('bbbbbbbbbb03'), 'cart debug EPHEMERAL');
    const whole = await ask('aaaaaaaaaa01', { otelAttributes: {} });
    assert.equal(whole.containerId, id('aaaaaaaaaa01'));
    assert.equal(whole.workload.kind, 'Pod');
    const attributes = new Map(
      whole.otelAttributes.map((each: { key: string; value: { stringValue: string } }) => [
        each.key,
        each.value.stringValue,
      ]),
    );
    assert.equal(attributes.get('k8s.container.name'), 'app');
    assert.equal(attributes.get('container.id'), 'aaaaaaaaaa01'.padEnd(64, '0'));
    assert.equal(attributes.get('container.image.name'), 'registry.example.com/app');
    const basic = await ask('bbbbbbbbbb03', { view: 'VIEW_BASIC' });
    assert.deepEqual([basic.pod.containers ?? [], basic.container.name], [[], 'debug']);
  });

  it('is not taken for another: unknown, ambiguous and malformed ids are errors by name', async () => {
    const refused = async (containerId: string) => (await rpcErrorOf(ask(containerId))) ?? assert.fail(containerId);
    const unknown = await refused('eeeeeeeeeeee');
    assert.deepEqual([unknown.code, unknown.reason], [status.NOT_FOUND, 'CONTAINER_NOT_FOUND']);
    story.simulator.cluster.create('pods', {
      metadata: { namespace: 'shop', name: 'twin' },
      spec: { nodeName: 'worker-1', containers: [{ name: 'app', image: 'a' }] },
      status: { phase: 'Running', containerStatuses: [{ name: 'app', containerID: id('aaaaaaaaaa01f') }] },
    });
    await eventually('both are known', async () => {
      const error = await rpcErrorOf(ask('aaaaaaaaaa01'));
      return error?.reason === 'CONTAINER_ID_AMBIGUOUS' ? done(error) : notYet(error);
    }).then((error) => assert.deepEqual([error.code, error.metadata['matches']], [status.FAILED_PRECONDITION, '2']));
    assert.equal(await brief('aaaaaaaaaa01f'), 'twin app ordinary');
    story.deletePod('twin');
    for (const wrong of ['', 'a', 'aaaaaaaaaa0', 'zzzzzzzzzzzz', 'x'.repeat(10_000)]) {
      const error = await refused(wrong);
      assert.deepEqual([error.code, error.field], [status.INVALID_ARGUMENT, 'container_id'], wrong.slice(0, 20));
    }
  });

  it('that was replaced or whose pod is gone is told for the history, a batch beside those that are there', async () => {
    put('cart', 'aaaaaaaaaa02', 'aaaaaaaaaa01');
    put('cart', 'aaaaaaaaaa03', 'aaaaaaaaaa02');
    await eventually('the restarts are known', async () => {
      const told = await rpcErrorOf(ask('aaaaaaaaaa03'));
      return told === undefined ? done(undefined) : notYet(told);
    });
    assert.equal(await brief('aaaaaaaaaa03'), 'cart app ordinary');
    assert.equal(await brief('aaaaaaaaaa02'), 'cart app ordinary ended');
    assert.equal(await brief(id('aaaaaaaaaa01')), 'cart app ordinary ended', 'two restarts ago');
    const { uid } = (await ask('aaaaaaaaaa03')).pod;
    story.deletePod('cart');
    await eventually('the pod is gone', async () => {
      const { removalTime } = await ask('aaaaaaaaaa03');
      return removalTime === undefined ? notYet(removalTime) : done(undefined);
    });
    assert.equal(await brief('aaaaaaaaaa03'), 'cart app ordinary ended');
    const { results } = await digger.call('LookupService', 'BatchResolveContainers', {
      queries: [
        { containerId: id('aaaaaaaaaa01') },
        { podUid: uid },
        { containerId: 'eeeeeeeeeeee' },
        { containerId: 'a' },
        {},
      ],
    });
    assert.deepEqual(
      results.map(
        (each: { resolution: { pod: { name: string }; ended: boolean } | null; error: { code: number } | null }) =>
          each.resolution ? `${each.resolution.pod.name} ${each.resolution.ended}` : each.error?.code,
      ),
      ['cart true', 'cart true', status.NOT_FOUND, status.INVALID_ARGUMENT, status.INVALID_ARGUMENT],
    );
    const metrics = await digger.metrics();
    assert.match(metrics, /^digger_container_lookups_total\{outcome="INVALID"\} 2$/m);
    assert.match(metrics, /^digger_container_index_former_pods [1-9]/m);
  });

  it('that is not there yet is waited for, by its id and by the uid of its pod', async () => {
    const waiting = Promise.all([
      ask('cccccccccc01', { wait: { seconds: 20 } }),
      digger.call('LookupService', 'ResolveContainer', { podUid: 'uid-of-late', wait: { seconds: 20 } }),
    ]);
    await eventually('both calls wait', async () => {
      const metrics = await digger.metrics();
      return /^digger_name_waiters 2$/m.test(metrics) ? done(undefined) : notYet(metrics);
    });
    put('late', 'cccccccccc01', '');
    const [byId, byUid] = await waiting;
    assert.deepEqual([byId.pod.name, byUid['resolution'].pod.name], ['late', 'late']);
  });
});
