// A history that outlives the processes that saw it: replicas are replaced one after the other, each takes over what
// its sibling knows, and questions about the past are answered as before.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { connect } from '../../src/client/index.ts';
import type { OwnerReference } from '../../src/simulator/server/stored-objects.ts';
import type { Message } from '../observers/digger-client.ts';
import type { DiggerProcess } from '../observers/digger-process.ts';
import { done, eventually, notYet } from '../observers/eventually.ts';
import { Story } from './story.ts';

/** What an answer says of a moment, without what differs between replicas by milliseconds. */
interface Told {
  readonly outcome: string;
  readonly holder: string;
  readonly workload: string;
  readonly role: string;
}

describe('15.8 a history that is handed over', () => {
  it('answers about moments before a rolling restart as before it, and history_since does not move', async () => {
    await using story = await Story.begin();
    const questions = await play(story, await story.startReadyDigger());
    const [first] = story.diggers as [DiggerProcess];
    const expected = await ask(first, questions);
    assert.deepEqual(
      new Set(expected.map(({ outcome }) => outcome)),
      new Set(['OUTCOME_RESOLVED', 'OUTCOME_UNASSIGNED']),
    );
    const since = await historySince(first);
    // Beside it a second one begins, then both are replaced, one after the other, and then again.
    let there = await story.startReadyDigger('--history-from', first.address);
    let other = first;
    for (let round = 0; round < 2; round++) {
      assert.deepEqual(await ask(there, questions), expected, `round ${round}`);
      assert.equal(await historySince(there), since, `round ${round}`);
      await assertReplicaKnows(there, questions, expected);
      const inherited = (await there.call('StatusService', 'GetStatus'))['inheritedHistory'] as Message;
      assert.equal(inherited['from'], other.address);
      assert.ok(Number(inherited['claims']) >= 2, JSON.stringify(inherited));
      await other.stop();
      other = there;
      there = await story.startReadyDigger('--history-from', other.address);
    }
    await story.assertWholeState(there);
  });

  it('moves history_since without a sibling, and says why', async () => {
    await using story = await Story.begin();
    const questions = await play(story, await story.startReadyDigger());
    const [first] = story.diggers as [DiggerProcess];
    const since = await historySince(first);
    await first.stop();
    const alone = await story.startReadyDigger('--history-from', first.address, '--history-from-wait', '1s');
    for (const { outcome } of await ask(alone, questions)) assert.equal(outcome, 'OUTCOME_UNKNOWN');
    assert.ok((await historySince(alone)) > since);
    const { inheritedHistory } = await alone.call('StatusService', 'GetStatus');
    const { from, message } = inheritedHistory as Message;
    assert.equal(from, '');
    assert.match(String(message), new RegExp(`${first.address}: UNAVAILABLE`));
    const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, [
      main,
      'status',
      '-o',
      'wide',
      '--address',
      alone.address,
    ]);
    assert.match(stdout, new RegExp(`^history of siblings not taken over: ${first.address}: UNAVAILABLE`, 'm'));
  });

  it('tells the owners that are gone: a pod that outlives its Deployment keeps its workload at a replica that starts', async () => {
    await using story = await Story.begin();
    const first = await story.startReadyDigger();
    const { cluster } = story.simulator;
    const meta = (name: string, controller?: OwnerReference) => ({
      metadata: { namespace: 'shop', name, ...(controller && { ownerReferences: [controller] }) },
    });
    const top = cluster.create('deployments', meta('leaving'));
    const link = cluster.create('replicasets', meta('leaving-1', controllerOf('Deployment', top)));
    const ip = story.createPod('orphan', 213, { controller: controllerOf('ReplicaSet', link) });
    await untilHeldBy(first, ip, 'orphan');
    cluster.delete('deployments', 'shop', 'leaving');
    cluster.delete('replicasets', 'shop', 'leaving-1');
    const expected = ['Deployment shop/leaving', 'ReplicaSet shop/leaving-1'];
    const owners = async (digger: DiggerProcess): Promise<readonly string[]> => {
      const { pod } = await digger.call('LookupService', 'GetPod', { namespace: 'shop', name: 'orphan' });
      const { workload, ownerChain } = pod as { workload: Message; ownerChain: readonly Message[] };
      const brief = ({ kind, namespace, name, incomplete }: Message): string =>
        `${String(kind)} ${String(namespace)}/${String(name)}${incomplete === true ? '?' : ''}`;
      return [workload, ...ownerChain.slice(0, 1)].map(brief);
    };
    assert.deepEqual(await owners(first), expected);
    const alone = await story.startReadyDigger();
    assert.deepEqual(await owners(alone), ['ReplicaSet shop/leaving-1?', 'ReplicaSet shop/leaving-1?'], 'by itself');
    // From one to the next, as in a rolling update.
    const second = await story.startReadyDigger('--history-from', first.address);
    await first.stop();
    const third = await story.startReadyDigger('--history-from', second.address);
    for (const each of [second, third]) assert.deepEqual(await owners(each), expected);
    const late = story.createPod('late', 214, { controller: controllerOf('ReplicaSet', link) });
    await untilHeldBy(third, late, 'late');
    const { resolution } = await third.call('LookupService', 'ResolveAddress', { address: late });
    const { workload } = resolution as { workload: Message };
    assert.deepEqual(
      [workload['kind'], workload['name'], workload['incomplete'] ?? false],
      ['Deployment', 'leaving', false],
    );
  });

  it('is not taken from a sibling that hides fewer namespaces: their names would come with it', async () => {
    await using story = await Story.begin();
    const first = await story.startReadyDigger();
    const ip = story.createPod('secret', 215);
    await untilHeldBy(first, ip, 'secret');
    const at = toTimestamp(Date.now());
    story.deletePod('secret');
    await untilHeldBy(first, ip, '');
    const rules = ['--namespace-rule', 'deny shop', '--namespace-rule', 'allow *'];
    const hiding = await story.startDigger('--history-from', first.address, '--history-from-wait', '5s', ...rules);
    // The first one sees more than the other has listed: else it would refuse as one that is behind.
    let changes = 0;
    await eventually('it has asked', async () => {
      changes += 1;
      const metadata = { namespace: 'shop', name: `later-${changes}` };
      for (const resource of ['services', 'endpointslices', 'pods'])
        story.simulator.cluster.create(resource, { metadata });
      const { inheritedHistory: asked } = await hiding.call('StatusService', 'GetStatus');
      const { from, message } = asked as Message;
      return from !== '' || String(message).includes('OTHER_') ? done(undefined) : notYet(asked);
    });
    await hiding.untilReady();
    const past = await hiding.call('LookupService', 'ResolveAddress', { address: ip, at });
    assert.doesNotMatch(JSON.stringify(past), /secret|shop/);
    const { inheritedHistory } = await hiding.call('StatusService', 'GetStatus');
    assert.match(String((inheritedHistory as Message)['message']), /other values of --namespace-rule/);
  });

  it('is taken from a sibling that hides the same: what is published as it was, what is hidden as hidden', async () => {
    await using story = await Story.begin();
    const rules = ['--namespace-rule', 'deny payments', '--namespace-rule', 'allow *'];
    const first = await story.startReadyDigger(...rules);
    const ip = story.createPod('shown', 216);
    await untilHeldBy(first, ip, 'shown');
    const [address = ''] = story.demo.wellKnown.paymentsClusterIps;
    const at = toTimestamp(Date.now());
    story.deletePod('shown');
    await untilHeldBy(first, ip, '');
    for (const { metadata } of story.simulator.cluster.list('services'))
      if (metadata.namespace === 'payments') story.simulator.cluster.delete('services', 'payments', metadata.name);
    const heldBy = async (digger: DiggerProcess, asked: string): Promise<string> => {
      const { resolution } = await digger.call('LookupService', 'ResolveAddress', { address: asked, at });
      const { outcome, role, pod } = resolution as Message & { readonly pod?: Message };
      return `${String(outcome)} ${String(role)} ${String(pod?.['name'] ?? '')}`;
    };
    const expected = ['OUTCOME_RESOLVED ADDRESS_ROLE_POD_IP shown', 'OUTCOME_HIDDEN ADDRESS_ROLE_CLUSTER_IP '];
    const ask = (digger: DiggerProcess) => Promise.all([heldBy(digger, ip), heldBy(digger, address)]);
    await eventually('it is gone', async () => {
      const { outcome } = await first.resolve(address);
      return outcome === 'OUTCOME_UNASSIGNED' ? done(undefined) : notYet(outcome);
    });
    assert.deepEqual(await ask(first), expected);
    const second = await story.startReadyDigger('--history-from', first.address, ...rules);
    assert.deepEqual(await ask(second), expected);
    await first.stop();
    const third = await story.startReadyDigger('--history-from', second.address, ...rules);
    assert.deepEqual(await ask(third), expected);
  });

  it('is not taken by two that start from each other, and neither waits for long', async () => {
    await using story = await Story.begin();
    const places = await Promise.all([story.startDigger(), story.startDigger()]);
    await Promise.all(places.map((each) => each.stop()));
    const [one, other] = places.map(({ address }) => address) as [string, string];
    const wait = ['--history-from-wait', '5m'];
    const replicas = await Promise.all([
      story.startDigger('--listen', one, '--history-from', other, ...wait),
      story.startDigger('--listen', other, '--history-from', one, ...wait),
    ]);
    for (const each of replicas) await each.untilReady();
    const told = await Promise.all(replicas.map((each) => each.call('StatusService', 'GetStatus')));
    for (const { inheritedHistory } of told) {
      const { from, message } = inheritedHistory as Message;
      // The one that was ready first may be asked by the other; it knows of nothing before its own start.
      if (from === '') assert.match(String(message), /NO_HISTORY|NOT_SYNCED|knows nothing/);
    }
    assert.ok(told.some(({ inheritedHistory }) => (inheritedHistory as Message)['from'] === ''));
  });
});

