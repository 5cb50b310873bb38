// The change feed as a subscriber sees it, over real sockets.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Consumer } from '../../feed/consumer.ts';
import { start, untilGone } from '../feed-serving.ts';
import { eventually, type Json } from '../serving.ts';

const WEB = { kind: 'Pod', namespace: 'shop', name: 'web-0', nodeName: 'node-a', labels: { app: 'web' } } as const;
const API = { kind: 'Pod', namespace: 'back', name: 'api-0', nodeName: 'node-b', labels: { app: 'api' } } as const;
const NODE_A = { kind: 'Node', namespace: '', name: 'node-a' } as const;

describe('Watch', () => {
  it('streams Reset, the snapshot, Synced, then changes and removals', async (t) => {
    const { cluster, watch } = await start(t);
    cluster.set(WEB);
    cluster.set(NODE_A);
    const { consumer, ...stream } = watch({});
    await stream.until(() => consumer.synced);
    assert.deepEqual(consumer.story.slice(0, 3), ['reset NO_TOKEN', 'changes 2', 'synced']);
    cluster.set(API);
    cluster.remove('Pod', 'shop', 'web-0');
    await stream.until(() => consumer.copy.size === 2 && !consumer.copy.has('pod|||shop|web-0'));
    assert.deepEqual(consumer.held, ['node||||node-a uid-2', 'pod|||back|api-0 uid-3']);
  });

  it('selects by kind, namespace, node and labels', async (t) => {
    const { cluster, watch } = await start(t);
    for (const spec of [WEB, API, NODE_A]) cluster.set(spec);
    for (const [filter, expected] of [
      [{ kinds: ['ENTITY_KIND_NODE'] }, ['node||||node-a uid-3']],
      [{ namespaces: ['back'] }, ['pod|||back|api-0 uid-2']],
      [{ nodeNames: ['node-a'] }, ['node||||node-a uid-3', 'pod|||shop|web-0 uid-1']],
      [{ labels: { app: 'web' } }, ['pod|||shop|web-0 uid-1']],
    ] as const) {
      const { consumer, ...stream } = watch({ filter, snapshotOnly: true });
      await stream.until(() => stream.ended() !== undefined);
      assert.deepEqual(consumer.held, expected);
    }
  });

  it('ends with OK after Synced when only the snapshot was asked for', async (t) => {
    const { cluster, watch } = await start(t);
    cluster.set(WEB);
    const { consumer, ...stream } = watch({ snapshotOnly: true, view: 'VIEW_BASIC' });
    await stream.until(() => stream.ended() !== undefined);
    assert.equal(stream.ended(), 'OK');
    assert.deepEqual(consumer.story, ['reset NO_TOKEN', 'changes 1', 'synced']);
    assert.deepEqual(consumer.copy.get('pod|||shop|web-0')?.labels, {});
  });

  it('continues from a stored token with what was missed', async (t) => {
    const { cluster, feed, watch } = await start(t);
    cluster.set(WEB);
    cluster.set(NODE_A);
    const first = watch({});
    await first.until(() => first.consumer.synced);
    first.cancel();
    await eventually(
      () => feed.stats().subscribers === 0,
      () => `${feed.stats().subscribers} subscribers`,
    );
    cluster.remove('Pod', 'shop', 'web-0');
    const { consumer } = first;
    consumer.reconnect();
    consumer.story.length = 0;
    const second = watch({ resumeToken: consumer.token }, consumer);
    await second.until(() => consumer.synced);
    assert.deepEqual(consumer.story.slice(0, 2), ['changes 1', 'synced']);
    assert.deepEqual(consumer.held, ['node||||node-a uid-2']);
  });

  for (const [what, request, field, reason] of [
    ['a kind that does not exist', { filter: { kinds: [1, 9] } }, 'filter.kinds[1]', 'UNKNOWN_VALUE'],
    ['kind UNSPECIFIED', { filter: { kinds: [0] } }, 'filter.kinds[0]', 'UNKNOWN_VALUE'],
    ['1,001 namespaces', { filter: { namespaces: names(1001) } }, 'filter.namespaces', 'TOO_MANY'],
    ['an empty namespace', { filter: { namespaces: ['a', ''] } }, 'filter.namespaces[1]', 'REQUIRED'],
    ['1,001 node names', { filter: { nodeNames: names(1001) } }, 'filter.node_names', 'TOO_MANY'],
    ['a selector that is none', { filter: { labelSelector: 'a in b' } }, 'filter.label_selector', 'MALFORMED_SELECTOR'],
    [
      'a selector of 5,000 characters',
      { filter: { namespaceSelector: `a=${'b'.repeat(5_000)}` } },
      'filter.namespace_selector',
      'OUT_OF_RANGE',
    ],
    [
      'a selector of 65 requirements',
      { filter: { labelSelector: names(65).join(',') } },
      'filter.label_selector',
      'TOO_MANY',
    ],
    ['65 chosen labels', { values: { labels: names(65) } }, 'values.labels', 'TOO_MANY'],
    [
      'a chosen key that is none',
      { values: { annotations: ['a', 'b/*/c'] } },
      'values.annotations[1]',
      'UNKNOWN_VALUE',
    ],
    ['an empty chosen key', { values: { labels: [''] } }, 'values.labels[0]', 'UNKNOWN_VALUE'],
    ['65 labels', { filter: { labels: manyLabels(65) } }, 'filter.labels', 'TOO_MANY'],
    [
      'a node name of 254 characters',
      { filter: { nodeNames: ['a', 'n'.repeat(254)] } },
      'filter.node_names[1]',
      'OUT_OF_RANGE',
    ],
    [
      'a label value of 64 characters',
      { filter: { labels: { app: 'x'.repeat(64) } } },
      'filter.labels',
      'OUT_OF_RANGE',
    ],
    ['a view that does not exist', { view: 7 }, 'view', 'UNKNOWN_VALUE'],
    ['a negative heartbeat', { heartbeatInterval: { seconds: -1 } }, 'heartbeat_interval', 'OUT_OF_RANGE'],
    ['bytes that are not a token', { resumeToken: Buffer.from('hello') }, 'resume_token', 'MALFORMED_TOKEN'],
    ['a token of 100 kB', { resumeToken: Buffer.alloc(100_000, 1) }, 'resume_token', 'MALFORMED_TOKEN'],
  ] as const) {
    it(`refuses ${what} and names the field`, async (t) => {
      const { feed, watch } = await start(t);
      const stream = watch(request);
      await stream.until(() => stream.ended() !== undefined);
      const { code, details } = stream.failure();
      assert.equal(code, 'INVALID_ARGUMENT');
      const violations = details['BadRequest']?.['fieldViolations'] as readonly Json[];
      assert.deepEqual(
        violations.map((violation) => [violation['field'], violation['reason']]),
        [[field, reason]],
      );
      assert.equal(feed.stats().subscribers, 0);
    });
  }

  it('is UNAVAILABLE before the picture is complete, and says what is missing', async (t) => {
    const { picture, watch } = await start(t);
    picture.pending = ['list pods'];
    const stream = watch({});
    await stream.until(() => stream.ended() !== undefined);
    const { code, details } = stream.failure();
    assert.equal(code, 'UNAVAILABLE');
    assert.equal(details['ErrorInfo']?.['reason'], 'NOT_SYNCED');
    assert.ok(details['RetryInfo']);
  });

  it('refuses subscribers beyond the limit', async (t) => {
    const { watch } = await start(t, { maxSubscribers: 1 });
    const first = watch({});
    await first.until(() => first.consumer.synced);
    const second = watch({});
    await second.until(() => second.ended() !== undefined);
    const { code, details } = second.failure();
    assert.equal(code, 'RESOURCE_EXHAUSTED');
    assert.equal(details['ErrorInfo']?.['reason'], 'TOO_MANY_SUBSCRIBERS');
  });

  it('is forgotten when the deadline of the call passes, while changes go on', async (t) => {
    const { cluster, feed, serving, watch } = await start(t);
    cluster.set(WEB);
    const stream = watch({}, new Consumer(), { deadline: Date.now() + 300 });
    await stream.until(() => stream.consumer.synced);
    for (let revision = 0; stream.ended() === undefined; revision++) {
      cluster.set({ ...WEB, revision });
      await stream.until(() => stream.ended() !== undefined || stream.consumer.upserts > revision);
    }
    assert.equal(stream.failure().code, 'DEADLINE_EXCEEDED');
    await untilGone({ feed, serving });
  });

  it('says goodbye before a drain: a last Progress, then UNAVAILABLE', async (t) => {
    const { cluster, serving, watch } = await start(t);
    cluster.set(WEB);
    const stream = watch({});
    await stream.until(() => stream.consumer.synced);
    const drained = serving.server.drain(AbortSignal.timeout(5_000));
    await stream.until(() => stream.ended() !== undefined);
    assert.equal(stream.consumer.story.at(-1), 'closing');
    const { code, details } = stream.failure();
    assert.equal(code, 'UNAVAILABLE');
    assert.equal(details['ErrorInfo']?.['reason'], 'DRAINING');
    assert.ok(details['RetryInfo']);
    serving.client.close();
    await drained;
  });
});

function names(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `n${index}`);
}

function manyLabels(count: number): Record<string, string> {
  return Object.fromEntries(names(count).map((name) => [name, 'x']));
}
