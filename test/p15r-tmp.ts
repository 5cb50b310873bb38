import { AddressBook } from '../src/addresses/address-book.ts';
import { AddressFeed } from '../src/address-feed.ts';
import { ChangeFeed } from '../src/feed/change-feed.ts';
import { createPacer } from '../src/catalog/pacer.ts';
import { Registry } from '@prometheus-io/client';
import { node, pod, service } from './addresses/world.ts';
import type { Entity } from '../src/model/entities.ts';
import { toByteString, NO_BYTES } from '../src/model/byte-string.ts';
import { setTimeout as wait } from 'node:timers/promises';
const PODS = Number(process.argv[2] ?? 100_000);
let off = 0; const now = () => Date.now() + off;
let blind: number | undefined;
const book = new AddressBook({ now, slackMs: 500, retentionMs: 600_000, maxClaims: 500_000, maxBytes: 1e9, maxWaiters: 10, clusterRanges: ['10.0.0.0/8'], blindSinceMs: () => blind });
const link: any = () => L;
const feed = new ChangeFeed({ epoch: Buffer.alloc(16, 1), configuration: '', freshness: () => [], registry: new Registry(), timelines: { get isWhole() { return L.isWhole; }, get isSettled() { return L.isSettled; }, get historySinceMs() { return L.historySinceMs; }, get followedSinceMs() { return L.followedSinceMs; } } });
const pacer = createPacer();
const L = new AddressFeed({ addresses: book, feed, pacer, now });
let seq = 0;
const cpuNow = () => { const { user, system } = process.threadCpuUsage(); return (user + system) / 1000; };
let max = 0; let maxApply = 0; let at = 0; let timer: any; let gcs = 0;
const start = () => { max = 0; maxApply = 0; at = cpuNow(); timer = setInterval(() => { const c = cpuNow(); max = Math.max(max, c - at); at = c; }, 1); };
const stop = (what: string) => { clearInterval(timer); console.log(what, 'longest turn', max.toFixed(1), 'ms CPU, longest apply', maxApply.toFixed(1)); };
const bytes = toByteString(Buffer.from('x'.repeat(200)));
const dress = (e: Entity): Entity => ({ ...e, own: bytes });
const apply = (changes: [Entity | undefined, Entity | undefined][], more: object = {}) => {
  const t = cpuNow();
  L.onBatch({ changes: changes.map(([before, after]) => ({ sequence: ++seq, before, after })), seen: { atMs: now(), ...more }, position: { resource: 'pods', resourceVersion: `${seq}`, digest: seq } } as any);
  maxApply = Math.max(maxApply, cpuNow() - t);
};
const ip = (i: number) => `10.${(i >> 16) + 1}.${(i >> 8) & 255}.${i & 255}`;
const pods: Entity[] = [];
const nodes: Entity[] = [];
for (let i = 0; i < PODS / 500; i++) { nodes.push(dress(node(`node-${i}`, { addresses: [`192.168.${i >> 8}.${i & 255}`] }))); apply([[undefined, nodes[i]]]); }
for (let i = 0; i < PODS; i++) { pods.push(dress(pod(`p-${i}`, { addresses: [ip(i)], nodeName: `node-${Math.floor(i / 500)}`, uid: `uid-${i}`, sandboxReadyTimeMs: now() }))); apply([[undefined, pods[i]]]); if (i % 1000 === 0) await wait(0); }
book.open(); L.open(); L.want();
start(); await wait(1500); await L.settled(); await wait(5); stop('first writing of ' + PODS);
globalThis.gc?.();
start(); apply([[nodes[3], undefined]]); await wait(300); await L.settled(); await wait(5); stop('a node with 500 pods is lost');
globalThis.gc?.();
start(); for (let i = 1500; i < 2000; i++) { const t: Entity = { ...pods[i]!, deletionTimeMs: now() } as any; apply([[pods[i], t]]); pods[i] = t; } await wait(300); await L.settled(); stop('and its pods are deleted, in one turn of the watch');
// endpoints
const ep = (n: number, shift: number) => dress(service('svc', { uid: 'svc', clusterAddresses: ['10.99.0.1'], manualEndpoints: Array.from({ length: n }, (_, i) => `203.0.${(i + shift) >> 8}.${(i + shift) & 255}`) } as any));
globalThis.gc?.();
let s = ep(5000, 0); start(); apply([[undefined, s]]); await wait(300); await L.settled(); await wait(5); stop('5,000 endpoints come at once');
globalThis.gc?.();
{ const t = ep(5000, 2500); start(); apply([[s, t]]); s = t; await wait(300); await L.settled(); await wait(5); stop('half of 5,000 endpoints change at once'); }
globalThis.gc?.();
{ const t = ep(5000, 2501); start(); apply([[s, t]]); s = t; await wait(300); await L.settled(); await wait(5); stop('one of 5,000 endpoints changes'); }
// relist after a minute
globalThis.gc?.();
blind = now(); L.update(); off += 60_000;
start(); let slice = pacer.begin();
const since = now() - 60_000;
for (let i = 4000; i < PODS; i++) {
  const old = pods[i]!;
  if (i % 2 === 0) { pods[i] = dress(pod(`q-${i}`, { addresses: [ip(i)], nodeName: `node-${Math.floor(i / 500)}`, uid: `uidq-${i}`, sandboxReadyTimeMs: now() - 30_000 })); apply([[old, undefined], [undefined, pods[i]]], { sinceMs: since, relisted: true }); }
  if (slice.due()) await pacer.pause();
}
blind = undefined; L.update();
await wait(1500); await L.settled(); await wait(5); stop('relist: half of ' + PODS + ' pods replaced');
start(); off += 700_000; const t0 = cpuNow(); { const sl = pacer.begin(); while (!book.expire(() => sl.due())) await pacer.pause(); } const t1 = cpuNow(); L.update(); const t2 = cpuNow(); await wait(500); await L.settled(); await wait(5); stop(`history of ${PODS / 2} claims ends: expire ${(t1 - t0).toFixed(1)} update ${(t2 - t1).toFixed(1)}`);
process.exit(0);