/** Addresses that change hands; resolves with moments at which something is to be known, all of them past. */
async function play(story: Story, digger: DiggerProcess): Promise<readonly Message[]> {
  const ip = story.createPod('one', 211);
  await untilHeldBy(digger, ip, 'one');
  await eventually('the first has had it for a while', tick(Date.now(), 1_600));
  const whileOne = Date.now();
  story.deletePod('one');
  await untilHeldBy(digger, ip, '');
  const between = Date.now() + 700;
  // The API tells starts in whole seconds.
  await eventually('no pod has it for a while', tick(between, 2_000));
  story.createPod('two', 211);
  await untilHeldBy(digger, ip, 'two');
  const kept = story.createPod('kept', 212);
  await untilHeldBy(digger, kept, 'kept');
  await eventually('the second has had it for a while', tick(Date.now(), 1_600));
  const whileTwo = Date.now();
  story.deletePod('two');
  await untilHeldBy(digger, ip, '');
  await eventually('that is a while ago', tick(Date.now(), 1_600));
  return [
    [ip, whileOne - 300],
    [ip, between],
    [ip, whileTwo - 300],
    [kept, whileTwo - 300],
    [story.demo.wellKnown.statefulPod.ip, whileOne],
  ].map(([address, ms]) => ({ address, at: toTimestamp(Number(ms)) }));
}

