// What an operator reads of a resource's troubles.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../../src/kube/clock.ts';
import { TroubleLog } from '../../../src/kube/reflector/trouble-log.ts';
import type { Logger } from '../../../src/telemetry/logger.ts';

const NOT_FOUND = { kind: 'not_found', message: '404', retryAfterMs: 0 } as const;

function logged(play: (troubles: TroubleLog) => void): readonly string[] {
  const lines: string[] = [];
  const write = (level: string) => (_fields: object, message: string) => void lines.push(`${level}: ${message}`);
  const log = { debug: write('debug'), info: write('info'), warn: write('warn') };
  play(new TroubleLog(log as unknown as Logger, systemClock));
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
