// Callers that mean no good, or do not know better: the process lives and others do not notice.

import assert from 'node:assert/strict';
import { connect as connectHttp2, constants } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';

import { Metadata } from '@grpc/grpc-js';

import { fakePod, fakeReference, holder, resolved } from '../fake-picture.ts';
import { encodeMessage, eventually, type Json, serve, type Serving, TestClient, toFailure } from '../serving.ts';
import { callHeaders } from '../../observers/raw-call.ts';

describe('a caller that misbehaves is refused, and harms no other caller', () => {
  let serving: Serving;
  before(async () => {
    serving = await serve({ limits: { maxConnections: 8 } });
    serving.picture.setAnswer('10.0.0.1', resolved(holder(fakePod('web-0', fakeReference('web')), 'POD_IP')));
  });
  after(() => serving.stop());

  /** Calls of another caller go on before, beside and after `misbehave`. */
  async function besideOthers<Result>(misbehave: (client: TestClient) => Promise<Result>): Promise<Result> {
    const other = new TestClient(serving.target);
    const client = new TestClient(serving.target);
    try {
      const lookups = async (): Promise<void> => {
        for (let count = 0; count < 20; count += 1) {
          const answer = await other.call('ResolveAddress', { address: '10.0.0.1' });
          assert.equal((answer['resolution'] as Json)['outcome'], 'OUTCOME_RESOLVED');
        }
      };
      await lookups();
      const [result] = await Promise.all([misbehave(client), lookups()]);
      await lookups();
      return result;
    } finally {
      other.close();
      client.close();
    }
  }

  for (const [title, bytes] of [
    ['a field that is cut off', Buffer.from([0x0a, 0x7f, 0x31])],
    ['an endless varint', Buffer.alloc(20, 0xff)],
    ['a wire type that does not exist', Buffer.from([0x0f])],
    ['groups nested deeply', Buffer.alloc(16_000, 0x7b)],
  ] as const) {
    for (const method of ['ResolveAddress', 'BatchResolveAddresses', 'GetPod', 'digger.v1.StatusService/GetStatus']) {
      it(`${title}, sent to ${method}: INVALID_ARGUMENT`, async () => {
        const failure = await besideOthers((client) => client.failure(method, bytes));
        assert.equal(failure.code, 'INVALID_ARGUMENT', failure.message);
        const violations = (failure.details['BadRequest']?.['fieldViolations'] ?? []) as readonly Json[];
        assert.deepEqual(
          violations.map(({ reason }) => reason),
          ['MALFORMED_MESSAGE'],
        );
      });
    }
    it(`${title}, sent to Watch: INVALID_ARGUMENT`, async () => {
      const failure = await besideOthers((client) => watchFailure(client, bytes));
      assert.equal(failure.code, 'INVALID_ARGUMENT', failure.message);
    });
    it(`${title}, sent to Health and reflection: an error of that call alone`, async () => {
      const check = await besideOthers((client) =>
        client.callBytes('/grpc.health.v1.Health/Check', bytes).then(
          () => undefined,
          (error: unknown) => toFailure(error).code,
        ),
      );
      assert.equal(check, 'INVALID_ARGUMENT');
    });
  }

  for (const [title, address] of [
    ['60 kB of text', 'a'.repeat(60_000)],
    ['60 kB of text outside the BMP', '😀'.repeat(15_000)],
    ['60 kB of digits and dots', '1.'.repeat(30_000)],
  ] as const) {
    it(`${title} as an address: INVALID_ARGUMENT, quoting a prefix`, async () => {
      const failure = await besideOthers((client) => client.failure('ResolveAddress', { address }));
      assert.equal(failure.code, 'INVALID_ARGUMENT');
      assert.ok(failure.message.length < 300, `${failure.message.length} characters`);
    });
  }

  it('60 kB of text as a name: NOT_FOUND, quoting a prefix', async () => {
    const request = { namespace: 'n'.repeat(30_000), name: 'n'.repeat(30_000) };
    const failure = await besideOthers((client) => client.failure('GetPod', request));
    assert.equal(failure.code, 'NOT_FOUND');
    assert.ok(failure.message.length < 300, `${failure.message.length} characters`);
  });

  it('a hundred thousand empty queries: INVALID_ARGUMENT before anything is made of them', async () => {
    const bytes = Buffer.alloc(200_000, Buffer.from([0x0a, 0x00]));
    const failure = await besideOthers((client) => client.failure('BatchResolveAddresses', bytes));
    assert.equal(failure.code, 'INVALID_ARGUMENT');
    assert.match(failure.message, /^queries: more than 1000 queries given, at most 1000 are allowed$/);
  });

  it('a request larger than the limit: RESOURCE_EXHAUSTED', async () => {
    const request = { address: 'a'.repeat(1_100_000) };
    const failure = await besideOthers((client) => client.failure('ResolveAddress', request));
    assert.equal(failure.code, 'RESOURCE_EXHAUSTED');
  });

  it('headers larger than 64 KiB: the call fails', async () => {
    const metadata = new Metadata();
    metadata.set('x-large', 'x'.repeat(100_000));
    const code = await besideOthers((client) =>
      client.call('ResolveAddress', { address: '10.0.0.1' }, {}, metadata).then(
        () => 'OK',
        (error: unknown) => toFailure(error).code,
      ),
    );
    assert.notEqual(code, 'OK');
  });

  it('a method that does not exist: UNIMPLEMENTED, and no label of ours', async () => {
    const failure = await besideOthers((client) =>
      client.callBytes('/digger.v1.LookupService/Nothing', Buffer.alloc(0)).then(
        () => undefined,
        (error: unknown) => toFailure(error),
      ),
    );
    assert.equal(failure?.code, 'UNIMPLEMENTED');
    assert.ok(!(await serving.registry.metrics()).includes('Nothing'));
  });

  it('a connection that speaks something else is closed', async () => {
    await besideOthers(async () => {
      const [host, port] = serving.target.split(':');
      const socket = connect({ host: host as string, port: Number(port) });
      socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(100));
      await closed(socket);
    });
  });

  it('frames that break HTTP/2 end their connection', async () => {
    await besideOthers(async () => {
      const [host, port] = serving.target.split(':');
      const socket = connect({ host: host as string, port: Number(port) });
      socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
      socket.write(Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]));
      // DATA on stream 0.
      socket.write(Buffer.from([0, 0, 1, 0, 0, 0, 0, 0, 0, 0]));
      await closed(socket);
    });
  });

  it('calls that are reset as soon as they are made leave nothing open', async () => {
    await besideOthers(async () => {
      const session = connectHttp2(`http://${serving.target}`);
      const headers = callHeaders('/digger.v1.LookupService/ResolveAddress');
      const streams = Array.from({ length: 200 }, () => {
        const stream = session.request(headers);
        const gone = new Promise<void>((resolve) => stream.once('close', resolve));
        stream.on('error', () => undefined);
        stream.close(constants.NGHTTP2_CANCEL);
        return gone;
      });
      await Promise.all(streams);
      session.destroy();
    });
    await eventually(
      () => serving.server.openCalls === 0,
      () => `${serving.server.openCalls} calls are open`,
    );
  });

  it('connections beyond the limit take the place of those that are idle for longest, and are counted', async () => {
    await serving.client.call('ResolveAddress', { address: '10.0.0.1' });
    const [host, port] = serving.target.split(':');
    const sockets = Array.from({ length: 20 }, () => connect({ host: host as string, port: Number(port) }));
    const open = new Set(sockets);
    for (const socket of sockets) {
      socket.on('error', () => undefined).resume();
      socket.once('close', () => open.delete(socket));
    }
    await eventually(
      () => open.size <= 8,
      () => `${open.size} connections are open`,
    );
    const answer = await serving.client.call('ResolveAddress', { address: '10.0.0.1' });
    assert.equal((answer['resolution'] as Json)['outcome'], 'OUTCOME_RESOLVED');
    for (const socket of sockets) socket.destroy();
    const metrics = await serving.registry.metrics();
    const [, evicted = '0'] = /digger_grpc_connections_closed_total\{reason="evicted"\} (\d+)/.exec(metrics) ?? [];
    assert.ok(Number(evicted) >= 12, metrics);
  });
});

