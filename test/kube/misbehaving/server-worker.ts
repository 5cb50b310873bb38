// The thread in which the misbehaving server and the way to it live, so that every socket, timer and byte of heap that
// is counted in the other thread belongs to digger.

import { parentPort, workerData } from 'node:worker_threads';
import type { Certificate } from '../../simulator/server/certificate.ts';
import { type Affliction, Gateway, type Protocol } from './gateway.ts';
import { MisbehavingApiServer, type Report } from './misbehaving-api-server.ts';
import type { Misbehaviour } from './misbehaviours.ts';

const { seed, certificate } = workerData as { readonly seed: number; readonly certificate: Certificate };
const server = new MisbehavingApiServer(seed);
const gateway = new Gateway(certificate, await server.listen());

/** What the other thread can ask for. Arguments and results are copied between the threads. */
const verbs = {
  listen: () => gateway.listen(),
  put: (plural: string, name: string, poisoned?: boolean) => server.put(plural, name, poisoned),
  remove: (plural: string, name: string) => server.remove(plural, name),
  curse: (plural: string) => server.curse(plural),
  order: (misbehaviour: Misbehaviour, times: number) => server.order(misbehaviour, times),
  orderLists: (misbehaviour: Misbehaviour, times: number) => server.orderLists(misbehaviour, times),
  misbehave: (chance: number, kinds: readonly Misbehaviour[]) => server.misbehave(chance, kinds),
  speak: (encoding: 'protobuf' | 'json', streamsLists: boolean) => server.speak(encoding, streamsLists),
  endWatch: (plural: string) => server.endWatch(plural),
  endWatches: () => server.endWatches(),
  restart: () => server.restart(),
  afflict: (affliction: Affliction) => gateway.afflict(affliction),
  ignoreNewConnections: () => {
    gateway.ignoring = true;
  },
  offer: (protocol: Protocol) => {
    gateway.protocol = protocol;
  },
  setCertificate: (given: Certificate) => gateway.setCertificate(given),
  heal: () => {
    server.heal();
    gateway.heed();
  },
  sweep: () => gateway.sweep(),
  report: (): Report & { readonly alive: number; readonly linked: number } => ({
    ...server.report(gateway.hiddenPorts),
    alive: gateway.alive,
    linked: gateway.linked,
  }),
  close: () => {
    gateway.close();
    server.close();
  },
};
export type Verbs = typeof verbs;

parentPort?.on(
  'message',
  async ({ id, verb, args }: { readonly id: number; readonly verb: keyof Verbs; readonly args: unknown[] }) => {
    const result = await (verbs[verb] as (...given: unknown[]) => unknown)(...args);
    parentPort?.postMessage({ id, result }, []);
  },
);
