// What the reflector asks for, and what it makes of the answers, over real sockets against scripted servers.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { endpointSlices, owner, owners } from '../../../src/kube/resources.ts';
import type { OwnerRecord } from '../../../src/model/kubernetes/records.ts';
import { reflecting } from './reflecting.ts';
import {
  type Answer,
  bookmark,
  brokenWatch,
  event,
  list,
  openWatch,
  podJson,
  status,
  statusObject,
  watch,
} from './scripted-api-server.ts';

const EXPIRED = { reason: 'Expired' };

test('lists at version 0 in pages and watches from the version of the list', async () => {
  const answers = [list({ resourceVersion: '10', pods: ['a', 'b'] }), openWatch()];
  await reflecting(answers, async ({ server, store, reflector, untilRequests }) => {
    await untilRequests(['list rv=0 limit=500', 'watch rv=10']);
    assert.deepEqual(store.names(), ['a', 'b']);
    const query = server.requests[1]?.query;
    assert.equal(query?.get('allowWatchBookmarks'), 'true');
    assert.equal(query?.get('timeoutSeconds'), '300');
    assert.equal(server.requests[0]?.accept, 'application/vnd.kubernetes.protobuf, application/json');
    assert.equal(reflector.status().synced, true);
  });
});

test('all pages are one replacement at the version of the first page', async () => {
  const answers = [
    list({ resourceVersion: '10', pods: ['a'], continueToken: 'x' }),
    list({ resourceVersion: '11', pods: ['b'], continueToken: 'y' }),
    list({ resourceVersion: '12', pods: ['c'] }),
    openWatch(),
  ];
  await reflecting(answers, async ({ store, untilRequests }) => {
    const pages = ['list rv=0 limit=500', 'list limit=500 continue=x', 'list limit=500 continue=y'];
    await untilRequests([...pages, 'watch rv=10']);
    assert.deepEqual(store.names(), ['a', 'b', 'c']);
    assert.deepEqual(
      store.writes.map(({ verb, resourceVersion }) => [verb, resourceVersion]),
      [['replace', '10']],
    );
  });
});

test('an expired continue token leads to one full list without pages', async () => {
  const answers = [
    list({ resourceVersion: '10', pods: ['a'], continueToken: 'x' }),
    status(410, EXPIRED),
    list({ resourceVersion: '12', pods: ['a', 'b'] }),
    openWatch(),
  ];
  await reflecting(answers, async ({ store, untilRequests }) => {
    await untilRequests(['list rv=0 limit=500', 'list limit=500 continue=x', 'list rv=0', 'watch rv=12']);
    assert.deepEqual(store.names(), ['a', 'b']);
    assert.equal(store.aborted, 1);
  });
});

test('every event moves the version, bookmarks too, and a clean end goes on without a list', async () => {
  const answers = [
    list({ resourceVersion: '10', pods: ['a'] }),
    watch(event('ADDED', podJson('b', '11')), event('DELETED', podJson('a', '12'))),
    watch(event('MODIFIED', podJson('c', '13'))),
    watch(bookmark('14')),
    openWatch(),
  ];
  await reflecting(answers, async ({ store, reflector, untilRequests }) => {
    await untilRequests(['list rv=0 limit=500', 'watch rv=10', 'watch rv=12', 'watch rv=13', 'watch rv=14']);
    assert.deepEqual(store.names(), ['b', 'c']);
    assert.deepEqual([...reflector.status().restarts], [['ended_early', 3]]);
    assert.deepEqual([reflector.status().events, reflector.status().lists], [4, 1]);
  });
});

for (const [how, expired] of [
  ['as a status', status(410, EXPIRED)],
  ['as an event', watch(event('ERROR', statusObject(410, EXPIRED)))],
] as const) {
  test(`an expired watch, ${how}, lists again at the last version`, async () => {
    const answers = [
      list({ resourceVersion: '10', pods: ['a', 'b'] }),
      watch(bookmark('11')),
      expired,
      list({ resourceVersion: '15', pods: ['b'] }),
      openWatch(),
    ];
    await reflecting(answers, async ({ store, reflector, untilRequests }) => {
      await untilRequests(['list rv=0 limit=500', 'watch rv=10', 'watch rv=11', 'list rv=11', 'watch rv=15']);
      assert.deepEqual(store.names(), ['b']);
      assert.equal(reflector.status().restarts.get('expired'), 1);
      const { seen } = store.writes.findLast(({ verb }) => verb === 'replace') ?? {};
      assert.ok(
        seen?.sinceMs !== undefined && seen.sinceMs <= seen.atMs,
        `a relist says since when: ${JSON.stringify(seen)}`,
      );
    });
  });
}