describe('calls are counted', () => {
  it('by method, code, messages and outcome, however they end', async () => {
    const serving = await serve();
    try {
      const { client, picture } = serving;
      picture.setAnswer('10.0.0.1', resolved(holder(fakePod('web-0', fakeReference('web')), 'POD_IP')));
      await client.call('ResolveAddress', { address: '10.0.0.1' });
      await client.failure('ResolveAddress', { address: 'x' });
      await client.failure(
        'ResolveAddress',
        { address: '10.0.0.2', wait: { seconds: 30 } },
        { deadline: Date.now() + 30 },
      );
      await client.call('BatchResolveAddresses', { queries: [{ address: '10.0.0.1' }, { address: 'x' }] });
      await eventually(
        () => serving.server.openCalls === 0,
        () => `${serving.server.openCalls} calls are open`,
      );
      const metrics = await serving.registry.metrics();
      const labels = 'grpc_type="unary",grpc_service="digger.v1.LookupService",grpc_method="ResolveAddress"';
      for (const line of [
        `grpc_server_started_total{${labels}} 3`,
        `grpc_server_handled_total{${labels},grpc_code="OK"} 1`,
        `grpc_server_handled_total{${labels},grpc_code="InvalidArgument"} 1`,
        `grpc_server_handled_total{${labels},grpc_code="DeadlineExceeded"} 1`,
        `grpc_server_msg_received_total{${labels}} 3`,
        `grpc_server_msg_sent_total{${labels}} 1`,
        `grpc_server_handling_seconds_count{${labels}} 3`,
        'digger_lookups_total{outcome="RESOLVED"} 2',
        'digger_lookups_total{outcome="INVALID"} 1',
      ]) {
        assert.ok(metrics.split('\n').includes(line), `no line ${line} in\n${metrics}`);
      }
    } finally {
      await serving.stop();
    }
  });
});

function watchFailure(client: TestClient, request: Buffer): Promise<ReturnType<typeof toFailure>> {
  const same = (bytes: Buffer): Buffer => bytes;
  const call = client.makeServerStreamRequest('/digger.v1.ChangeFeedService/Watch', same, same, request);
  return new Promise((resolve) => {
    call.on('error', (error) => resolve(toFailure(error)));
    call.resume();
  });
}

function closed(socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('the connection is still open after 5 s')), 5_000);
    socket.on('error', () => undefined);
    socket.resume();
    socket.once('close', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

assert.equal(encodeMessage('digger.v1.BatchResolveAddressesRequest', { queries: [{}] }).toString('hex'), '0a00');
