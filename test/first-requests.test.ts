// A start asks the API server for its first lists before it loads gRPC: the server makes its answers meanwhile. And it
// does not wait for a server that is not there: the port is bound all the same.

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createSecureServer, type Http2SecureServer } from 'node:http2';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, describe, it } from 'node:test';
import { SERVING_ENVIRONMENT, SERVING_NODE_OPTIONS } from '../src/serving-process.ts';
import { done, eventually, notYet } from './observers/eventually.ts';
import { ROOT } from './project/repository.ts';
import { createCertificate } from './simulator/server/certificate.ts';
import { Story } from './stories/story.ts';

const folder = mkdtempSync(join(tmpdir(), 'digger-first-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** What no first request needs: gRPC, and the server made of it. */
const HELD = '/node_modules/(?:@grpc|grpc-health-check)/|/src/rpc/(?:server|methods/register)\\.ts$';

describe('a start', () => {
  it('sends its first requests over HTTP/2 before it loads gRPC', async () => {
    const { key, cert } = createCertificate();
    const asked = join(folder, 'asked-http2');
    const server = createSecureServer({ key, cert });
    server.on('sessionError', () => {});
    server.on('stream', (stream, headers) => {
      // The process is killed while it is asking.
      stream.on('error', () => {});
      noteLists(asked, String(headers[':path']));
    });
    assert.match(
      await startsServing(server, { ca: cert, until: asked, env: { NO_PATIENCE_ENDS: '1' } }),
      /"msg":"serving"/,
    );
  });

  it('is told as serving before it is told as ready, however soon the lists are there', async () => {
    await using story = await Story.begin();
    const digger = await story.startDigger();
    const log = await eventually('ready is logged', async () =>
      digger.log.includes('"msg":"ready"') ? done(digger.log) : notYet(digger.log),
    );
    assert.ok(log.indexOf('"msg":"serving"') < log.indexOf('"msg":"ready"'), log);
  });

  it('opens its port while a server accepts connections and says nothing', async () => {
    // Behind the deadline of the first requests nothing is held.
    const listed = join(folder, 'not-held');
    writeFileSync(listed, '');
    const silent = createServer(() => {});
    assert.match(await startsServing(silent, { ca: createCertificate().cert, until: listed }), /"msg":"serving"/);
  });
});

function noteLists(file: string, path: string): void {
  if (path.startsWith('/api/v1/pods?')) writeFileSync(file, '');
}

/** The line that says where it serves; or what it said instead. */
async function startsServing(
  server: Server | Http2SecureServer,
  { ca, until, env }: { readonly ca: string; readonly until: string; readonly env?: Record<string, string> },
): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const kubeconfig = join(folder, `${port}.json`);
  const cluster = {
    server: `https://127.0.0.1:${port}`,
    'certificate-authority-data': Buffer.from(ca).toString('base64'),
  };
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'c', cluster }],
    users: [{ name: 'u', user: {} }],
    contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'c',
  };
  writeFileSync(kubeconfig, JSON.stringify(config));
  const listeners = ['--listen=127.0.0.1:0', '--admin-listen=127.0.0.1:0', '--log-format=json'];
  const child = spawn(
    process.execPath,
    [
      ...SERVING_NODE_OPTIONS,
      `--import=${join(ROOT, 'test/observers/hold-modules.ts')}`,
      join(ROOT, 'src/main.ts'),
      'serve',
      `--kubeconfig=${kubeconfig}`,
      ...listeners,
    ],
    {
      env: { ...process.env, ...SERVING_ENVIRONMENT, HOLD_MODULES: HELD, HOLD_UNTIL: until, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  const ended = once(child, 'exit') as Promise<[number | null]>;
  try {
    return await servingLine(child, ended);
  } finally {
    child.kill('SIGKILL');
    await ended;
    server.close();
  }
}

async function servingLine(child: ChildProcess, exit: Promise<[number | null]>): Promise<string> {
  let said = '';
  child.stderr?.on('data', (data: Buffer) => (said += data.toString()));
  const ended = exit.then(([code]) => `ended with ${code}: ${said}`);
  const serving = new Promise<string>((resolve) => {
    if (child.stdout === null) return;
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (line.includes('"msg":"serving"')) resolve(line);
      else said += `${line}\n`;
    });
  });
  return Promise.race([serving, ended]);
}