for (const [form, refusal] of [
  ['expired', status(410, EXPIRED)],
  [
    'too large, by its cause',
    status(504, { reason: 'Timeout', details: { causes: [{ reason: 'ResourceVersionTooLarge' }] } }),
  ],
  [
    'too large, by the message of its cause',
    status(504, { reason: 'Timeout', details: { causes: [{ message: 'Too large resource version' }] } }),
  ],
  [
    'too large, by its message',
    status(504, { reason: 'Timeout', message: 'Too large resource version: 11, current: 5' }),
  ],
] as const) {
  test(`a list whose version is ${form} is followed by one of the latest`, async () => {
    const answers = [
      list({ resourceVersion: '10' }),
      watch(bookmark('11')),
      status(410, EXPIRED),
      refusal,
      list({ resourceVersion: '5', pods: ['a'] }),
      openWatch(),
    ];
    await reflecting(answers, async ({ store, untilRequests }) => {
      const lists = ['list rv=11', 'list limit=500'];
      await untilRequests(['list rv=0 limit=500', 'watch rv=10', 'watch rv=11', ...lists, 'watch rv=5']);
      assert.deepEqual(store.names(), ['a']);
    });
  });
}

test('four times 429 mean one list and five watches of the same version, with growing delays', async () => {
  const answers = [
    list({ resourceVersion: '10' }),
    status(429),
    status(429),
    watch(event('ERROR', statusObject(429))),
    status(429, {}, { 'retry-after': '7' }),
    openWatch(),
  ];
  await reflecting(answers, async ({ reflector, clock, untilRequests }) => {
    await untilRequests(['list rv=0 limit=500', ...Array.from({ length: 5 }, () => 'watch rv=10')]);
    assert.equal(reflector.status().restarts.get('throttled'), 4);
    // Timers of other lengths guard requests; with a random of 0 the delays are the bases.
    const delays = clock.delaysMs.filter((delay) => [800, 1600, 3200, 6400, 7000].includes(delay));
    assert.deepEqual(delays, [800, 1600, 3200, 7000]);
  });
});

test('a server error on a watch does not lead to a list', async () => {
  const answers = [
    list({ resourceVersion: '10' }),
    status(503),
    watch(event('ERROR', statusObject(500, { reason: 'InternalError' }))),
    openWatch(),
  ];
  await reflecting(answers, async ({ reflector, untilRequests }) => {
    await untilRequests(['list rv=0 limit=500', 'watch rv=10', 'watch rv=10', 'watch rv=10']);
    assert.equal(reflector.status().restarts.get('server_error'), 2);
  });
});

test('an event that the server could not read leads to a list, for it may have been a delete', async () => {
  const answers = [
    list({ resourceVersion: '10', pods: ['a'] }),
    watch(event('ERROR', statusObject(500, { reason: 'StoreReadError' }))),
    list({ resourceVersion: '12' }),
    openWatch(),
  ];
  await reflecting(answers, async ({ store, untilRequests }) => {
    await untilRequests(['list rv=0 limit=500', 'watch rv=10', 'list rv=10', 'watch rv=12']);
    assert.deepEqual(store.names(), []);
  });
});

test('a watch that ends at once without an event counts as a failure', async () => {
  await reflecting([list({ resourceVersion: '10' }), watch(), openWatch()], async ({ reflector, untilRequests }) => {
    await untilRequests(['list rv=0 limit=500', 'watch rv=10', 'watch rv=10']);
    assert.equal(reflector.status().restarts.get('short_watch'), 1);
  });
});

for (const [what, damaged] of [
  ['a damaged frame', watch(event('ADDED', podJson('b', '11')), '{"type":"ADDED","object":{]}\n')],
  ['an unknown event', watch(event('ADDED', podJson('b', '11')), event('SURPRISE', podJson('c', '12')))],
  [
    'an object of another kind',
    watch(event('ADDED', podJson('b', '11')), event('ADDED', { kind: 'Node', metadata: { resourceVersion: '12' } })),
  ],
  [
    'half a frame at the end',
    watch(event('ADDED', podJson('b', '11')), event('ADDED', podJson('c', '12')).slice(0, 30)),
  ],
] as const) {
  test(`${what} ends the watch, and nothing is skipped`, async () => {
    const answers = [
      list({ resourceVersion: '10' }),
      damaged,
      // Whether the event before the damage was applied depends on how the bytes came; it comes again or not at all.
      openWatch(event('ADDED', podJson('b', '11')), event('ADDED', podJson('c', '12'))),
    ];
    await reflecting(answers, async ({ server, store, reflector, until }) => {
      await until(() => store.names().length === 2);
      assert.ok(['watch rv=10', 'watch rv=11'].includes(server.log[2] ?? ''), server.log.join(', '));
      assert.equal(reflector.status().restarts.get('undecodable'), 1);
      assert.equal(server.log.length, 3);
    });
  });
}

