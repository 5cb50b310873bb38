// What is said of TLS files that cannot be read.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readTlsFiles } from '../../../src/rpc/tls/files.ts';

test('of several TLS files that cannot be read the first is told, whichever read ends sooner', async () => {
  const paths = { cert: '/missing/tls.crt', key: '/missing/tls.key', clientCa: '/missing/ca.crt' };
  const told = new Set<string>();
  for (let round = 0; round < 2_000; round++) {
    await assert.rejects(readTlsFiles(paths), (error: Error) => told.add(error.message) !== undefined);
  }
  assert.deepEqual([...told], ['cannot read /missing/tls.crt: ENOENT']);
});
