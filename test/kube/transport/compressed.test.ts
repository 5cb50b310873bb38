// Compressed answers over real sockets, asked for or made so by something on the way: nothing is lost or late by it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { arrange, following } from '../reflector/following.ts';
import { reflecting } from '../reflector/reflecting.ts';
import {
  type Answer,
  event,
  list,
  openWatch,
  podJson,
  status,
  statusObject,
} from '../reflector/scripted-api-server.ts';

for (const streamInitialList of [false, true]) {
  test(`concatenated gzip members: each event comes at once, cuts included (${streamInitialList ? 'streamed list' : 'plain list'})`, async () => {
    await following(
      async ({ simulator, create, remove, until, untilEqual, store, requests, reflector }) => {
        const before = requests().length;
        for (let index = 0; index < 20; index++) {
          create(`more-${index}`);
          await until(() => store.names().includes(`more-${index}`));
        }
        assert.equal(requests().length, before, 'all of them on one watch');
        simulator.cutConnections({ midFrame: true });
        remove('a');
        await untilEqual();
        assert.deepEqual(
          requests()
            .slice(before)
            .map((request) => request.split(' ')[0]),
          ['check', 'watch'],
        );
        assert.equal(reflector.status().lists, 1);
      },
      {
        arrange: (simulator) => {
          arrange(simulator);
          simulator.faults.gzip = 'always';
        },
        streamInitialList,
      },
    );
  });
}

test('a compressed watch that ends inside a gzip member goes on from the last whole event', async () => {
  const second = gzipSync(event('ADDED', podJson('b', '12')));
  const answers = [
    list({ resourceVersion: '10' }),
    encoded('gzip', [gzipSync(event('ADDED', podJson('a', '11'))), second.subarray(0, second.length >> 1)]),
    openWatch(event('ADDED', podJson('b', '12'))),
  ];
  await reflecting(answers, async ({ store, reflector, until, untilRequests }) => {
    await until(() => store.names().join() === 'a,b');
    await untilRequests(['list rv=0 limit=500', 'watch rv=10', 'watch rv=11']);
    assert.equal(reflector.status().restarts.get('undecodable'), 1);
  });
});

test('a compressed list that ends inside a gzip member is refused and changes nothing', async () => {
  const body = gzipSync(
    JSON.stringify({ kind: 'PodList', metadata: { resourceVersion: '10' }, items: [podJson('a')] }),
  );
  const answers = [encoded('gzip', [body.subarray(0, body.length - 9)]), encoded('gzip', [body]), openWatch()];
  await reflecting(answers, async ({ store, reflector, untilRequests }) => {
    await untilRequests(['list rv=0 limit=500', 'list rv=0 limit=500', 'watch rv=10']);
    assert.deepEqual(store.names(), ['a']);
    assert.equal(store.aborted, 1);
    assert.equal(reflector.status().restarts.get('undecodable'), 1);
  });
});

test('a compression that was not asked for and cannot be read is named', async () => {
  const answers = [encoded('br', [Buffer.from('whatever')]), list({ resourceVersion: '10' }), openWatch()];
  await reflecting(answers, async ({ server, reflector, until, untilRequests }) => {
    await until(() => reflector.status().restarts.has('undecodable'));
    await until(() => reflector.status().message !== '' || server.log.length > 1);
    await untilRequests(['list rv=0 limit=500', 'list rv=0 limit=500', 'watch rv=10']);
  });
  const always = Array.from({ length: 30 }, () => encoded('br', [Buffer.from('whatever')]));
  await reflecting(always, async ({ reflector, until }) => {
    await until(() => reflector.status().message !== '');
    assert.equal(reflector.status().message, 'the answer has the content encoding "br", which was not asked for');
  });
});

test('a compressed refusal says what it says, and a damaged one is known by its status', async () => {
  const refusal = Buffer.from(JSON.stringify(statusObject(410, { reason: 'Expired' })));
  const answers = [
    list({ resourceVersion: '10' }),
    encoded('gzip', [gzipSync(refusal)], 410),
    encoded('gzip', [gzipSync(refusal).subarray(0, 20)], 410),
    list({ resourceVersion: '20' }),
    openWatch(),
  ];
  await reflecting(answers, async ({ reflector, untilRequests }) => {
    await untilRequests(['list rv=0 limit=500', 'watch rv=10', 'list rv=10', 'list limit=500', 'watch rv=20']);
    assert.equal(reflector.status().restarts.get('expired'), 2);
  });
});

test('lists are asked for compressed, streamed ones too, and watches are not', async () => {
  const encodings = (server: { readonly requests: readonly { readonly acceptEncoding: string }[] }) =>
    server.requests.map(({ acceptEncoding }) => acceptEncoding);
  await reflecting([list({ resourceVersion: '10' }), openWatch()], async ({ server, untilRequests }) => {
    await untilRequests(['list rv=0 limit=500', 'watch rv=10']);
    assert.deepEqual(encodings(server), ['gzip', 'identity']);
  });
  const refused = [status(422), list({ resourceVersion: '10' }), openWatch()];
  await reflecting(
    refused,
    async ({ server, untilRequests }) => {
      await untilRequests(['watch', 'list rv=0 limit=500', 'watch rv=10']);
      assert.deepEqual(encodings(server), ['gzip', 'gzip', 'identity']);
    },
    { streamInitialList: true },
  );
});

/** A body that was encoded somehow, and ends. */
function encoded(contentEncoding: string, pieces: readonly Buffer[], code = 200): Answer {
  return (response) => {
    response.writeHead(code, { 'content-type': 'application/json', 'content-encoding': contentEncoding });
    for (const piece of pieces) response.write(piece);
    response.end();
  };
}
