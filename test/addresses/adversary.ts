// A cluster that does everything that makes attribution hard, and keeps the truth apart from what the API shows of it.
//
// Few addresses, handed out again the moment they are free. Kubelets report late; objects outlive their sandboxes or
// vanish before them; finished pods keep their address in the API; sandboxes are remade in place with another address;
// pods come back under their names; a node dies and its pods stay Running in the API; services and nodes are replaced
// by others with their address, a node's object held by a finalizer long after; services have ports on a node's
// address; a network plugin takes addresses outside every known range; the watch goes down and comes back with a
// relist. The truth is who had the address on the wire. Nothing here knows how the service decides.

import type { NodeEntity, PodEntity, ServiceEntity } from '../../src/model/entities.ts';
import type { Random } from '../random.ts';
import { node, pod, service, T0 } from './world.ts';

/** Who really had an address. Offsets in ms after T0. */
export interface Hold {
  readonly uid: string;
  readonly address: string;
  /** Only this port, of a node's address: a pod in the node's network, or a service. */
  readonly port?: number;
  readonly fromMs: number;
  /** Traffic ends here; the sandbox may live on a little, and no other has the address before it is gone. */
  untilMs: number;
  /** From here on the API does not exclude the hold: its own start, or that of the pod where there is no condition. */
  readonly possibleFromMs: number;
  /** When the API server first showed this hold; `Infinity`: never. */
  shownMs: number;
  /** When the API server stopped showing it. */
  hiddenMs: number;
  /** The start is told by no time of the API: a sandbox that was remade in place. */
  readonly isRemade: boolean;
  /** It got the address back that it had before: the API shows nothing of it. */
  readonly isRegained: boolean;
  /** Nor is that of a node's address or of a service's port on one. */
  readonly isStartUntold?: true;
  /** The API had it when its node was lost, which the API tells late and without a time. */
  isOnLostNode?: true;
}

/** What the watch delivered. */
export interface Delivery {
  readonly atMs: number;
  /** Last contact before a gap; the delivery is part of a relist. */
  readonly gapSinceMs: number | undefined;
  readonly put?: Shown;
  readonly removeName?: string;
}

type Shown = PodEntity | ServiceEntity | NodeEntity;

export interface History {
  readonly addresses: readonly string[];
  /** Places of pods in a node's network and of services on its address, and a port that none of them has. */
  readonly ports: readonly { readonly address: string; readonly port: number }[];
  readonly holds: readonly Hold[];
  /** Whether pods have their addresses from the ranges of their nodes. */
  readonly areRangesKnown: boolean;
  readonly deliveries: readonly Delivery[];
  readonly gaps: readonly { readonly sinceMs: number; readonly untilMs: number }[];
  readonly endMs: number;
}

interface ApiWrite {
  readonly atMs: number;
  readonly order: number;
  readonly put?: Shown;
  readonly removeName?: string;
}

const second = (ms: number) => Math.floor(ms / 1_000) * 1_000;