test('after a broken connection it goes on from the last version', async () => {
  const answers = [
    list({ resourceVersion: '10' }),
    brokenWatch(event('ADDED', podJson('a', '11'))),
    openWatch(event('ADDED', podJson('b', '12')), bookmark('13'), event('ADDED', podJson('c', '14'))),
  ];
  await reflecting(answers, async ({ store, reflector, until, untilRequests }) => {
    await until(() => store.names().length === 3);
    await untilRequests(['list rv=0 limit=500', 'watch rv=10', 'watch rv=11']);
    assert.equal(reflector.status().restarts.get('unreachable'), 1);
    // The request of the watch has come; its answer may be on its way.
    await until(() => reflector.status().message === '');
  });
});

test('300 broken connections leave no timer behind', async () => {
  const broken = Array.from({ length: 300 }, (_, n) => brokenWatch(event('MODIFIED', podJson('a', `${n + 11}`))));
  const answers = [list({ resourceVersion: '10', pods: ['a'] }), ...broken, openWatch()];
  await reflecting(answers, async ({ clock, reflector, until }) => {
    // One ends the watch when it has lasted too long.
    await until(() => reflector.status().watches === 301 && clock.open.size === 1);
    assert.ok(clock.delaysMs.length > 1_000, `${clock.delaysMs.length} timers were set`);
  });
});

test('bytes may be split anywhere, inside a character too', async () => {
  const bytes = Buffer.from(event('ADDED', podJson('grün-🐳', '11')));
  const pieces = Array.from(bytes, (_, index) => bytes.subarray(index, index + 1));
  await reflecting([list({ resourceVersion: '10' }), openWatch(...pieces)], async ({ store, until }) => {
    await until(() => store.names().length === 1);
    assert.deepEqual(store.names(), ['grün-🐳']);
  });
});

test('a version beyond 64 bits is carried as it is', async () => {
  const huge = '123456789012345678901234567890';
  await reflecting([list({ resourceVersion: huge }), openWatch()], async ({ untilRequests }) => {
    await untilRequests(['list rv=0 limit=500', `watch rv=${huge}`]);
  });
});

test('a list of another kind is refused and changes nothing', async () => {
  const answers = [
    list({ resourceVersion: '10', kind: 'NodeList' }),
    list({ resourceVersion: '11', pods: ['a'] }),
    openWatch(),
  ];
  await reflecting(answers, async ({ store, reflector, untilRequests }) => {
    await untilRequests(['list rv=0 limit=500', 'list rv=0 limit=500', 'watch rv=11']);
    assert.equal(store.aborted, 1);
    assert.equal(reflector.status().restarts.get('undecodable'), 1);
  });
});

test('a refusal that was sat out is not followed by a request before an outage is over, its check included', async () => {
  const held = Promise.withResolvers<void>();
  const throttledLate: Answer = (response, request) => void held.promise.then(() => status(429)(response, request));
  const answers = [throttledLate, list({ resourceVersion: '10', pods: ['a'] }), openWatch()];
  await reflecting(answers, async ({ server, clock, contact, until, untilRequests }) => {
    await until(() => server.log.length === 1);
    const checked = Promise.withResolvers<void>();
    let isChecking = false;
    contact.beforeGoingOn({
      canTell: () => true,
      look: () => {
        isChecking = true;
        return checked.promise;
      },
    });
    void contact.waitUntilReachable('connection refused');
    held.resolve();
    await until(() => isChecking && clock.delaysMs.filter((ms) => ms === 800).length === 2);
    // The backoff of the refusal ends before this does.
    await new Promise<void>((resolve) => void clock.setTimer(resolve, 5_000));
    assert.equal(server.log.length, 1, server.log.join('; '));
    checked.resolve();
    await untilRequests(['list rv=0 limit=500', 'list rv=0 limit=500', 'watch rv=10']);
  });
});

