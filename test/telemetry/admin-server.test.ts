// The admin listener over real sockets: what probes and scrapers see, and that bad callers harm nobody.

import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import { startAdminServer } from '../../src/telemetry/admin-server.ts';
import { createRegistry } from '../../src/telemetry/metrics.ts';

async function start(t: TestContext, pending: () => readonly string[] = () => []) {
  const registry = createRegistry('1.2.3');
  const server = await startAdminServer({ host: '127.0.0.1', port: 0, pending, registry });
  t.after(() => server.close());
  const get = async (path: string, method = 'GET') => {
    const response = await fetch(`http://${server.address}${path}`, { method, signal: AbortSignal.timeout(10_000) });
    return { status: response.status, text: await response.text(), headers: response.headers };
  };
  return { server, get };
}

test('it is alive before it is ready, and names what is pending until it is', async (t) => {
  let pending: readonly string[] = ['pods', 'services: may not list'];
  const { get } = await start(t, () => pending);
  assert.equal((await get('/livez')).status, 200);
  const waiting = await get('/readyz');
  assert.equal(waiting.status, 503);
  assert.equal(waiting.text, 'not ready, pending:\npods\nservices: may not list\n');
  pending = [];
  assert.deepEqual([(await get('/readyz')).status, (await get('/readyz?verbose')).text], [200, 'ok\n']);
  pending = ['draining'];
  assert.equal((await get('/readyz')).status, 503);
});

test('metrics carry what Node tells about the process, the event-loop delay and the version', async (t) => {
  const { get } = await start(t);
  const { status, text, headers } = await get('/metrics');
  assert.equal(status, 200);
  assert.match(headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/);
  assert.match(text, /^digger_build_info\{version="1\.2\.3",node="v[\d.]+"\} 1$/m);
  assert.match(text, /^process_resident_memory_bytes \d+/m);
  assert.match(text, /^nodejs_eventloop_lag_p99_seconds \d/m);
});

test('HEAD gets the headers alone, other methods and paths get a clear refusal', async (t) => {
  const { get } = await start(t);
  const head = await get('/readyz', 'HEAD');
  assert.deepEqual([head.status, head.text, head.headers.get('content-length')], [200, '', '3']);
  const post = await get('/readyz', 'POST');
  assert.deepEqual([post.status, post.headers.get('allow')], [405, 'GET, HEAD']);
  const unknown = await get('/../etc/passwd');
  assert.equal(unknown.status, 404);
});

test('a request with oversized headers is refused, and others go on', async (t) => {
  const { server, get } = await start(t);
  const port = Number(server.address.split(':')[1]);
  const answer = await new Promise<string>((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () =>
      socket.write(`GET /livez HTTP/1.1\r\nhost: x\r\nlong: ${'a'.repeat(9000)}\r\n\r\n`),
    );
    let received = '';
    socket.on('data', (chunk) => (received += chunk.toString('latin1')));
    socket.on('close', () => resolve(received));
    socket.on('error', reject);
    socket.setTimeout(10_000, () => reject(new Error(`no end; received ${JSON.stringify(received)}`)));
  });
  assert.match(answer, /^HTTP\/1\.1 431 /);
  assert.equal((await get('/livez')).status, 200);
});

test('readiness that throws costs one answer, not the process', async (t) => {
  const { get } = await start(t, () => {
    throw new Error('broken probe');
  });
  const broken = await get('/readyz');
  assert.deepEqual([broken.status, broken.text], [500, 'broken probe\n']);
  assert.equal((await get('/livez')).status, 200);
});

test('a port that is taken is an error that says so', async (t) => {
  const { server } = await start(t);
  const port = Number(server.address.split(':')[1]);
  const registry = createRegistry('1.2.3');
  await assert.rejects(startAdminServer({ host: '127.0.0.1', port, pending: () => [], registry }), {
    code: 'EADDRINUSE',
  });
});

test('closing ends open keep-alive connections', async (t) => {
  const { server } = await start(t);
  const socket = connect(Number(server.address.split(':')[1]), '127.0.0.1');
  await new Promise<void>((resolve) => socket.once('connect', () => resolve()));
  const ended = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.on('error', () => socket.destroy());
  await server.close();
  await ended;
});