export function createHistory(random: Random): History {
  const endMs = 120_000;
  const addresses = Array.from({ length: 8 }, (_, i) => `10.1.0.${i + 1}`);
  const free = [...addresses];
  const holds: Hold[] = [];
  const writes: ApiWrite[] = [];
  const agenda: { atMs: number; order: number; run: () => void }[] = [];
  let order = 0;
  const plan = (atMs: number, run: () => void) => agenda.push({ atMs, order: order++, run });
  const write = (atMs: number, what: Pick<ApiWrite, 'put' | 'removeName'>) =>
    writes.push({ atMs, order: order++, ...what });

  const nodes = ['node-0', 'node-1'];
  const lostAt = new Map<string, number>();
  const areRangesKnown = random.chance(0.7);
  let ranges = 0;
  const nextRange = () => (areRangesKnown ? `10.1.${ranges++}.0/24` : `10.244.${ranges++}.0/24`);
  for (const name of nodes) write(0, { put: node(name, { podRanges: [nextRange()] }) });
  const nodeOf = new Map<string, string>();
  const names: string[] = [];
  const vanishing = new Map<string, (atMs: number) => number>();
  let pods = 0;

  function startPod(createdMs: number): void {
    // As a StatefulSet does it: the name that was freed last, with a new uid.
    const name = names.pop() ?? `pod-${pods}`;
    const uid = `uid-${pods++}`;
    const nodeName = random.pick(nodes);
    nodeOf.set(uid, nodeName);
    const hasCondition = random.chance(0.8);
    let facts: Partial<PodEntity> = {
      uid,
      nodeName,
      creationTimeMs: T0 + second(createdMs),
      startTimeMs: T0 + second(createdMs + 50),
    };
    // Writes of one object are ordered, however late the kubelet is.
    let lastWriteMs = createdMs;
    let isGone = false;
    const show = (atMs: number, change: Partial<PodEntity>) => {
      if (isGone) return Number.POSITIVE_INFINITY;
      lastWriteMs = Math.max(lastWriteMs + 1, atMs);
      facts = { ...facts, ...change };
      write(lastWriteMs, { put: pod(name, facts) });
      return lastWriteMs;
    };
    const vanish = (atMs: number) => {
      if (isGone) return lastWriteMs;
      isGone = true;
      lastWriteMs = Math.max(lastWriteMs + 1, atMs);
      write(lastWriteMs, { removeName: name });
      plan(lastWriteMs + 1, () => names.push(name));
      return lastWriteMs;
    };
    vanishing.set(uid, vanish);
    show(createdMs, {});

    function takeAddress(atMs: number, replaced: Hold | undefined): void {
      const isRemade = replaced !== undefined;
      if (lostAt.has(nodeName)) {
        const goneMs = vanish(atMs + 1_000);
        if (replaced !== undefined) replaced.hiddenMs = goneMs;
        return;
      }
      if (free.length === 0) {
        plan(atMs + random.between(50, 400), () => takeAddress(agendaMs, replaced));
        return;
      }
      const address = random.chance(0.8)
        ? (free.pop() as string)
        : (free.splice(random.between(0, free.length - 1), 1)[0] as string);
      const hold: Hold = {
        uid,
        address,
        fromMs: atMs,
        untilMs: Number.POSITIVE_INFINITY,
        shownMs: Number.POSITIVE_INFINITY,
        hiddenMs: Number.POSITIVE_INFINITY,
        isRemade,
        isRegained: holds.some((other) => other.uid === uid && other.address === address),
        possibleFromMs: isRemade ? atMs : hasCondition ? second(atMs) : second(createdMs),
      };
      holds.push(hold);
      const condition = hasCondition && !isRemade ? { sandboxReadyTimeMs: T0 + second(atMs) } : {};
      hold.shownMs = show(atMs + random.between(20, 1_500), { addresses: [address], ...condition });
      // With this write the address that it replaces leaves the status.
      if (replaced !== undefined) replaced.hiddenMs = hold.shownMs;
      plan(Math.max(hold.shownMs, atMs) + random.between(200, 20_000), () => endHold(hold));
    }

    const release = (hold: Hold, atMs: number) => plan(atMs, () => free.push(hold.address));

    function endHold(hold: Hold): void {
      const now = agendaMs;
      if (hold.untilMs !== Number.POSITIVE_INFINITY) return;
      const kind = random.between(0, 9);
      if (kind < 4) {
        // Deleted with grace: the address is free before or after the object vanishes.
        show(now, { deletionTimeMs: T0 + second(now) + 30_000 });
        hold.untilMs = now + random.between(100, 3_000);
        hold.hiddenMs = vanish(hold.untilMs + random.between(-300, 2_500));
        release(hold, hold.untilMs);
      } else if (kind < 7) {
        // Finished: keeps its address in the API until it is cleaned up.
        hold.untilMs = now;
        hold.hiddenMs = show(now + random.between(20, 1_500), {
          terminal: true,
          finishedTimeMs: T0 + second(now),
        });
        release(hold, now + random.between(0, 1_000));
        vanish(now + random.between(2_000, 20_000));
      } else if (kind < 8) {
        // Deleted by force: the object is gone at once, the sandbox is not.
        hold.hiddenMs = vanish(now);
        hold.untilMs = now + random.between(0, 3_000);
        release(hold, hold.untilMs);
      } else {
        // The sandbox is remade in place and gets another address.
        hold.untilMs = now;
        release(hold, now);
        plan(now + random.between(100, 2_000), () => takeAddress(agendaMs, hold));
      }
    }

    plan(createdMs + random.between(100, 2_000), () => takeAddress(agendaMs, undefined));
  }

  function loseNode(name: string): void {
    lostAt.set(name, agendaMs);
    for (const hold of holds) {
      if (nodeOf.get(hold.uid) === name && hold.hiddenMs > agendaMs) hold.isOnLostNode = true;
    }
    nodes.splice(nodes.indexOf(name), 1, `${name}x`);
    write(agendaMs, { put: node(`${name}x`, { podRanges: [nextRange()] }) });
    write(agendaMs + random.between(1_000, 5_000), { removeName: name });
    const written = new Map<string, PodEntity>();
    for (const { put, removeName } of writes) {
      if (put?.kind === 'Pod') written.set(put.name, put);
      if (removeName !== undefined) written.delete(removeName);
    }
    for (const victim of written.values()) {
      if (victim.nodeName !== name) continue;
      const hold = holds.findLast((each) => each.uid === victim.uid);
      const goneMs = vanishing.get(victim.uid)?.(agendaMs + random.between(20_000, 40_000)) ?? agendaMs;
      for (const each of holds) if (each.uid === victim.uid) each.hiddenMs = Math.min(each.hiddenMs, goneMs);
      if (hold === undefined || hold.untilMs !== Number.POSITIVE_INFINITY) continue;
      hold.untilMs = agendaMs;
      free.push(hold.address);
    }
  }

  /** Objects whose address is theirs from creation to deletion, and then the next one's. */
  function handOn(pool: readonly string[], make: (name: string, address: string, createdMs: number) => Shown): void {
    for (const address of pool) {
      const name = `on-${address}`;
      const next = (createdMs: number) => {
        const untilMs = createdMs + random.between(2_000, 30_000);
        const uid = `uid-${pods++}`;
        const times = { fromMs: createdMs, untilMs, possibleFromMs: second(createdMs) };
        const traits = { isRemade: false, isRegained: false };
        holds.push({ uid, address, ...times, shownMs: createdMs, hiddenMs: untilMs, ...traits });
        write(createdMs, { put: { ...make(name, address, createdMs), uid } });
        write(untilMs, { removeName: name });
        plan(untilMs + (random.chance(0.5) ? 1 : random.between(1, 5_000)), () => next(agendaMs));
      };
      plan(random.between(0, 5_000), () => next(agendaMs));
    }
  }
  /**
   * One node after the other on each address. The object of one that is gone may stay, held by a finalizer, while the
   * next one has its address.
   */
  function replaceNodes(pool: readonly string[]): void {
    for (const address of pool) {
      const next = (createdMs: number) => {
        const uid = `uid-${pods++}`;
        const name = `node-${uid}`;
        const untilMs = createdMs + random.between(2_000, 30_000);
        const isHeld = random.chance(0.5);
        const hiddenMs = isHeld ? untilMs + random.between(1, 20_000) : untilMs;
        const times = { fromMs: createdMs, untilMs, possibleFromMs: second(createdMs), shownMs: createdMs, hiddenMs };
        holds.push({ uid, address, ...times, isRemade: false, isRegained: false, isStartUntold: true });
        const facts = { uid, addresses: [address], creationTimeMs: T0 + second(createdMs) };
        write(createdMs, { put: node(name, facts) });
        const requestedMs = Math.max(createdMs + 1, untilMs - random.between(0, 2_000));
        if (isHeld) write(requestedMs, { put: node(name, { ...facts, deletionTimeMs: T0 + second(requestedMs) }) });
        write(hiddenMs, { removeName: name });
        plan(untilMs + (random.chance(0.5) ? 1 : random.between(1, 5_000)), () => next(agendaMs));
      };
      plan(random.between(0, 5_000), () => next(agendaMs));
    }
  }

  /**
   * One service after the other with a port of its own on an address of a node: a load balancer that lives on the
   * nodes.
   */
  function servicesOnNode(address: string, ports: readonly number[]): void {
    for (const port of ports) {
      const name = `on-node-${port}`;
      const next = (createdMs: number) => {
        const untilMs = createdMs + random.between(2_000, 30_000);
        const uid = `uid-${pods++}`;
        const times = { fromMs: createdMs, untilMs, possibleFromMs: createdMs, shownMs: createdMs, hiddenMs: untilMs };
        holds.push({ uid, address, port, ...times, isRemade: false, isRegained: false, isStartUntold: true });
        const clusterAddresses = [`10.97.${pods >> 8}.${pods & 255}`];
        const on = random.chance(0.5) ? { loadBalancerAddresses: [address] } : { externalAddresses: [address] };
        write(createdMs, { put: service(name, { uid, clusterAddresses, ...on, ports: [{ port, protocol: 'TCP' }] }) });
        write(untilMs, { removeName: name });
        plan(untilMs + random.between(1, 5_000), () => next(agendaMs));
      };
      plan(random.between(0, 5_000), () => next(agendaMs));
    }
  }

  /** One pod after the other on each port; the next one starts when the one before is gone, in truth and in the API. */
  function hostNetworkPods(address: string, ports: readonly number[]): void {
    const nodeName = 'host';
    write(0, { put: node(nodeName, { addresses: [address] }) });
    const whole = { fromMs: 0, untilMs: endMs * 2, possibleFromMs: 0, shownMs: 0, hiddenMs: endMs * 2 };
    holds.push({ uid: `uid-${nodeName}`, address, ...whole, isRemade: false, isRegained: false });
    for (const port of ports) {
      const name = `host-${port}`;
      const next = (createdMs: number) => {
        const uid = `uid-${pods++}`;
        const fromMs = createdMs + random.between(100, 2_000);
        const shownMs = fromMs + random.between(20, 1_500);
        const endsMs = shownMs + random.between(200, 20_000);
        const hold: Hold = {
          uid,
          address,
          port,
          fromMs,
          untilMs: endsMs,
          possibleFromMs: second(fromMs),
          shownMs,
          hiddenMs: endsMs,
          isRemade: false,
          isRegained: false,
        };
        holds.push(hold);
        const facts: Partial<PodEntity> = {
          uid,
          nodeName,
          hostNetwork: true,
          creationTimeMs: T0 + second(createdMs),
          startTimeMs: T0 + second(createdMs),
          hostPorts: [{ port, protocol: 'TCP', hostAddress: undefined }],
        };
        const times = { sandboxReadyTimeMs: T0 + second(fromMs) };
        const running = { ...facts, ...times, addresses: [address], hostAddresses: [address] };
        write(createdMs, { put: pod(name, facts) });
        write(shownMs, { put: pod(name, running) });
        let goneMs = endsMs;
        switch (random.between(0, 2)) {
          case 0: {
            const deletionTimeMs = T0 + second(endsMs) + 30_000;
            write(endsMs, { put: pod(name, { ...running, deletionTimeMs }) });
            hold.untilMs = endsMs + random.between(100, 3_000);
            goneMs = Math.max(endsMs + 1, hold.untilMs + random.between(-300, 2_500));
            hold.hiddenMs = goneMs;
            break;
          }
          case 1: {
            hold.hiddenMs = endsMs + random.between(20, 1_500);
            const finishedTimeMs = T0 + second(endsMs);
            write(hold.hiddenMs, { put: pod(name, { ...running, terminal: true, finishedTimeMs }) });
            goneMs = hold.hiddenMs + random.between(100, 3_000);
            break;
          }
          default:
            hold.untilMs = endsMs + random.between(0, 3_000);
        }
        write(goneMs, { removeName: name });
        plan(Math.max(goneMs, hold.untilMs) + random.between(1, 3_000), () => next(agendaMs));
      };
      plan(random.between(0, 3_000), () => next(agendaMs));
    }
  }
  const clusterAddresses = ['10.96.0.1', '10.96.0.2'];
  const nodeAddresses = ['10.0.0.1', '10.0.0.2'];
  handOn(clusterAddresses, (name, address, createdMs) =>
    service(name, { clusterAddresses: [address], creationTimeMs: T0 + second(createdMs) }),
  );
  const hostAddress = '10.0.1.1';
  const hostPorts = [8_080, 8_081];
  hostNetworkPods(hostAddress, hostPorts);
  const servicePorts = [80, 443];
  servicesOnNode(hostAddress, servicePorts);
  replaceNodes(nodeAddresses);

  for (let at = random.between(0, 500); at < endMs; at += random.between(500, 3_500))
    plan(at, () => startPod(agendaMs));
  if (random.chance(0.5)) plan(random.between(20_000, 80_000), () => loseNode(random.pick(nodes)));

  let agendaMs = 0;
  while (agenda.length > 0) {
    agenda.sort((a, b) => b.atMs - a.atMs || b.order - a.order);
    const next = agenda.pop();
    if (next === undefined || next.atMs > endMs) break;
    agendaMs = next.atMs;
    next.run();
  }

  return {
    addresses: [...addresses, ...clusterAddresses, ...nodeAddresses],
    ports: [...hostPorts, ...servicePorts, 22].map((port) => ({ address: hostAddress, port })),
    holds,
    areRangesKnown,
    endMs,
    ...deliver(writes, random, endMs),
  };
}

