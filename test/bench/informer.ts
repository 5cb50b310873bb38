// The usual way to follow pods from Node: `@kubernetes/client-node`'s informer, for comparison.
//
// `node informer.ts KUBECONFIG` prints one line of JSON when its first list is in: `{"ms", "pods", "loopDelayMaxMs"}`,
// ms from the start of the process; then it goes on for as long as standard input is open.
import { readFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { CoreV1Api, KubeConfig, makeInformer } from '@kubernetes/client-node';

const [kubeconfig] = process.argv.slice(2);
if (kubeconfig === undefined) throw new Error('usage: node informer.ts KUBECONFIG');
const config = new KubeConfig();
config.loadFromFile(kubeconfig);
// It reads no token file.
const { users } = JSON.parse(readFileSync(kubeconfig, 'utf8')) as {
  users: [{ user: { tokenFile: string } }];
};
const token = readFileSync(users[0].user.tokenFile, 'utf8').trim();
config.users = config.users.map((user) => ({ ...user, token }));

const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();
const core = config.makeApiClient(CoreV1Api);
const informer = makeInformer(config, '/api/v1/pods', () => core.listPodForAllNamespaces());
await informer.start();
const ms = Math.round(performance.now());
await new Promise((resolve) => setTimeout(resolve, 100));
delay.disable();
const pods = informer.list().length;
process.stdout.write(`${JSON.stringify({ ms, pods, loopDelayMaxMs: Math.round(delay.max / 1e6) })}\n`);
process.stdin.on('end', () => process.exit(0)).resume();
