// A reflector with all that it needs, beside the server that it asks: its clock, transport, store and contact with the
// server, a way to wait for what it does, and the end of all of them.

import assert from 'node:assert/strict';
import { type Clock, systemClock } from '../../../src/kube/clock.ts';
import type { Credentials } from '../../../src/kube/credentials/credentials.ts';
import { Reflector } from '../../../src/kube/reflector/reflector.ts';
import type { ReflectorOptions } from '../../../src/kube/reflector/reflector-options.ts';
import { ServerContact } from '../../../src/kube/reflector/server-contact.ts';
import { createTransport } from '../../../src/kube/transport/transport.ts';
import type { KubernetesRecord } from '../../../src/model/kubernetes/records.ts';
import { createLogger } from '../../../src/telemetry/logger.ts';
import { MirrorStore } from './mirror-store.ts';

const DEADLINE_MS = 30_000;
/** From here on timers guard requests: 20 s for a pause in a streamed list, 60 s for a list, 5 min for a watch. */
const PATIENCE_MS = 20_000;

/**
 * Keeps real time and hurries timers: waits end a hundred times sooner, and the patience with a silent server twenty
 * times, because on a busy machine a healthy one takes its time too. What was asked for is kept in `delaysMs`.
 */
export class HurriedClock implements Clock {
  readonly delaysMs: number[] = [];
  /** How much of its time has passed at once. */
  aheadMs = 0;
  /** Timers that were neither cancelled nor called. */
  readonly open = new Set<symbol>();

  now(): number {
    return systemClock.now() + this.aheadMs;
  }

  setTimer(callback: () => void, delayMs: number): () => void {
    this.delaysMs.push(delayMs);
    const timer = Symbol();
    this.open.add(timer);
    const called = (): void => {
      this.open.delete(timer);
      callback();
    };
    const cancel = systemClock.setTimer(called, delayMs / (delayMs < PATIENCE_MS ? 100 : 20));
    return () => {
      this.open.delete(timer);
      cancel();
    };
  }
}

export class TestCredentials implements Credentials {
  readonly server: string;
  readonly proxyUrl = undefined;
  token = 'first';
  discards = 0;

  constructor(server: string) {
    this.server = server;
  }

  async current() {
    return {
      headers: { authorization: `Bearer ${this.token}` },
      tls: { ca: undefined, cert: undefined, key: undefined, serverName: undefined, rejectUnauthorized: true },
    };
  }

  refused(): void {
    this.discards += 1;
    this.token = 'second';
  }
}

export type ReflectorUnderTestOptions<R extends KubernetesRecord> = Pick<ReflectorOptions<R>, 'resource'> &
  Partial<Pick<ReflectorOptions<R>, 'streamInitialList' | 'relocate'>> & { readonly credentials: Credentials };

export class ReflectorUnderTest<R extends KubernetesRecord> {
  readonly store = new MirrorStore<R>();
  readonly clock = new HurriedClock();
  readonly contact: ServerContact;
  readonly reflector: Reflector<R>;
  readonly #transport;
  readonly #stopping = new AbortController();

  constructor({ resource, credentials, streamInitialList = false, relocate }: ReflectorUnderTestOptions<R>) {
    const { clock, store } = this;
    const random = () => 0;
    const logger = createLogger({ level: 'silent', pretty: false });
    const transport = createTransport({ credentials, userAgent: 'digger/test' });
    const contact = new ServerContact(transport, clock, random, logger, this.#stopping.signal);
    const onStatusChange = () => {};
    this.#transport = transport;
    this.contact = contact;
    this.reflector = new Reflector({
      ...{ resource, store, transport, contact, logger, clock, random, streamInitialList, relocate, onStatusChange },
    });
  }

  /** Waits until the condition holds; fails with the status and with what was `seen`. */
  async until(condition: () => boolean | Promise<boolean>, seen: () => object): Promise<void> {
    const endAt = Date.now() + DEADLINE_MS;
    while (!(await condition())) {
      if (Date.now() > endAt) {
        const status = this.reflector.status();
        const all = { ...seen(), status, restarts: [...status.restarts] };
        assert.fail(`not within ${DEADLINE_MS} ms: ${JSON.stringify(all)}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  /** Ends the reflector and its connections. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.reflector.stop();
    await this.#transport.close();
  }

  /** To be called at the end of a scenario that went well. */
  assertNothingIsLeft(): void {
    assert.equal(this.reflector.status().state, 'stopped');
    assert.equal(this.store.openReplacements, 0, 'every replacement is committed or aborted');
  }
}
