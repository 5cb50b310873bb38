// A reflector of pods against a scripted server, with a clock that keeps real time and hurries timers.

import assert from 'node:assert/strict';
import { createLogger } from '../../../src/telemetry/logger.ts';
import type { KubernetesRecord, PodRecord } from '../../../src/model/kubernetes/records.ts';
import { type Clock, systemClock } from '../../../src/kube/clock.ts';
import type { Credentials } from '../../../src/kube/credentials/credentials.ts';
import { Reflector } from '../../../src/kube/reflector/reflector.ts';
import type { ReflectorOptions } from '../../../src/kube/reflector/reflector-options.ts';
import { pods, type ResourceDescriptor } from '../../../src/kube/resources.ts';
import { ServerContact } from '../../../src/kube/reflector/server-contact.ts';
import { createTransport } from '../../../src/kube/transport/transport.ts';
import { MirrorStore } from './mirror-store.ts';
import { type Answer, ScriptedApiServer } from './scripted-api-server.ts';

const DEADLINE_MS = 30_000;
/** From here on timers guard requests: 20 s for a pause in a streamed list, 60 s for a list, 5 min for a watch. */
const PATIENCE_MS = 20_000;

/**
 * Waits end a hundred times sooner, and the patience with a silent server twenty times: on a busy machine a healthy one
 * takes its time too. What was asked for is kept in `delaysMs`.
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

export interface Reflecting<R extends KubernetesRecord> {
  readonly server: ScriptedApiServer;
  readonly store: MirrorStore<R>;
  readonly reflector: Reflector<R>;
  readonly clock: HurriedClock;
  readonly contact: ServerContact;
  readonly credentials: TestCredentials;
  /** Waits until `condition` holds; fails with what was seen. */
  until(condition: () => boolean): Promise<void>;
  /** Waits for exactly these requests, and no other. */
  untilRequests(expected: readonly string[]): Promise<void>;
}

/** Runs `scenario` against a server that plays `answers`; stops everything afterwards. */
export async function reflecting<R extends KubernetesRecord = PodRecord>(
  answers: readonly Answer[],
  scenario: (reflecting: Reflecting<R>) => Promise<void>,
  options: Partial<Pick<ReflectorOptions<R>, 'resource' | 'streamInitialList' | 'relocate'>> = {},
): Promise<void> {
  const { streamInitialList = false } = options;
  const resource = options.resource ?? (pods as unknown as ResourceDescriptor<R>);
  const server = new ScriptedApiServer(answers);
  await server.start();
  const clock = new HurriedClock();
  const credentials = new TestCredentials(server.url);
  const transport = createTransport({ credentials, userAgent: 'digger/test' });
  const stopping = new AbortController();
  const random = () => 0;
  const store = new MirrorStore<R>();
  const logger = createLogger({ level: 'silent', pretty: false });
  const contact = new ServerContact(transport, clock, random, logger, stopping.signal);
  const reflector = new Reflector({
    resource,
    store,
    transport,
    contact,
    logger,
    clock,
    random,
    streamInitialList,
    relocate: options.relocate,
    onStatusChange: () => {},
  });
  const until = async (condition: () => boolean) => {
    const endAt = Date.now() + DEADLINE_MS;
    while (!condition()) {
      if (Date.now() > endAt) {
        const seen = { requests: server.log, status: reflector.status(), pods: store.names(), writes: store.writes };
        assert.fail(
          `not within ${DEADLINE_MS} ms; ${JSON.stringify(seen)} ${JSON.stringify([...seen.status.restarts])}`,
        );
      }
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  reflector.start();
  try {
    await scenario({
      server,
      store,
      reflector,
      clock,
      contact,
      credentials,
      until,
      untilRequests: async (expected) => {
        await until(() => server.log.length >= expected.length);
        assert.deepEqual(server.log, expected);
      },
    });
    assert.deepEqual(server.unexpected, [], 'requests beyond the script');
  } finally {
    stopping.abort();
    await reflector.stop();
    await transport.close();
    await server.stop();
  }
  assert.equal(reflector.status().state, 'stopped');
  assert.equal(store.openReplacements, 0, 'every replacement is committed or aborted');
}
