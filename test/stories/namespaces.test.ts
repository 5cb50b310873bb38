// Namespaces beside a cluster: their labels are told once, with whatever lies in them, and filters follow them.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type ServiceError, status } from '@grpc/grpc-js';
import type { Message } from '../observers/digger-client.ts';
import type { DiggerProcess } from '../observers/digger-process.ts';
import { done, eventually, notYet } from '../observers/eventually.ts';
import { FeedCopy } from '../observers/feed-copy.ts';
import { errorDetails } from '../observers/rpc-error.ts';
import { Story, untilTold } from './story.ts';

describe('16.1 a namespace', () => {
  let story: Story;
  let digger: DiggerProcess;

  before(async () => {
    story = await Story.begin();
    digger = await story.startReadyDigger();
  });
  after(() => story?.end());

  it('is found by name, and with everything that lies in it', async () => {
    const { namespace } = await digger.call('LookupService', 'GetNamespace', { name: 'payments' });
    assert.equal(namespace['labels']['pci-scope'], 'in');
    const pod = await digger.call('LookupService', 'GetPod', { namespace: 'payments', name: 'ledger-0' });
    assert.equal(pod['namespace']['labels']['team'], 'money');
    const service = await digger.call('LookupService', 'GetService', { namespace: 'payments', name: 'api' });
    assert.equal(service['namespace']['uid'], namespace['uid']);
    const workload = await digger.call('LookupService', 'GetWorkload', {
      ...{ apiGroup: 'apps', kind: 'StatefulSet', namespace: 'payments', name: 'ledger' },
    });
    assert.equal(workload['namespace']['uid'], namespace['uid']);
  });

  it('is told once in an answer, however many objects of it the answer has, and not in a basic one', async () => {
    const address = story.demo.wellKnown.statefulPod.ip;
    const one = await digger.call('LookupService', 'ResolveAddress', { address });
    assert.deepEqual(names(one), ['shop']);
    const queries = [address, address, '10.96.20.10', '10.96.30.10', '172.18.0.3', '8.8.8.8'].map((each) => ({
      address: each,
    }));
    const many = await digger.call('LookupService', 'BatchResolveAddresses', { queries });
    assert.deepEqual(names(many).toSorted(), ['kube-system', 'monitoring', 'payments', 'shop']);
    const basic = await digger.call('LookupService', 'ResolveAddress', { address, view: 'VIEW_BASIC' });
    assert.deepEqual(names(basic), []);
  });

  it('changes once in the feed when its labels change, and nothing in it changes', async () => {
    const copy = await story.subscribe(digger);
    label('shop', { env: 'prod', tier: 'gold' });
    await untilTold(copy, ['upsert namespace /shop']);
    assert.deepEqual(copy.changesAfterSnapshot, ['upsert namespace /shop']);
    const pod = await digger.call('LookupService', 'GetPod', { namespace: 'shop', name: 'cart-redis-0' });
    assert.equal(pod['namespace']['labels']['tier'], 'gold');
    label('shop', {});
    await story.assertWholeState(digger);
  });

  it('enters and leaves a filter by its labels, and all that lies in it with it', async () => {
    const copy = new FeedCopy(digger, {
      filter: { namespaceSelector: 'env in (test),!frozen', kinds: ['ENTITY_KIND_NAMESPACE', 'ENTITY_KIND_SERVICE'] },
      heartbeatInterval: { seconds: 1 },
    });
    await copy.untilSynced();
    assert.deepEqual(shown(copy), ['namespace batch']);
    label('media', { env: 'test' });
    const ofMedia = (await story.readLists()).services.filter(({ metadata }) => metadata?.namespace === 'media');
    assert.ok(ofMedia.length > 0);
    await eventually('it has entered', () => {
      const all = shown(copy);
      return all.length === 2 + ofMedia.length ? done(undefined) : notYet(all);
    });
    label('media', { env: 'test', frozen: '' });
    await eventually('it has left', () => (shown(copy).length === 1 ? done(undefined) : notYet(shown(copy))));
    label('media', {});
  });

  it('refuses a selector that is none, and says what is wrong with it', async () => {
    for (const namespaceSelector of ['env in prod', 'a,', `a=${'x'.repeat(5_000)}`]) {
      const error = (await digger.watch({ filter: { namespaceSelector } }).ended) as ServiceError;
      assert.equal(error.code, status.INVALID_ARGUMENT);
      assert.match(error.details, /^filter\.namespace_selector: /);
      assert.ok(error.details.length < 400);
    }
  });

  it('goes, and comes back under its name as another one', async () => {
    const copy = await story.subscribe(digger);
    story.simulator.cluster.create('namespaces', { metadata: { name: 'brief', labels: { age: '1' } } });
    await untilTold(copy, ['upsert namespace /brief']);
    story.simulator.cluster.delete('namespaces', undefined, 'brief');
    story.simulator.cluster.create('namespaces', { metadata: { name: 'brief', labels: { age: '2' } } });
    await untilTold(copy, ['removal namespace /brief']);
    await eventually('the second is there', async () => {
      const { namespace } = await digger.call('LookupService', 'GetNamespace', { name: 'brief' });
      return namespace['labels']['age'] === '2' ? done(undefined) : notYet(namespace);
    });
    story.simulator.cluster.delete('namespaces', undefined, 'brief');
    await story.assertWholeState(digger);
  });

  /** Beside those that it was made with. */
  function label(name: string, labels: Record<string, string>): void {
    story.simulator.cluster.update('namespaces', {
      ...story.simulator.cluster.get('namespaces', undefined, name),
      metadata: { name, labels: { 'kubernetes.io/metadata.name': name, ...labels } },
    });
  }
});

