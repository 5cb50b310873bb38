// What a person sees when the service cannot start: one line on stderr that names the option and the cure, and exit
// code 1.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { ROOT } from '../project/repository.ts';

let folder: string;
let kubeconfig: string;
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'digger-start-'));
  kubeconfig = join(folder, 'kubeconfig.json');
  const cluster = { name: 'c', cluster: { server: 'http://127.0.0.1:1' } };
  const context = { name: 'mine', context: { cluster: 'c', user: 'u' } };
  writeFileSync(
    kubeconfig,
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [cluster],
      users: [{ name: 'u', user: {} }],
      contexts: [context],
      'current-context': 'mine',
    }),
  );
});
after(() => rmSync(folder, { recursive: true, force: true }));

async function startWith(...args: string[]) {
  const free = ['--listen', '127.0.0.1:0', '--admin-listen', '127.0.0.1:0', '--kubeconfig', kubeconfig];
  const child = spawn(process.execPath, [join(ROOT, 'src/main.ts'), 'serve', ...free, ...args], { cwd: folder });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (data: Buffer) => (stdout += data.toString()));
  child.stderr.on('data', (data: Buffer) => (stderr += data.toString()));
  const [code] = (await once(child, 'close', { signal: AbortSignal.timeout(60_000) })) as [number];
  return { code, stdout, stderr };
}

describe('a service that cannot start says in one line why, and how to fix it:', () => {
  it('a file of named ranges, with its lines', async () => {
    const file = join(folder, 'ranges.yaml');
    writeFileSync(file, 'ranges:\n  - name: office\n    cidrs: [192.0.2.0/33]\n');
    const { code, stderr } = await startWith('--named-ranges', file);
    assert.equal(code, 1);
    assert.equal(
      stderr,
      `digger: --named-ranges: ${file}:3: got "192.0.2.0/33"; allowed: an address range or an address: ` +
        '203.0.113.0/24, 2001:db8::/32, 198.51.100.7\n',
    );
  });

  it('a port in use, of either listener', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as { port: number };
    try {
      for (const flag of ['--listen', '--admin-listen']) {
        const { code, stdout, stderr } = await startWith(flag, `127.0.0.1:${port}`);
        assert.equal(code, 1);
        assert.equal(
          stderr,
          `digger: ${flag} 127.0.0.1:${port}: in use by another process; stop that one, or choose another port (port 0: any free one)\n`,
        );
        assert.doesNotMatch(stdout, /"err"|stack/);
      }
    } finally {
      taken.close();
    }
  });

  it('an address that this machine does not have', async () => {
    const { code, stderr } = await startWith('--listen', '192.0.2.1:0', '--allow-plaintext');
    assert.equal(code, 1);
    assert.match(stderr, /^digger: --listen 192\.0\.2\.1:0: no interface of this machine has the address; .*\n$/);
  });

  it('a context that the kubeconfig does not have', async () => {
    const { code, stderr } = await startWith('--context', 'other');
    assert.equal(code, 1);
    assert.match(stderr, /^digger: --kubeconfig \S+ --context other: .*other.*mine.*\n$/);
  });

  it('TLS files that are not there', async () => {
    const { code, stderr } = await startWith('--tls-cert', join(folder, 'no.crt'), '--tls-key', join(folder, 'no.key'));
    assert.equal(code, 1);
    assert.match(stderr, /^digger: --tls-cert, --tls-key: cannot read \S+no\.crt: ENOENT\n$/);
  });
});
