// A rate needs a first value: counters whose labels are known are there before anything is counted.

import assert from 'node:assert/strict';
import { it } from 'node:test';

import { Registry } from '@prometheus-io/client';

import { registerWatchMetrics } from '../../src/kube/metrics.ts';
import { RESTART_REASONS } from '../../src/kube/reflector/failure.ts';
import { LIMITS } from '../../src/rpc/errors/call-error.ts';
import { LOOKUP_OUTCOMES } from '../../src/rpc/methods/call-context.ts';
import { DIGGER_SERVICES } from '../../src/rpc/services.ts';
import { createTlsMetrics, HANDSHAKE_FAILURE_REASONS } from '../../src/rpc/tls/metrics.ts';
import { serviceType } from '../../src/wire/schema.ts';
import { serve } from './serving.ts';

it('13.11 lookups by outcome, refusals by bound, failed handshakes and restarts of watches are 0 before the first of them', async (t) => {
  const serving = await serve();
  t.after(() => serving.stop());
  const others = new Registry();
  createTlsMetrics(others);
  const status = { resource: 'pods', state: 'idle', restarts: new Map(), lists: 0, watches: 0, events: 0 };
  registerWatchMetrics(others, () => [status as never]);
  const text = (await serving.registry.metrics()) + (await others.metrics());
  const lines = new Set(text.split('\n'));
  for (const line of [
    ...LOOKUP_OUTCOMES.map((outcome) => `digger_lookups_total{outcome="${outcome}"} 0`),
    ...LIMITS.map((limit) => `digger_limit_refusals_total{limit="${limit}"} 0`),
    ...HANDSHAKE_FAILURE_REASONS.map((reason) => `digger_tls_handshake_failures_total{reason="${reason}"} 0`),
    ...RESTART_REASONS.map((reason) => `digger_watch_restarts_total{resource="pods",reason="${reason}"} 0`),
    'digger_grpc_calls_waited_total 0',
    'digger_grpc_connections_paused_total 0',
  ]) {
    assert.ok(lines.has(line), line);
  }
});

it('internal errors of every method are 0 before the first of them, which an alert has to see', async (t) => {
  const serving = await serve();
  t.after(() => serving.stop());
  const text = await serving.registry.metrics();
  const counted = new Set(
    text
      .split('\n')
      .filter((line) => line.startsWith('grpc_server_handled_total{') && line.includes('grpc_code="Internal"'))
      .map((line) => `${/grpc_service="([^"]*)"/.exec(line)?.[1]}/${/grpc_method="([^"]*)"/.exec(line)?.[1]}`),
  );
  const methods = DIGGER_SERVICES.flatMap((service) =>
    serviceType(service).methodsArray.map(({ name }) => `${service}/${name}`),
  );
  assert.deepEqual([...counted].toSorted(), methods.toSorted());
});