describe('16.1 without the right to list namespaces', () => {
  it('everything else works, GetStatus names the right, and questions that need them are refused', async () => {
    await using story = await Story.begin();
    const lists = await story.readLists();
    const refused = story.simulator.faults.answer({ resource: 'namespaces', code: 403, times: Infinity });
    const digger = await story.startDigger();
    await digger.untilReady();
    const { resources } = await digger.call('StatusService', 'GetStatus');
    const told = (resources as Message[]).find(({ resource }) => resource === 'namespaces');
    assert.deepEqual([told?.['required'] ?? false, told?.['synced'] ?? false], [false, false]);
    assert.match(told?.['message'], /^(list|watch) namespaces: 403 /);
    const pod = await digger.call('LookupService', 'GetPod', { namespace: 'payments', name: 'ledger-0' });
    assert.equal(pod['namespace'] ?? undefined, undefined);
    for (const failed of [
      digger.call('LookupService', 'GetNamespace', { name: 'shop' }).then(
        () => undefined,
        (error: unknown) => error,
      ),
      digger.watch({ filter: { namespaceSelector: 'env' } }).ended,
    ]) {
      const error = (await failed) as ServiceError;
      assert.equal(error.code, status.FAILED_PRECONDITION);
      assert.equal(errorDetails(error)['ErrorInfo']?.['reason'], 'NAMESPACES_UNKNOWN');
    }
    refused.cancel();
    await eventually('they are known', async () => {
      const answer = await digger
        .call('LookupService', 'GetNamespace', { name: 'shop' })
        .catch((error: unknown) => error);
      return answer instanceof Error ? notYet(answer) : done(undefined);
    });
    assert.equal((await story.readLists()).namespaces.length, lists.namespaces.length);
    await story.assertWholeState(digger);
  });
});

describe('16.1 where only some namespaces are watched', () => {
  it('each of them is asked for by its own name, and others are not known', async () => {
    await using story = await Story.begin();
    const digger = await story.startDigger('--namespace', 'shop', '--namespace', 'media');
    await digger.untilReady();
    const { namespace } = await digger.call('LookupService', 'GetNamespace', { name: 'shop' });
    assert.equal(namespace['labels']['team'], 'storefront');
    const copy = new FeedCopy(digger, { filter: { kinds: ['ENTITY_KIND_NAMESPACE'] } });
    await copy.untilSynced();
    assert.deepEqual(shown(copy), ['namespace media', 'namespace shop']);
    const error = await digger.call('LookupService', 'GetNamespace', { name: 'payments' }).then(
      () => undefined,
      (failure: unknown) => failure as ServiceError,
    );
    assert.equal(errorDetails(error as ServiceError)['ErrorInfo']?.['reason'], 'NAMESPACE_NOT_WATCHED');
    const asked = story.simulator.requests.entries({ resource: 'namespaces' });
    assert.ok(asked.length >= 2);
    // The last one for the uid of the cluster.
    for (const { parameters } of asked)
      assert.match(parameters['fieldSelector'] ?? '', /^metadata\.name=(shop|media|kube-system)$/);
  });
});

function names(answer: Message): string[] {
  return ((answer['namespaces'] ?? []) as Message[]).map(({ name }) => String(name));
}

function shown(copy: FeedCopy): string[] {
  return [...copy.entities].map(([key, { name }]) => `${key.split(' ')[0]} ${name}`).toSorted();
}
