// The admin listener over real sockets: what probes and scrapers see, and that bad callers do no harm to others.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type IncomingMessage, request, ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { Gauge, type Registry } from '@prometheus-io/client';
import { startAdminServer } from '../../src/telemetry/admin-server.ts';
import { createRegistry } from '../../src/telemetry/metrics.ts';

async function start(
  t: TestContext,
  pending: () => readonly string[] = () => [],
  registry: Registry = createRegistry('1.2.3'),
  nowMs = (): number => performance.now(),
) {
  const server = await startAdminServer({ host: '127.0.0.1', port: 0, pending, registry, nowMs });
  t.after(() => server.close());
  // A connection of its own for each, as kubelets do.
  const get = async (path: string, method = 'GET', localAddress = '127.0.0.1') => {
    const asked = request(`http://${server.address}${path}`, { method, agent: false, localAddress, timeout: 10_000 });
    asked.once('timeout', () => asked.destroy(new Error(`no answer to ${path}`)));
    asked.end();
    const [response] = (await once(asked, 'response')) as [IncomingMessage];
    let text = '';
    for await (const chunk of response.setEncoding('utf8')) text += String(chunk);
    const headers = { get: (name: string) => response.headers[name]?.toString() ?? null };
    return { status: response.statusCode, text, headers };
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

test('a request with a body is refused, and its connection ends', async (t) => {
  const { server } = await start(t);
  const response = await fetch(`http://${server.address}/livez`, { method: 'POST', body: 'x'.repeat(100) });
  assert.deepEqual([response.status, response.headers.get('connection')], [405, 'close']);
  await response.text();
  const socket = await open(server.address);
  socket.write('GET /livez HTTP/1.1\r\nhost: x\r\ncontent-length: 100000000\r\n\r\n');
  assert.match(await untilClosed(socket), /^HTTP\/1\.1 400 /);
});

test('13.4 probes come through while others hold half requests, idle connections and answers that they do not read', async (t) => {
  const { server, get } = await start(t);
  const attacks: readonly ((socket: Socket, index: number) => void)[] = [
    // Half of a request.
    (socket) => socket.write('GET /livez HTTP/1.1\r\nhost: x\r\n'),
    // Nothing at all.
    () => undefined,
    // A request whose answer is never read.
    (socket) => {
      socket.pause();
      socket.write('GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n');
    },
  ];
  for (const attack of attacks) {
    const sockets = await Promise.all(Array.from({ length: 70 }, () => open(server.address)));
    t.after(() => sockets.forEach((socket) => socket.destroy()));
    sockets.forEach(attack);
    for (let probe = 0; probe < 3; probe++) {
      const begunMs = performance.now();
      assert.equal((await get('/livez')).status, 200);
      assert.ok(performance.now() - begunMs < 1_000, 'within the timeout of a kubelet');
    }
  }
});

test('13.4 a connection that sends nothing, or a request by letters, is closed within seconds', async (t) => {
  const { server } = await start(t);
  const [silent, slow] = [await open(server.address), await open(server.address)];
  slow.write('GET /livez HTTP/1.1\r\nx: ');
  const letters = setInterval(() => slow.write('a'), 200);
  t.after(() => clearInterval(letters));
  const begunMs = performance.now();
  await Promise.all([untilClosed(silent), untilClosed(slow)]);
  assert.ok(performance.now() - begunMs < 8_000);
});

test('13.4 a second request before the answer to the first ends the connection', async (t) => {
  const { server } = await start(t);
  const socket = await open(server.address);
  socket.write('GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(2_000));
  const received = await untilClosed(socket);
  assert.ok((received.match(/HTTP\/1\.1 200/g) ?? []).length <= 1, received.slice(0, 200));
});

for (const expectation of ['nonsense', '100-continue']) {
  test(`a request that expects ${expectation} is a request as any other: a second one before its answer ends the connection`, async (t) => {
    const { server, get } = await start(t);
    const socket = await open(server.address);
    const ended = untilClosed(socket);
    socket.write(`GET /livez HTTP/1.1\r\nHost: digger\r\nExpect: ${expectation}\r\n\r\n`.repeat(1_000));
    const received = await ended;
    assert.ok(received.split('HTTP/1.1').length <= 2, `${received.length} bytes were answered`);
    assert.equal((await get('/livez')).status, 200);
  });
}

test('13.9 /metrics is computed once in a second of the clock, however many ask in it', async (t) => {
  const registry = createRegistry('1.2.3');
  let computed = 0;
  const probe: Gauge = new Gauge({
    name: 'digger_computed',
    help: 'Times that the page was computed.',
    registers: [registry],
    collect: () => probe.set((computed += 1)),
  });
  let nowMs = 0;
  const { get } = await start(
    t,
    () => [],
    registry,
    () => nowMs,
  );
  for (const [atMs, times] of [
    [0, 1],
    [999, 1],
    [1_000, 2],
    [1_999, 2],
    [5_000, 3],
  ] as const) {
    nowMs = atMs;
    // Of sources of their own, so that none of them waits.
    const sources = Array.from({ length: 20 }, (_, index) => `127.0.1.${index + 1}`);
    const pages = await Promise.all(sources.map((source) => get('/metrics', 'GET', source)));
    for (const { text } of pages) assert.match(text, new RegExp(`^digger_computed ${times}$`, 'm'));
    assert.equal(computed, times);
  }
});

test('13.9 sixty scrapers get what is computed once a second, and a few answers a second', async (t) => {
  let computed = 0;
  const registry = createRegistry('1.2.3');
  const probe: Gauge = new Gauge({
    name: 'digger_computed',
    help: 'Times that the page was computed.',
    registers: [registry],
    collect: () => probe.set((computed += 1)),
  });
  const { server, get } = await start(t, () => [], registry);
  const stop = new AbortController();
  t.after(() => stop.abort());
  let answers = 0;
  const scrape = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      try {
        const response = await fetch(`http://${server.address}/metrics`, { signal: stop.signal });
        await response.text();
        answers += 1;
      } catch {
        // Pushed out, or over.
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    }
  };
  const begunMs = performance.now();
  const scrapers = Array.from({ length: 60 }, scrape);
  // From another source, as a kubelet's.
  while (performance.now() - begunMs < 3_000) assert.equal((await get('/livez', 'GET', '127.0.0.2')).status, 200);
  stop.abort();
  await Promise.all(scrapers);
  const seconds = (performance.now() - begunMs) / 1_000;
  // How often they get through on a busy machine is not the point.
  assert.ok(computed <= seconds + 1, `computed ${computed} times in ${seconds} s`);
  // Twenty at once, ten a second, and one a second for each of the eight connections at the longest wait.
  assert.ok(answers <= 20 + (10 + 8) * (seconds + 1), `${answers} answers in ${seconds} s`);
});

test('13.9 sixty scrapers of sixty addresses that ask at once are answered one a turn', async (t) => {
  const { server } = await start(t);
  let turn = 0;
  let turns: NodeJS.Immediate | undefined;
  const nextTurn = (): void => {
    turn += 1;
    turns = setImmediate(nextTurn);
  };
  nextTurn();
  t.after(() => clearImmediate(turns));
  const answeredIn: number[] = [];
  const end = ServerResponse.prototype.end;
  t.mock.method(ServerResponse.prototype, 'end', function (this: ServerResponse, body: Buffer) {
    // Those of a test before this one may still come.
    if (this.req.headers['x-scraper'] === 'one of sixty') answeredIn.push(turn);
    return end.call(this, body, 'utf8');
  });
  const sockets = await Promise.all(
    Array.from({ length: 60 }, (_, index) => open(server.address, `127.0.2.${index + 1}`)),
  );
  for (const socket of sockets)
    socket.write('GET /metrics HTTP/1.1\r\nHost: digger\r\nX-Scraper: one of sixty\r\nConnection: close\r\n\r\n');
  const pages = await Promise.all(sockets.map(untilClosed));
  for (const page of pages) assert.match(page, /^HTTP\/1\.1 200 OK[^]*digger_build_info/);
  assert.deepEqual([answeredIn.length, new Set(answeredIn).size], [60, 60]);
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

async function open(address: string, localAddress = '127.0.0.1'): Promise<Socket> {
  const socket = connect({ port: Number(address.split(':')[1]), host: '127.0.0.1', localAddress });
  socket.on('error', () => socket.destroy());
  await new Promise<void>((resolve) => socket.once('connect', () => resolve()));
  return socket;
}

/** What came before the end. */
async function untilClosed(socket: Socket): Promise<string> {
  let received = '';
  socket.on('data', (chunk) => (received += chunk.toString('latin1')));
  await new Promise<void>((resolve, reject) => {
    if (socket.destroyed) resolve();
    socket.once('close', () => resolve());
    socket.setTimeout(20_000, () => reject(new Error(`no end; received ${JSON.stringify(received)}`)));
  });
  return received;
}
