// A peer: the informer of `@kubernetes/client-node`, with a map from addresses to pods beside it, as Node programs
// write it.
//
// It keeps what names a pod and its address, leaves out finished pods and those in the network of their node, takes the
// one that started last of several that have one address in the API, and starts the informer again when it fails, as
// its documentation says. How it is asked: peers/line/line.go.

import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { CoreV1Api, KubeConfig, makeInformer, type V1Pod } from '@kubernetes/client-node';

type Kept = { readonly uid: string; readonly startedMs: number; readonly addresses: readonly string[] };

const RETRY_MS = 1_000;

const [kubeconfig] = process.argv.slice(2);
if (kubeconfig === undefined) throw new Error('usage: node informer.ts KUBECONFIG');
const config = new KubeConfig();
config.loadFromFile(kubeconfig);
// It reads no token file.
const { users } = JSON.parse(readFileSync(kubeconfig, 'utf8')) as { users: [{ user: { tokenFile: string } }] };
const token = readFileSync(users[0].user.tokenFile, 'utf8').trim();
config.users = config.users.map((user) => ({ ...user, token }));

const kept = new Map<string, Kept>();
const holders = new Map<string, Set<Kept>>();

const core = config.makeApiClient(CoreV1Api);
const informer = makeInformer(config, '/api/v1/pods', () => core.listPodForAllNamespaces());
informer.on('add', put);
informer.on('update', put);
informer.on('delete', remove);
informer.on('error', () => void setTimeout(() => void start(), RETRY_MS));
await start();
process.stdout.write('ready\n');

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${line.trim().split(/\s+/).map(answer).join(' ')}\n`);
}
process.exit(0);

async function start(): Promise<void> {
  try {
    await informer.start();
  } catch {
    setTimeout(() => void start(), RETRY_MS);
  }
}

function put(pod: V1Pod): void {
  remove(pod);
  const { metadata, spec, status } = pod;
  if (spec?.hostNetwork === true || status?.phase === 'Succeeded' || status?.phase === 'Failed') return;
  const addresses = (status?.podIPs ?? []).flatMap(({ ip }) => (ip === undefined ? [] : [ip]));
  // A Date after a list, and text in the events of a watch, whatever its type says.
  const startedMs = new Date(status?.startTime ?? 0).getTime();
  const one = { uid: metadata?.uid ?? '', startedMs, addresses };
  kept.set(one.uid, one);
  for (const address of addresses) {
    const there = holders.get(address);
    if (there === undefined) holders.set(address, new Set([one]));
    else there.add(one);
  }
}

function remove(pod: V1Pod): void {
  const before = kept.get(pod.metadata?.uid ?? '');
  if (before === undefined) return;
  kept.delete(before.uid);
  for (const address of before.addresses) {
    const there = holders.get(address);
    there?.delete(before);
    if (there?.size === 0) holders.delete(address);
  }
}

function answer(address: string): string {
  let best: Kept | undefined;
  for (const each of holders.get(address) ?? []) {
    if (best === undefined || best.startedMs < each.startedMs) best = each;
  }
  return best?.uid ?? '-';
}
