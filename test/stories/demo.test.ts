// `digger demo`: one command, no Kubernetes, and the lines that it prints work as they stand.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startDemo } from '../../src/cli/demo.ts';
import { parseConfig } from '../../src/options/config.ts';
import { startService } from '../../src/service.ts';
import { type RunningLivingCluster, startLivingCluster } from '../../src/simulator/demo/living-cluster.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { createListReader } from '../observers/cluster-lists.ts';
import { DiggerClient } from '../observers/digger-client.ts';
import { eventually, done, notYet } from '../observers/eventually.ts';
import { forgetPid, watchPid } from '../observers/processes.ts';
import { assertWholeState } from '../observers/whole-state.ts';
import { kubeconfigFor, ROLLOUTS } from './story.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/**
 * It takes about a second. The bound is the demo's own, for machines that are busy; the time itself is a diagnostic.
 */
const READY_WITHIN_MS = 30_000;

describe('digger demo', () => {
  it('is ready soon after its start, and what it prints can be asked as it stands', async (t) => {
    const startedAt = performance.now();
    const args = ['src/main.ts', 'demo', '--listen', '127.0.0.1:0', '--admin-listen', '127.0.0.1:0'];
    const demo = spawn(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'] });
    const { pid } = demo;
    assert.ok(pid !== undefined);
    watchPid(pid);
    const ended = new Promise<number | null>((resolve) => {
      demo.once('exit', (code) => {
        forgetPid(pid);
        resolve(code);
      });
    });
    const printed: string[] = [];
    createInterface({ input: demo.stdout }).on('line', (line) => printed.push(line));
    try {
      // The lines are printed when it answers.
      const calls = await eventually('the demo prints its lines', () => {
        const lines = printed.filter((line) => line.startsWith('grpcurl '));
        return lines.some((line) => line.endsWith('Health/Check')) ? done(lines) : notYet(printed);
      });
      const readyMs = performance.now() - startedAt;
      t.diagnostic(`ready ${Math.round(readyMs)} ms after its start`);
      assert.ok(readyMs < READY_WITHIN_MS, `${readyMs} ms`);

      const methods = new Set<string>();
      for (const line of calls) {
        const parsed = /^grpcurl -plaintext (?:-d '(\{.*\})' )?(127\.0\.0\.1:\d+) (\S+)/.exec(line);
        assert.ok(parsed, line);
        const [, request = '{}', address = '', method = ''] = parsed;
        // Reflection has tests of its own.
        if (method === 'list' || method === 'describe') continue;
        const [service = '', name = ''] = method.split('/');
        methods.add(method);
        using clients = new DiggerClient(address);
        const call = service.slice(service.lastIndexOf('.') + 1);
        if (name === 'Watch') {
          const subscription = clients.watch(JSON.parse(request));
          await eventually('a snapshot', () => {
            const kinds = subscription.frames.map((frame) => frame['frame']);
            return kinds.includes('synced') && kinds.includes('changes') ? done(undefined) : notYet(kinds);
          });
          subscription.cancel();
          continue;
        }
        const answer = await clients.call(call, name, JSON.parse(request));
        switch (name) {
          case 'ResolveAddress':
            assert.equal(answer['resolution']['outcome'], 'OUTCOME_RESOLVED', line);
            break;
          case 'BatchResolveAddresses':
            assert.equal(answer['results'][0]['resolution']['outcome'], 'OUTCOME_RESOLVED', line);
            break;
          case 'GetStatus':
            assert.equal(answer['ready'], true, JSON.stringify(answer));
            break;
          case 'Check':
            assert.equal(answer['status'], 'SERVING');
            break;
          default:
            // Beside the object there are its namespace and attributes.
            assert.ok(answer[name.replace('Get', '').toLowerCase()]?.['name'], `${line}: ${JSON.stringify(answer)}`);
        }
      }
      const gets = ['GetPod', 'GetService', 'GetNode', 'GetNamespace', 'GetWorkload'];
      const lookups = ['ResolveAddress', 'BatchResolveAddresses', ...gets];
      assert.deepEqual([...methods].toSorted(), [
        'digger.v1.ChangeFeedService/Watch',
        ...lookups.map((name) => `digger.v1.LookupService/${name}`).toSorted(),
        'digger.v1.StatusService/GetStatus',
        'grpc.health.v1.Health/Check',
      ]);
      demo.kill('SIGTERM');
      assert.equal(await ended, 0, printed.join('\n'));
    } finally {
      demo.kill('SIGKILL');
      await ended;
    }
  });

  it('answers for everything that its cluster has', async () => {
    const parsed = parseConfig({ listen: '127.0.0.1:0', adminListen: '127.0.0.1:0' }, {});
    assert.ok(parsed.ok, JSON.stringify(parsed));
    let cluster: RunningLivingCluster | undefined;
    const printed: string[] = [];
    const service = await startDemo({
      config: parsed.config,
      logger: createLogger({ level: 'silent', pretty: false }),
      startService,
      fail: (problem) => assert.fail(problem),
      out: { write: (text) => printed.push(text) > 0 },
      startCluster: async (options) => (cluster = await startLivingCluster(options)),
    });
    const folder = mkdtempSync(join(tmpdir(), 'digger-demo-story-'));
    try {
      assert.ok(cluster !== undefined);
      assert.match(printed.join(''), /grpcurl/);
      // Lists that are read one after the other can only be compared when nothing moves.
      await cluster.rest();
      const kubeconfig = join(folder, 'kubeconfig.json');
      writeFileSync(kubeconfig, JSON.stringify(kubeconfigFor(cluster.url)));
      using client = new DiggerClient(service.address);
      const compared = await assertWholeState(client, createListReader(kubeconfig, [ROLLOUTS]));
      assert.ok(compared.entities > 50 && compared.resolved > 100, JSON.stringify(compared));
    } finally {
      rmSync(folder, { recursive: true });
      await service.stop();
    }
  });
});
