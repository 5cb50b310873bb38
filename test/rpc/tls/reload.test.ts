// New TLS files without a restart: none of the calls under way notices, and files that are no good yet change nothing.

import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { connect, type PeerCertificate } from 'node:tls';
import { X509Certificate } from 'node:crypto';

import { checkTlsBytes, TlsFilesError } from '../../../src/rpc/tls/files.ts';
import { createTlsMetrics } from '../../../src/rpc/tls/metrics.ts';
import { TlsReload } from '../../../src/rpc/tls/reload.ts';
import { Registry } from '@prometheus-io/client';
import { type Certificate, createCertificate } from '../../simulator/server/certificate.ts';
import { eventually, type TestClient } from '../serving.ts';
import { type LogLine, metric, recordingLogger, serveTls, TlsFiles, type TlsServing } from './tls-serving.ts';

describe('TLS files that change', () => {
  let serving: TlsServing;
  before(async () => {
    serving = await serveTls();
  });
  after(() => serving.stop());

  it('are served to new connections, and no call fails while they rotate', async () => {
    const rotations = 5;
    const load = startLoad(serving);
    const seen = new Set<string>();
    for (let rotation = 1; rotation <= rotations; rotation++) {
      const next = serving.files.issue(rotation + 1);
      // One after the other, with a moment between in which they do not fit together.
      serving.files.replace(serving.files.paths.cert, next.cert);
      await load.untilMore(20);
      serving.files.replace(serving.files.paths.key, next.key);
      await served(serving, next);
      seen.add(serialNumber(next));
      await load.untilMore(50);
    }
    const { done, failures, connections } = await load.stop();
    assert.deepEqual(failures, []);
    assert.ok(done > rotations * 70, `only ${done} calls`);
    assert.ok(connections > rotations, `only ${connections} connections`);
    assert.equal(seen.size, rotations);
    assert.equal(await metric(serving.registry, 'digger_tls_reloads_total'), rotations);
    const expiryMs = 1000 * (await metric(serving.registry, 'digger_tls_certificate_expiry_timestamp_seconds'));
    assert.ok(expiryMs > Date.now() + rotations * 86_400_000, `expiry ${expiryMs} is not the new certificate's`);
  });

  it('change nothing while they are half written, missing, or do not fit together', async () => {
    const { files, registry } = serving;
    const good = files.issue(2);
    files.write(good);
    await served(serving, good);
    const other = files.issue(3);
    const chain = other.cert + files.ca.cert;
    const troubles: readonly (readonly [string, RegExp, () => void])[] = [
      ['the key of another certificate', /not the key of/, () => writeFileSync(files.paths.key, other.key)],
      ['a cut certificate', /cut off/, () => writeFileSync(files.paths.cert, other.cert.slice(0, -200))],
      ['a chain without its end', /cut off/, () => writeFileSync(files.paths.cert, chain.slice(0, -100))],
      ['a cut key', /no private key/, () => writeFileSync(files.paths.key, good.key.slice(0, 100))],
      ['an empty certificate', /no certificate/, () => writeFileSync(files.paths.cert, '')],
      ['a missing key', /ENOENT/, () => rmSync(files.paths.key)],
      ['an expired certificate', /has expired/, () => files.write(expired(files))],
    ];
    for (const [what, reason, spoil] of troubles) {
      const before = serving.lines.length;
      const failures = await metric(registry, FAILURES);
      spoil();
      const line = await loggedAfter(serving, before, 'cannot use the new TLS files; the last good ones stay in use');
      assert.match(String(line['reason']), reason, what);
      assert.equal(await metric(registry, FAILING), 1, what);
      assert.equal(await servedSerial(serving), serialNumber(good), what);
      await serving.client().call('ResolveAddress', { address: '10.0.0.1' });
      files.write(good);
      await loggedAfter(serving, before, 'the TLS files are those in use again');
      assert.equal(await metric(registry, FAILING), 0, what);
      assert.equal(await metric(registry, FAILURES), failures + 1, `${what}: counted once`);
    }
    const text = JSON.stringify(serving.lines);
    for (const { key } of [good, other]) assert.ok(!text.includes(key.split('\n')[1] as string), 'a key was logged');
  });

  it('are taken when they become good without ever having been what is served', async () => {
    const { files } = serving;
    const before = serving.lines.length;
    const next = files.issue(4);
    files.replace(files.paths.cert, next.cert);
    await loggedAfter(serving, before, 'cannot use the new TLS files; the last good ones stay in use');
    files.replace(files.paths.key, next.key);
    await served(serving, next);
    assert.equal(await metric(serving.registry, FAILING), 0);
  });
});

