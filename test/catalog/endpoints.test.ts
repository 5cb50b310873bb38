// Endpoints are what their addresses are: a pod's, a node's, or neither.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { EndpointSliceRecord, KubernetesRecord } from '../../src/model/kubernetes/records.ts';
import { brief, decode, Harness } from './harness.ts';
import { type Listed, node, pod, service, slice, targetOf } from './records.ts';

const UPF = pod('upf', { podIps: ['10.0.0.7'] });
const ACTIVATOR = pod('activator', { namespace: 'knative', podIps: ['10.0.0.8'] });
const SERVICE = service('db');

/** Every order of a few records. */
function orders(records: readonly KubernetesRecord[]): KubernetesRecord[][] {
  if (records.length < 2) return [[...records]];
  return records.flatMap((first) => orders(records.filter((each) => each !== first)).map((rest) => [first, ...rest]));
}

/** What the service and the pods come to is the same in every order of arrival. */
async function inEveryOrder(records: readonly KubernetesRecord[], check: (harness: Harness) => void): Promise<void> {
  for (const order of orders(records)) {
    const harness = await Harness.open();
    harness.put(...order);
    check(harness);
  }
}

function services(harness: Harness, namespace: string, name: string): string[] {
  const entity = harness.catalog.pod(namespace, name) ?? assert.fail(`no pod ${name}`);
  return ((decode(entity)['services'] ?? []) as { kind: string; name: string; incomplete: boolean }[]).map(brief);
}

const listing = (...listed: Listed[]) => slice('db-a', 'db', listed);

function madeByKubernetes(made: EndpointSliceRecord): EndpointSliceRecord {
  return {
    ...made,
    labels: { 'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io' },
    controller: { apiVersion: 'v1', kind: 'Service', name: made.serviceName, uid: SERVICE.uid },
  };
}

describe('an endpoint', () => {
  it('14.14: at a pod’s own address makes the pod a member without a target', async () => {
    await inEveryOrder([SERVICE, UPF, listing({ addresses: ['10.0.0.7'] })], (harness) => {
      assert.deepEqual(services(harness, 'shop', 'upf'), ['Service db']);
      assert.deepEqual(harness.service('db').workloads.map(brief), ['Pod upf']);
      assert.deepEqual(harness.service('db').manualEndpoints, []);
    });
  });

  it('14.14: whose target is not in this cluster is an endpoint like any other', async () => {
    const target = { kind: 'Pod', namespace: 'shop', name: 'far', uid: 'uid-far' };
    await inEveryOrder([SERVICE, UPF, listing({ addresses: ['10.9.9.9'], target })], (harness) => {
      assert.deepEqual(harness.service('db').manualEndpoints, ['10.9.9.9']);
    });
  });

  it('14.14: at an address beside the pod’s own is the pod’s further address', async () => {
    await inEveryOrder([SERVICE, UPF, listing({ addresses: ['192.168.90.7'], target: targetOf(UPF) })], (harness) => {
      assert.deepEqual(harness.pod('upf').endpointAddresses, ['192.168.90.7']);
      assert.deepEqual(decode(harness.pod('upf'))['endpointAddresses'], ['192.168.90.7']);
      assert.deepEqual(services(harness, 'shop', 'upf'), ['Service db']);
      assert.deepEqual(harness.service('db').manualEndpoints, []);
    });
  });

  it('14.14: at a node’s address is the node, whatever its target says', async () => {
    const home = node('n', { addresses: [{ type: 'InternalIP', address: '192.168.0.1' }] });
    const target = { kind: 'Pod', namespace: 'shop', name: 'far', uid: 'uid-far' };
    const listed = [{ addresses: ['192.168.0.1'] }, { addresses: ['192.168.0.1'], target }];
    await inEveryOrder([SERVICE, home, listing(...listed)], (harness) => {
      assert.deepEqual(harness.service('db').manualEndpoints, []);
      harness.remove(home);
      assert.deepEqual(harness.service('db').manualEndpoints, ['192.168.0.1']);
    });
  });

  it('14.14: at the address of a finished pod is no pod’s', async () => {
    const done = { ...UPF, phase: 'Succeeded' };
    await inEveryOrder([SERVICE, done, listing({ addresses: ['10.0.0.7'] })], (harness) => {
      assert.deepEqual(harness.service('db').manualEndpoints, ['10.0.0.7']);
      harness.put(UPF);
      assert.deepEqual(services(harness, 'shop', 'upf'), ['Service db']);
    });
  });

  it('14.9: that names another namespace’s pod at an address that is not the pod’s says nothing of the pod', async () => {
    const listed = { addresses: ['203.0.113.9'], target: targetOf(ACTIVATOR) };
    await inEveryOrder([SERVICE, ACTIVATOR, listing(listed)], (harness) => {
      assert.deepEqual(services(harness, 'knative', 'activator'), []);
      assert.deepEqual(harness.service('db').workloads, []);
      assert.deepEqual(harness.service('db').manualEndpoints, ['203.0.113.9']);
    });
  });

  it('14.9: at the address of another namespace’s pod leads to its workload, and writes nothing into the pod', async () => {
    for (const listed of [{ addresses: ['10.0.0.8'] }, { addresses: ['10.0.0.8'], target: targetOf(ACTIVATOR) }]) {
      await inEveryOrder([SERVICE, ACTIVATOR, listing(listed)], (harness) => {
        assert.deepEqual(services(harness, 'knative', 'activator'), []);
        assert.deepEqual(harness.service('db').workloads.map(brief), ['Pod activator']);
        assert.deepEqual(harness.service('db').manualEndpoints, []);
      });
    }
  });

  it('14.9: of a slice that only looks like Kubernetes’ own names no pod of another namespace, even under a false namespace', async () => {
    const target = { ...targetOf(ACTIVATOR), namespace: 'shop' };
    const made = madeByKubernetes(listing({ addresses: ['10.0.0.99'], target }));
    await inEveryOrder([SERVICE, ACTIVATOR, made], (harness) => {
      assert.deepEqual(services(harness, 'knative', 'activator'), []);
      assert.deepEqual(harness.service('db').workloads, []);
    });
  });

  it('14.14: that Kubernetes made from a pod is the pod and nothing else, while two watches are not equally far', async () => {
    const harness = await Harness.open(SERVICE);
    harness.put(madeByKubernetes(listing({ addresses: ['10.0.0.7'], target: targetOf(UPF) })));
    assert.deepEqual([harness.told(), harness.service('db').manualEndpoints], [[], []]);
    harness.put({ ...UPF, podIps: [] });
    assert.deepEqual(services(harness, 'shop', 'upf'), ['Service db']);
    assert.equal(harness.pod('upf').endpointAddresses, undefined);
    harness.remove(UPF);
    assert.deepEqual(harness.service('db').manualEndpoints, []);
  });
});
