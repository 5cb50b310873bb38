// digger's watching side against the misbehaving server: one transport with real sockets, a reflector for each
// resource, stores that a test can compare, and counts of what the process holds.
//
// Waits are hurried so that a minute of trouble fits into seconds: backoff forty times, patience with a silent server
// twenty times (a watch ends after 16 to 31 s instead of 5 to 10 minutes). Pings come after 250 ms of silence and may
// take 500 ms, so that a dead connection has to be noticed in less than a second over HTTP/2, long before any patience
// ends.

import { getEventListeners } from 'node:events';
import { type Clock, systemClock } from '../../../src/kube/clock.ts';
import type { Credentials, Identity } from '../../../src/kube/credentials/credentials.ts';
import { Reflector } from '../../../src/kube/reflector/reflector.ts';
import { ServerContact } from '../../../src/kube/reflector/server-contact.ts';
import type { ReflectorStatus } from '../../../src/kube/reflector/reflector-status.ts';
import type { ReflectorStore, Replacement } from '../../../src/kube/reflector/store.ts';
import { endpointSlices, nodes, owners, pods, type ResourceDescriptor, services } from '../../../src/kube/resources.ts';
import { createTransport, type Transport } from '../../../src/kube/transport/transport.ts';
import type { KubernetesRecord } from '../../../src/model/kubernetes/records.ts';
import { createLogger } from '../../../src/telemetry/logger.ts';
import { stateOf } from './cluster-model.ts';

export const PING = { pingAfterMs: 250, pingTimeoutMs: 500 };

/** From here on a wait is patience with a server, not politeness. */
const PATIENCE_MS = 20_000;
/** The patience with a probe, of which a busy machine needs some too. */
const PROBE_MS = 5_000;

export const hurriedClock: Clock = {
  now: () => systemClock.now(),
  setTimer: (callback, delayMs) => systemClock.setTimer(callback, delayMs / hurryOf(delayMs)),
};

function hurryOf(delayMs: number): number {
  if (delayMs === PROBE_MS) return 10;
  return delayMs < PATIENCE_MS ? 40 : 20;
}

/** A client certificate stands for all TLS material: another one means new connections. */
export class RotatingCredentials implements Credentials {
  readonly server: string;
  readonly proxyUrl = undefined;
  readonly #ca: Buffer;
  #pair: { readonly cert: Buffer; readonly key: Buffer } | undefined;
  #token = 0;
  #identity: Identity | undefined;

  /** `ca`: certificates of all authorities that are trusted. */
  constructor(server: string, ca: string) {
    this.server = server;
    this.#ca = Buffer.from(ca);
  }

  rotate(pair: { readonly cert: string; readonly key: string }): void {
    this.#pair = { cert: Buffer.from(pair.cert), key: Buffer.from(pair.key) };
    this.#identity = undefined;
  }

  async current(): Promise<Identity> {
    this.#identity ??= {
      headers: { authorization: `Bearer ${this.#token}` },
      tls: {
        ...{ ca: this.#ca, cert: this.#pair?.cert, key: this.#pair?.key },
        ...{ serverName: undefined, rejectUnauthorized: true },
      },
    };
    return this.#identity;
  }

  refused(identity: Identity): void {
    if (identity !== this.#identity) return;
    this.#token += 1;
    this.#identity = undefined;
  }
}

/** Keeps no more than what is asked for: the state. */
class StateStore implements ReflectorStore<KubernetesRecord> {
  readonly #state = new Map<string, string>();
  openReplacements = 0;

  get state(): readonly string[] {
    return [...this.#state.values()].toSorted();
  }

  beginReplace(): Replacement<KubernetesRecord> {
    this.openReplacements += 1;
    const next = new Map<string, string>();
    return {
      add: (record) => void next.set(record.name, stateOf(record)),
      commit: async () => {
        this.openReplacements -= 1;
        this.#state.clear();
        for (const [name, state] of next) this.#state.set(name, state);
      },
      abort: () => {
        this.openReplacements -= 1;
      },
    };
  }

  upsert(record: KubernetesRecord): void {
    this.#state.set(record.name, stateOf(record));
  }

  remove(record: KubernetesRecord): void {
    if (this.#state.get(record.name)?.split(' ')[1] === record.uid) this.#state.delete(record.name);
  }

  bookmark(): void {}
}

const [replicaSets] = owners;
if (replicaSets === undefined) throw new Error('no kind of owner is watched');
const WATCHED = [pods, services, nodes, endpointSlices, replicaSets] as readonly ResourceDescriptor<KubernetesRecord>[];

export class Watching {
  readonly credentials: RotatingCredentials;
  readonly #transport: Transport;
  readonly #stopping = new AbortController();
  readonly #watched: readonly {
    readonly plural: string;
    readonly store: StateStore;
    readonly reflector: Reflector<KubernetesRecord>;
  }[];

  constructor(port: number, ca: string, random: () => number) {
    this.credentials = new RotatingCredentials(`https://127.0.0.1:${port}`, ca);
    this.#transport = createTransport({ credentials: this.credentials, userAgent: 'digger/test', ping: PING });
    const logger = createLogger({ level: 'silent', pretty: false });
    const { signal } = this.#stopping;
    const contact = new ServerContact(this.#transport, hurriedClock, random, logger, signal);
    this.#watched = WATCHED.map((resource) => {
      const store = new StateStore();
      const reflector = new Reflector({
        ...{ resource, store, transport: this.#transport, contact, logger, clock: hurriedClock, random },
        onStatusChange: () => {},
      });
      return { plural: resource.plural, store, reflector };
    });
  }

  get resources(): number {
    return this.#watched.length;
  }

  start(): void {
    for (const { reflector } of this.#watched) reflector.start();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all(this.#watched.map(({ reflector }) => reflector.stop()));
    await this.#transport.close();
  }

  /** What differs from the server, and what does not know that it is well; empty: nothing. */
  differences(states: Readonly<Record<string, readonly string[]>>): readonly string[] {
    return this.#watched.flatMap(({ plural, store, reflector }) => {
      const { state, blindSinceMs, message, restarts } = reflector.status();
      const [found, wanted] = [store.state.join('; '), (states[plural] ?? []).toSorted().join('; ')];
      if (found === wanted && state === 'watching' && blindSinceMs === undefined && store.openReplacements === 0)
        return [];
      const said = JSON.stringify({ state, blind: blindSinceMs !== undefined, message, restarts: [...restarts] });
      return [`${plural}: ${said}${found === wanted ? '' : ` holds ${found} instead of ${wanted}`}`];
    });
  }

  statuses(): readonly ReflectorStatus[] {
    return this.#watched.map(({ reflector }) => reflector.status());
  }

  /** What this thread holds. */
  holdings(): { readonly sockets: number; readonly timers: number; readonly listeners: number } {
    const active = process.getActiveResourcesInfo();
    const count = (kinds: readonly string[]) => active.filter((kind) => kinds.includes(kind)).length;
    return {
      sockets: count(['TCPSocketWrap']),
      timers: count(['Timeout', 'Immediate']),
      listeners: getEventListeners(this.#stopping.signal, 'abort').length,
    };
  }
}
