// Tokens are rotated again and again while nothing happens to a resource: each time fresh ones are tried at once.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reflecting } from './reflecting.ts';
import { list, openWatch, status, watch } from './scripted-api-server.ts';

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
