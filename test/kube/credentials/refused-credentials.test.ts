// Credentials that are refused: fresh ones are tried at once, and one resource learns from another that they are good
// again.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Reflector } from '../../../src/kube/reflector/reflector.ts';
import { pods } from '../../../src/kube/resources.ts';
import { ServerContact } from '../../../src/kube/reflector/server-contact.ts';
import type { PodRecord } from '../../../src/model/kubernetes/records.ts';
import { createLogger } from '../../../src/telemetry/logger.ts';
import { createRandom } from '../../random.ts';
import { MirrorStore } from '../reflector/mirror-store.ts';
import { ModelledApiServer } from '../reflector/modelled-api-server.ts';
import { ModelledCluster } from '../reflector/modelled-cluster.ts';
import { reflecting } from '../reflector/reflecting.ts';
import { list, openWatch, status, watch } from '../reflector/scripted-api-server.ts';
import { VirtualClock } from '../reflector/virtual-clock.ts';

test('a quiet resource whose credentials are refused a second time gets fresh ones without waiting', async () => {
  // The watch in between brings no event: it was accepted, which is all that matters.
  const quiet = watch('\n');
  const answers = [list({ resourceVersion: '10' }), status(401), quiet, status(401), openWatch()];
  await reflecting(answers, async ({ untilRequests, credentials, clock }) => {
    await untilRequests(['list rv=0 limit=500', 'watch rv=10', 'watch rv=10', 'watch rv=10', 'watch rv=10']);
    assert.equal(credentials.discards, 2);
    // The short watch is the only thing that had to be waited for.
    const waits = clock.delaysMs.filter((delayMs) => delayMs === 800 || delayMs === 1_600);
    assert.deepEqual(waits, [800]);
  });
});

for (const [code, isWoken] of [
  [401, true],
  [429, false],
] as const) {
  test(`after ${code}, the first resource that is served ${isWoken ? 'wakes the others' : 'wakes no other: the server asked for relief'}`, async () => {
    const clock = new VirtualClock();
    const stopping = new AbortController();
    const logger = createLogger({ level: 'silent', pretty: false });
    const servers = [1, 2].map((seed) => new ModelledApiServer(new ModelledCluster(1_000n), clock, createRandom(seed)));
    const contact = new ServerContact(servers[0] as ModelledApiServer, clock, () => 0, logger, stopping.signal);
    // The one comes back a little earlier than the other each time.
    const reflectors = servers.map((transport, index) => {
      const random = () => index / 2;
      const options = {
        resource: pods,
        store: new MirrorStore<PodRecord>(),
        transport,
        contact,
        logger,
        clock,
        random,
      };
      return new Reflector({ ...options, streamInitialList: false, onStatusChange: () => {} });
    });
    const states = () => reflectors.map((reflector) => reflector.status().state);
    for (const { refusals } of servers) refusals.push(...Array.from({ length: 50 }, () => code));
    for (const reflector of reflectors) reflector.start();
    try {
      await clock.advance(120_000);
      assert.deepEqual(states(), ['backing-off', 'backing-off']);
      for (const { refusals } of servers) refusals.length = 0;
      while (!states().includes('watching')) assert.ok(await clock.advanceToNextTimer());
      assert.deepEqual(states().toSorted(), isWoken ? ['watching', 'watching'] : ['backing-off', 'watching']);
    } finally {
      stopping.abort();
      await Promise.all(reflectors.map((reflector) => reflector.stop()));
    }
  });
}
