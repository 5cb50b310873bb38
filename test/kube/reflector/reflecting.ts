// A reflector of pods against a scripted server.

import assert from 'node:assert/strict';
import type { KubernetesRecord, PodRecord } from '../../../src/model/kubernetes/records.ts';
import type { Reflector } from '../../../src/kube/reflector/reflector.ts';
import type { ReflectorOptions } from '../../../src/kube/reflector/reflector-options.ts';
import { pods, type ResourceDescriptor } from '../../../src/kube/resources.ts';
import type { ServerContact } from '../../../src/kube/reflector/server-contact.ts';
import type { MirrorStore } from './mirror-store.ts';
import { type HurriedClock, ReflectorUnderTest, TestCredentials } from './reflector-under-test.ts';
import { type Answer, ScriptedApiServer } from './scripted-api-server.ts';

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
  const resource = options.resource ?? (pods as unknown as ResourceDescriptor<R>);
  const server = new ScriptedApiServer(answers);
  await server.start();
  const credentials = new TestCredentials(server.url);
  const tested = new ReflectorUnderTest<R>({ ...options, resource, credentials });
  const { store, reflector, clock, contact } = tested;
  const seen = () => ({ requests: server.log, pods: store.names(), writes: store.writes });
  const until = (condition: () => boolean) => tested.until(condition, seen);
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
    await tested.stop();
    await server.stop();
  }
  tested.assertNothingIsLeft();
}