test('refused credentials are read afresh at once', async () => {
  const answers = [list({ resourceVersion: '10' }), status(401), openWatch()];
  await reflecting(answers, async ({ server, credentials, clock, untilRequests }) => {
    await untilRequests(['list rv=0 limit=500', 'watch rv=10', 'watch rv=10']);
    assert.equal(credentials.discards, 1);
    assert.equal(server.requests[2]?.authorization, 'Bearer second');
    assert.ok(!clock.delaysMs.includes(800), 'no backoff');
  });
});

test('a missing permission is reported with verb and resource, and tried again', async () => {
  const refusal = { reason: 'Forbidden', message: 'pods is forbidden' };
  const answers = [status(403, refusal), status(403, refusal), list({ resourceVersion: '10' }), openWatch()];
  await reflecting(answers, async ({ server, reflector, until, untilRequests }) => {
    await until(() => server.log.length >= 1 && reflector.status().restarts.has('forbidden'));
    await untilRequests([...Array.from({ length: 3 }, () => 'list rv=0 limit=500'), 'watch rv=10']);
    assert.equal(reflector.status().unavailable, false);
    assert.equal(reflector.status().restarts.get('forbidden'), 2);
  });
  await reflecting(
    [status(403, refusal), ...Array.from({ length: 50 }, () => status(403, refusal))],
    async ({ reflector, until }) => {
      await until(() => reflector.status().unavailable);
      assert.match(reflector.status().message, /^list pods: 403 Forbidden: pods is forbidden$/);
      assert.equal(reflector.status().synced, false);
    },
  );
});

test('stops while a list is under way, and leaves the store as it was', async () => {
  const hanging = openWatch('{"kind":"PodList","metadata":{"resourceVersion":"10"},"items":[');
  await reflecting([hanging], async ({ server, reflector, store, until }) => {
    await until(() => server.log.length === 1);
    await reflector.stop();
    assert.deepEqual(store.writes, []);
  });
});

test('where slices are not served, Endpoints are watched instead', async () => {
  const answers = [status(404), list({ resourceVersion: '10', kind: 'EndpointsList' }), openWatch()];
  await reflecting(
    answers,
    async ({ server, reflector, untilRequests }) => {
      await untilRequests(['list rv=0 limit=500', 'list rv=0 limit=500', 'watch rv=10']);
      assert.deepEqual(
        server.requests.map(({ path }) => path),
        ['/apis/discovery.k8s.io/v1/endpointslices', '/api/v1/endpoints', '/api/v1/endpoints'],
      );
      assert.equal(reflector.status().unavailable, false);
    },
    { resource: endpointSlices },
  );
});

