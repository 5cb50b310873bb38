// `digger demo`: a simulated cluster with a life of its own, in the same process, and digger in front of it.
//
// The service reaches the simulator as it reaches any API server: over HTTP, by a kubeconfig. Nothing of it knows that
// this is a demo. Prints lines for grpcurl, with addresses and names that exist at that moment.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { RunningService, ServiceOptions, StartService } from '../service.ts';
import { probeLines } from './probe-lines.ts';
import { startLivingCluster } from '../simulator/demo/living-cluster.ts';

export interface DemoOptions extends ServiceOptions {
  readonly startService: StartService;
  readonly out: { write(text: string): boolean };
  /** Default: startLivingCluster. */
  readonly startCluster?: typeof startLivingCluster;
}

/** Starts both, and resolves when digger answers; rejects when it does not within READY_TIMEOUT_MS. */
export async function startDemo(options: DemoOptions): Promise<RunningService> {
  const { logger, out } = options;
  const cluster = await (options.startCluster ?? startLivingCluster)({ port: 0 });
  const folder = mkdtempSync(join(tmpdir(), 'digger-demo-'));
  const cleanUp = async (): Promise<void> => {
    await cluster.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  let service: RunningService | undefined;
  try {
    const kubeconfig = join(folder, 'kubeconfig.json');
    writeFileSync(kubeconfig, JSON.stringify(kubeconfigFor(cluster.url)), { mode: 0o600 });
    logger.info({ cluster: cluster.url }, 'simulated cluster started');
    const namedRanges =
      options.config.namedRanges.length > 0 ? options.config.namedRanges : [join(folder, 'ranges.yaml')];
    writeFileSync(join(folder, 'ranges.yaml'), DEMO_RANGES);
    const config = { ...options.config, kubeconfig, context: undefined, namedRanges };
    const started = await options.startService({ ...options, config });
    service = started;
    await untilReady(started.adminAddress, options.signal);
    const lines = probeLines(started.address, cluster.examples(), config.tlsCert !== undefined);
    out.write(`\ndigger answers for a simulated cluster. From another shell:\n\n${lines.join('\n')}\n\n`);
    return {
      address: started.address,
      adminAddress: started.adminAddress,
      stop: async () => {
        await started.stop();
        await cleanUp();
      },
    };
  } catch (error) {
    await service?.stop();
    await cleanUp();
    throw error;
  }
}

// A hundred times what it takes on a laptop.
const READY_TIMEOUT_MS = 30_000;
const READY_POLL_MS = 20;

async function untilReady(adminAddress: string, signal: AbortSignal | undefined): Promise<void> {
  const deadline = performance.now() + READY_TIMEOUT_MS;
  for (;;) {
    signal?.throwIfAborted();
    const { isReady, text } = await askReadiness(adminAddress);
    if (isReady) return;
    if (performance.now() > deadline) throw new Error(`not ready after ${READY_TIMEOUT_MS} ms: ${text.trim()}`);
    await delay(READY_POLL_MS);
  }
}

/** On a machine that is too busy the connection may have timed out when it is used again: that is "not yet" too. */
async function askReadiness(adminAddress: string): Promise<{ readonly isReady: boolean; readonly text: string }> {
  try {
    const response = await fetch(`http://${adminAddress}/readyz`);
    return { isReady: response.ok, text: await response.text() };
  } catch (error) {
    return { isReady: false, text: String(error) };
  }
}

/** So that an address outside of the cluster has a name: 192.0.2.1, which the printed lines ask for. */
const DEMO_RANGES = `ranges:
  - name: office-berlin
    kind: office
    region: eu-central
    cidrs: [192.0.2.0/24]
`;

function kubeconfigFor(url: string): Record<string, unknown> {
  return {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'demo', cluster: { server: url } }],
    users: [{ name: 'demo', user: {} }],
    contexts: [{ name: 'demo', context: { cluster: 'demo', user: 'demo' } }],
    'current-context': 'demo',
  };
}
