// Waiting for an object by name.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { ChangeBatch } from '../../../src/model/changes.ts';
import type { Entity } from '../../../src/model/entities.ts';
import { entityKey, NameWaiterTable, workloadKey } from '../../../src/rpc/methods/name-waiters.ts';
import { fakePod, fakeReference } from '../fake-picture.ts';

function batch(resource: string, ...entities: readonly Entity[]): ChangeBatch {
  return {
    changes: entities.map((after, index) => ({ sequence: index + 1, before: undefined, after })),
    seen: { atMs: 0 },
    position: { resource, resourceVersion: '1' },
  };
}

const WEB = entityKey('Pod', 'default', 'web-0');
const POD = fakePod('web-0', fakeReference('web'));

describe('callers that wait for a name', () => {
  it('are all woken when the object comes, and others are not', async () => {
    const names = new NameWaiterTable(10);
    const { signal } = new AbortController();
    const woken = [names.waitForName(WEB, signal), names.waitForName(WEB, signal)];
    const other = names.waitForName(entityKey('Pod', 'default', 'web-1'), AbortSignal.abort());
    names.onChanges(batch('pods', POD));
    assert.deepEqual(await Promise.all(woken), [true, true]);
    assert.equal(await other, false);
    assert.equal(names.size, 0);
  });

  it('are let go when their signal aborts', async () => {
    const names = new NameWaiterTable(10);
    const controller = new AbortController();
    const waiting = names.waitForName(WEB, controller.signal);
    assert.equal(names.size, 1);
    controller.abort();
    assert.equal(await waiting, false);
    assert.equal(names.size, 0);
    names.onChanges(batch('pods', POD));
  });

  it('are refused beyond the bound, and counted', () => {
    const names = new NameWaiterTable(1);
    const controller = new AbortController();
    const first = names.waitForName(WEB, controller.signal);
    assert.ok(first instanceof Promise);
    assert.equal(names.waitForName(WEB, controller.signal), undefined);
    assert.deepEqual([names.size, names.refused], [1, 1]);
    controller.abort();
  });

  it('for a workload are woken by changes of owners that no entity tells of, not by those of pods', async () => {
    const names = new NameWaiterTable(10);
    const { signal } = new AbortController();
    const waiting = names.waitForName(workloadKey('apps', 'ReplicaSet', 'default', 'web-1'), signal);
    names.onChanges(batch('pods', POD));
    assert.equal(names.size, 1);
    names.onChanges(batch('replicasets.apps'));
    assert.equal(await waiting, true);
  });

  it('for a pod that is its own workload are woken by the pod', async () => {
    const names = new NameWaiterTable(10);
    const waiting = names.waitForName(workloadKey('', 'Pod', 'default', 'web-0'), new AbortController().signal);
    names.onChanges(batch('pods', POD));
    assert.equal(await waiting, true);
  });
});