for (const streamInitialList of [false, true]) {
  const how = streamInitialList ? 'streamed list' : 'list';
  const rollouts = owner('example.dev', 'v1alpha1', 'rollouts', 'Rollout');
  const metadata = (name: string) => ({
    apiVersion: 'meta.k8s.io/v1',
    kind: 'PartialObjectMetadata',
    metadata: { name, namespace: 'shop', uid: `uid-${name}`, resourceVersion: '5' },
  });
  const first = (names: readonly string[], version: string): Answer[] => {
    if (!streamInitialList) {
      const items = names.map(metadata);
      const body = { kind: 'PartialObjectMetadataList', metadata: { resourceVersion: version }, items };
      const whole: Answer = (response) => {
        response.writeHead(200, { 'content-type': 'application/json' });
        response.end(JSON.stringify(body));
      };
      return [whole];
    }
    const end = {
      kind: 'PartialObjectMetadata',
      metadata: { resourceVersion: version, annotations: { 'k8s.io/initial-events-end': 'true' } },
    };
    return [brokenWatch(...names.map((name) => event('ADDED', metadata(name))), event('BOOKMARK', end))];
  };

  test(`a kind whose definition is removed has no objects, and makes nothing stale (${how})`, async () => {
    let isServed = false;
    const moved = () => Promise.resolve(isServed ? rollouts : ('gone' as const));
    const gone = Array.from({ length: 60 }, () => status(404));
    const answers = [...first(['a'], '10'), ...(streamInitialList ? [] : [brokenWatch()]), ...gone];
    await reflecting<OwnerRecord>(
      answers,
      async ({ store, reflector, server, until }) => {
        server.checkAnswers.push(status(404));
        await until(() => store.names().join() === 'a');
        await until(() => store.names().length === 0);
        await until(() => reflector.status().blindSinceMs === undefined && reflector.status().state === 'backing-off');
        assert.equal(reflector.status().unavailable, false);
        const writes = store.writes.length;
        const asked = server.log.length;
        await until(() => server.log.length > asked + 1);
        assert.equal(reflector.status().blindSinceMs, undefined, 'asking for it again is no blindness');
        assert.equal(store.writes.length, writes, 'it is emptied once');
        isServed = true;
        server.play(...first(['b'], '20'), openWatch());
        await until(() => store.names().join() === 'b');
      },
      { resource: rollouts, streamInitialList, relocate: moved },
    );
  });

  test(`a kind that is served in another version only is followed there (${how})`, async () => {
    const relocate = () => Promise.resolve(owner('example.dev', 'v1', 'rollouts', 'Rollout'));
    const answers = [
      ...first(['a'], '10'),
      ...(streamInitialList ? [] : [brokenWatch()]),
      status(404),
      ...first(['a', 'b'], '20'),
      openWatch(),
    ];
    await reflecting<OwnerRecord>(
      answers,
      async ({ store, server, reflector, until }) => {
        server.checkAnswers.push(status(404));
        await until(() => store.names().join() === 'a,b');
        assert.equal(server.requests.at(0)?.path, '/apis/example.dev/v1alpha1/rollouts');
        assert.ok(
          server.requests.some(({ path }) => path === '/apis/example.dev/v1/rollouts'),
          server.log.join('; '),
        );
        assert.equal(reflector.status().resource, 'rollouts.example.dev');
      },
      { resource: rollouts, streamInitialList, relocate },
    );
  });

  test(`where it cannot be found out where a kind went, its objects stay and are stale (${how})`, async () => {
    const answers = [
      ...first(['a'], '10'),
      ...(streamInitialList ? [] : [brokenWatch()]),
      ...Array.from({ length: 20 }, () => status(404)),
    ];
    await reflecting<OwnerRecord>(
      answers,
      async ({ store, reflector, server, until }) => {
        server.checkAnswers.push(status(404), status(404), status(404));
        await until(() => reflector.status().restarts.get('not_found') === 3);
        assert.equal(store.names().join(), 'a');
        assert.notEqual(reflector.status().blindSinceMs, undefined);
        assert.equal(reflector.status().unavailable, true);
      },
      { resource: rollouts, streamInitialList, relocate: () => Promise.resolve(undefined) },
    );
  });
}

test('owners are asked for as metadata only', async () => {
  const deployments = owners.find(({ resource }) => resource === 'deployments.apps');
  assert.ok(deployments !== undefined);
  const answers = [list({ resourceVersion: '10', pods: ['web'], kind: 'PartialObjectMetadataList' }), openWatch()];
  await reflecting(
    answers,
    async ({ server, store, untilRequests }) => {
      await untilRequests(['list rv=0 limit=500', 'watch rv=10']);
      const as = (kind: string) =>
        ['protobuf', 'json']
          .map(
            (format) =>
              `application/${format === 'json' ? format : `vnd.kubernetes.${format}`};as=${kind};g=meta.k8s.io;v=v1`,
          )
          .join(', ');
      assert.deepEqual(
        server.requests.map(({ accept }) => accept),
        [as('PartialObjectMetadataList'), as('PartialObjectMetadata')],
      );
      const record = store.records.get('shop/web');
      assert.ok(record?.type === 'Owner');
      assert.deepEqual([record.apiVersion, record.kind], ['apps/v1', 'Deployment']);
    },
    { resource: deployments },
  );
});

test('connections do not grow with the number of watches', async () => {
  const watches = Array.from({ length: 300 }, (_, index) => watch(bookmark(String(11 + index))));
  await reflecting([list({ resourceVersion: '10' }), ...watches, openWatch()], async ({ server, reflector, until }) => {
    await until(() => server.log.length === 302);
    assert.equal(reflector.status().watches, 301);
    assert.ok(server.connections <= 3, `${server.connections} connections`);
  });
});

// Rancher behind a load balancer that redirects http to https, single sign-on before the API server.
test('a redirect is not followed, because credentials would go elsewhere, and its target is told without secrets', async () => {
  const location = 'https://joe:s3cret@login.example/oauth/start?state=s3cret';
  const answers = [status(302, {}, { location }), list({ resourceVersion: '10', pods: ['a'] }), openWatch()];
  const messages = new Set<string>();
  await reflecting(answers, async ({ reflector, server, until }) => {
    await until(() => {
      messages.add(reflector.status().message);
      return reflector.status().synced;
    });
    const [told] = [...messages].filter((message) => message !== '');
    const target = 'https://login.example/oauth/start';
    assert.equal(told, `list pods: 302: redirected to ${target}, which is not followed: is that the server?`);
    assert.equal(server.requests.length >= 2, true);
  });
});