/** Plays the writes through a watch that is a little late and sometimes down. */
function deliver(writes: ApiWrite[], random: Random, endMs: number): Pick<History, 'deliveries' | 'gaps'> {
  const gaps: { sinceMs: number; untilMs: number }[] = [];
  if (random.chance(0.5)) {
    const sinceMs = random.between(20_000, 80_000);
    gaps.push({ sinceMs, untilMs: sinceMs + random.between(1_000, 20_000) });
  }
  writes.sort((a, b) => a.atMs - b.atMs || a.order - b.order);
  const deliveries: Delivery[] = [];
  const api = new Map<string, Shown>();
  const seen = new Map<string, Shown>();
  let clockMs = 0;
  const push = (atMs: number, gapSinceMs: number | undefined, what: Pick<Delivery, 'put' | 'removeName'>) => {
    clockMs = Math.max(clockMs, atMs);
    if (what.removeName !== undefined && !seen.delete(what.removeName)) return;
    if (what.put !== undefined) {
      if (seen.get(what.put.name) === what.put) return;
      seen.set(what.put.name, what.put);
    }
    deliveries.push({ atMs: clockMs, gapSinceMs, ...what });
  };
  const relist = (gap: { sinceMs: number; untilMs: number }) => {
    for (const name of [...seen.keys()]) {
      if (api.get(name)?.uid !== seen.get(name)?.uid) push(gap.untilMs, gap.sinceMs, { removeName: name });
    }
    for (const put of api.values()) push(gap.untilMs, gap.sinceMs, { put });
  };
  let [gap] = gaps;
  for (const { atMs, put, removeName } of writes) {
    if (atMs > endMs) break;
    if (gap !== undefined && atMs >= gap.untilMs) {
      relist(gap);
      gap = undefined;
    }
    if (put !== undefined) api.set(put.name, put);
    if (removeName !== undefined) api.delete(removeName);
    if (gap !== undefined && atMs >= gap.sinceMs) continue;
    const what = put !== undefined ? { put } : { removeName: removeName as string };
    push(atMs + random.between(2, 60), undefined, what);
  }
  if (gap !== undefined && gap.untilMs <= endMs) relist(gap);
  return { deliveries, gaps };
}