describe('a client CA that changes', () => {
  it('holds for new connections: who was trusted is not, who was not is', async () => {
    const serving = await serveTls({ mutual: true });
    try {
      const { files } = serving;
      const newCa = createCertificate({ commonName: 'new client CA' });
      const [before, later] = [files.clientCa, newCa].map((issuer) =>
        createCertificate({ issuer, commonName: 'client' }),
      ) as [Certificate, Certificate];
      const options = { deadline: Date.now() + 5_000 };
      await serving.client(before).call('ResolveAddress', { address: '10.0.0.1' }, options);
      assert.equal((await serving.client(later).failure('ResolveAddress', {}, options)).code, 'UNAVAILABLE');
      const lines = serving.lines.length;
      files.replace(files.paths.clientCa as string, newCa.cert);
      await loggedAfter(serving, lines, 'TLS files reloaded');
      await serving.client(later).call('ResolveAddress', { address: '10.0.0.1' }, options);
      assert.equal((await serving.client(before).failure('ResolveAddress', {}, options)).code, 'UNAVAILABLE');
    } finally {
      await serving.stop();
    }
  });
});

describe('TLS files at the start', () => {
  it('have to be good, and the error names the file and not the key', async (t) => {
    const files = new TlsFiles(true);
    t.after(() => files.remove());
    const start = (): Promise<TlsReload> =>
      TlsReload.start({
        paths: files.paths,
        logger: recordingLogger().logger,
        metrics: createTlsMetrics(new Registry()),
        nowMs: Date.now,
      });
    (await start()).close();
    writeFileSync(files.paths.clientCa as string, 'nothing');
    await assert.rejects(start(), { name: 'TlsFilesError', message: `${files.paths.clientCa} holds no certificate` });
    rmSync(files.paths.clientCa as string);
    await assert.rejects(start(), { message: `cannot read ${files.paths.clientCa}: ENOENT` });
  });

  it('every prefix of a good set that parses is the set itself, but for its last line break', () => {
    const paths = { cert: 'tls.crt', key: 'tls.key', clientCa: undefined };
    const { cert, key } = createCertificate();
    const check = (certLength: number, keyLength: number): boolean => {
      const bytes = {
        cert: Buffer.from(cert.slice(0, certLength)),
        key: Buffer.from(key.slice(0, keyLength)),
        clientCa: undefined,
      };
      try {
        checkTlsBytes(bytes, paths);
        return true;
      } catch (error) {
        assert.ok(error instanceof TlsFilesError, String(error));
        return false;
      }
    };
    for (let length = 0; length < cert.length - 1; length++) assert.equal(check(length, key.length), false);
    for (let length = 0; length < key.length - 1; length++) assert.equal(check(cert.length, length), false);
    assert.equal(check(cert.length, key.length), true);
  });
});

const FAILURES = 'digger_tls_reload_failures_total';
const FAILING = 'digger_tls_reload_failing';

interface Load {
  /** Resolves when so many more calls were answered. */
  untilMore(calls: number): Promise<void>;
  stop(): Promise<{ done: number; failures: readonly unknown[]; connections: number }>;
}

/** Calls without a pause: on one connection that stays, and on ones that are made anew for every tenth call. */
function startLoad(serving: TlsServing): Load {
  let done = 0;
  let connections = 0;
  const stopping = new AbortController();
  const failures: unknown[] = [];
  const run = async (callsPerConnection: number): Promise<void> => {
    let client: TestClient | undefined;
    for (let count = 0; !stopping.signal.aborted; count++) {
      if (client === undefined || count % callsPerConnection === 0) {
        client?.close();
        client = serving.client();
        connections += 1;
      }
      try {
        await client.call('ResolveAddress', { address: '10.0.0.1' }, { deadline: Date.now() + 10_000 });
        done += 1;
      } catch (error) {
        failures.push(error);
      }
    }
  };
  const running = Promise.all([run(Number.POSITIVE_INFINITY), run(10), run(10)]);
  return {
    async untilMore(calls) {
      const target = done + calls;
      await eventually(
        () => done >= target || failures.length > 0,
        () => `${done} calls of ${target}`,
      );
    },
    async stop() {
      stopping.abort();
      await running;
      return { done, failures, connections };
    },
  };
}

async function served(serving: TlsServing, certificate: Certificate): Promise<void> {
  let serial = '';
  const deadline = Date.now() + 5_000;
  do {
    serial = await servedSerial(serving);
    if (serial === serialNumber(certificate)) return;
  } while (Date.now() < deadline);
  assert.fail(`${serial} is served, not ${serialNumber(certificate)}: ${JSON.stringify(serving.lines)}`);
}

function servedSerial(serving: TlsServing): Promise<string> {
  return new Promise((resolve, reject) => {
    const { ca } = serving.files;
    const options = { host: '127.0.0.1', port: serving.port, ca: ca.cert, servername: 'localhost' };
    const socket = connect({ ...options, ALPNProtocols: ['h2'] });
    socket.on('error', reject);
    socket.once('secureConnect', () => {
      const { serialNumber: serial }: PeerCertificate = socket.getPeerCertificate();
      socket.destroy();
      resolve(serial);
    });
  });
}

function serialNumber({ cert }: Certificate): string {
  return new X509Certificate(cert).serialNumber;
}

function expired(files: TlsFiles): Certificate {
  return files.issue(-1);
}

async function loggedAfter(serving: TlsServing, after: number, message: string): Promise<LogLine> {
  const find = (): LogLine | undefined => serving.lines.slice(after).find((line) => line['msg'] === message);
  await eventually(
    () => find() !== undefined,
    () => `no line "${message}" in ${JSON.stringify(serving.lines.slice(after))}`,
  );
  return find() as LogLine;
}