function tick(sinceMs: number, ms: number): () => ReturnType<typeof done<undefined>> | ReturnType<typeof notYet> {
  return () => (Date.now() - sinceMs > ms ? done(undefined) : notYet(undefined));
}

async function ask(digger: DiggerProcess, questions: readonly Message[]): Promise<readonly Told[]> {
  const told: Told[] = [];
  for (const question of questions) {
    const { resolution } = await digger.call('LookupService', 'ResolveAddress', question);
    const { outcome, pod, workload, role } = resolution as Message;
    const name = (message: unknown): string => String((message as Message | null)?.['name'] ?? '');
    told.push({ outcome: String(outcome), holder: name(pod), workload: name(workload), role: String(role) });
  }
  return told;
}

/** A replica in the process of a sensor gets the past as well, and the objects that it names. */
async function assertReplicaKnows(digger: DiggerProcess, questions: readonly Message[], expected: readonly Told[]) {
  using replica = connect({ targets: [digger.address] });
  await replica.ready();
  for (const [index, { address, at }] of questions.entries()) {
    const { seconds, nanos } = at as Message;
    const ms = Number(seconds) * 1_000 + Number(nanos) / 1e6;
    const { outcome, holder } = replica.resolve({ address: String(address), at: ms });
    assert.equal(`OUTCOME_${outcome}`, expected[index]?.outcome, JSON.stringify(questions[index]));
    assert.equal(holder?.name ?? '', expected[index]?.holder);
    if (holder !== undefined) assert.equal(replica.byUid(holder.uid)?.message['name'], holder.name);
  }
}

async function historySince(digger: DiggerProcess): Promise<number> {
  const { historySince: since } = await digger.call('StatusService', 'GetStatus');
  const { seconds, nanos } = since as Message;
  return Number(seconds) * 1_000 + Number(nanos) / 1e6;
}

async function untilHeldBy(digger: DiggerProcess, address: string, name: string): Promise<void> {
  await eventually(`${address} is held by ${name || 'no pod'}`, async () => {
    const { resolution } = await digger.call('LookupService', 'ResolveAddress', { address });
    const { pod } = resolution as { pod?: Message | null };
    return String(pod?.['name'] ?? '') === name ? done(undefined) : notYet(resolution);
  });
}

function controllerOf(
  kind: string,
  { metadata }: { readonly metadata: { name?: string; uid?: string } },
): OwnerReference {
  return { apiVersion: 'apps/v1', kind, name: metadata.name ?? '', uid: metadata.uid ?? '', controller: true };
}

function toTimestamp(ms: number): Message {
  return { seconds: Math.floor(ms / 1_000), nanos: (ms % 1_000) * 1e6 };
}
