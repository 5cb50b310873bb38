// What an operator reads of a resource's troubles.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../../src/kube/clock.ts';
import { SharedRefusals } from '../../../src/kube/reflector/shared-refusals.ts';
import { TroubleLog } from '../../../src/kube/reflector/trouble-log.ts';
import type { Logger } from '../../../src/telemetry/logger.ts';
import { VirtualClock } from './virtual-clock.ts';

const NOT_FOUND = { kind: 'not_found', message: '404', retryAfterMs: 0 } as const;

function logged(play: (troubles: TroubleLog) => void): readonly string[] {
  const lines: string[] = [];
  const write = (level: string) => (_fields: object, message: string) => void lines.push(`${level}: ${message}`);
  const log = { debug: write('debug'), info: write('info'), warn: write('warn') };
  const refusals = new SharedRefusals(log as unknown as Logger, systemClock, new AbortController().signal);
  play(new TroubleLog(log as unknown as Logger, systemClock, (failure, text) => refusals.tell('pods', failure, text)));
  return lines;
}

test('a resource that digger can do without and that an older API server does not serve is no trouble', () => {
  const lines = logged((troubles) => {
    for (let i = 0; i < 3; i++) troubles.trouble(NOT_FOUND, false, false);
  });
  assert.deepEqual(lines, ['debug: the API server does not serve this resource, going without']);
});

test('a resource that is required, or was there before, is trouble when it is not served', () => {
  for (const [synced, required] of [
    [false, true],
    [true, false],
  ] as const) {
    const [line] = logged((troubles) => troubles.trouble(NOT_FOUND, synced, required));
    assert.match(line ?? '', /^warn: cannot follow the API server/);
  }
});

test('what is refused to every resource for one reason is one line that names them and the cure, and another reason is another', async () => {
  const lines: object[] = [];
  const logger = { warn: (fields: object, message: string) => void lines.push({ ...fields, message }) };
  const clock = new VirtualClock();
  const refusals = new SharedRefusals(logger as unknown as Logger, clock, new AbortController().signal);
  const troubles = ['pods', 'services', 'nodes', 'jobs.batch'].map(
    (resource) =>
      [
        resource,
        new TroubleLog(logger as unknown as Logger, clock, (failure, text) => refusals.tell(resource, failure, text)),
      ] as const,
  );
  const user = 'system:serviceaccount:digger:bare';
  for (let again = 0; again < 3; again++) {
    for (const [resource, each] of troubles) {
      const [name, group = ''] = resource.split('.');
      const refused = `User "${user}" cannot watch resource "${name}" in API group "${group}" at the cluster scope`;
      const message = `watch ${resource}: 403 Forbidden: ${resource} is forbidden: ${refused}`;
      each.trouble({ kind: 'forbidden', message, retryAfterMs: 0 }, resource === 'jobs.batch', true);
    }
  }
  assert.deepEqual(lines, [], 'the first one waits for the others');
  await clock.advance(200);
  const error = `403 Forbidden: ${user} has no right to watch at the cluster scope; see kubectl auth can-i --list --as=${user}`;
  assert.deepEqual(lines, [
    {
      ...{ resource: 'pods, services, nodes', reason: 'forbidden', error },
      message: 'cannot follow the API server: not synced yet',
    },
    {
      ...{ resource: 'jobs.batch', reason: 'forbidden', error },
      message: 'cannot follow the API server: answers go on from the last known state',
    },
  ]);
});
