// TLS in numbers: until when the served certificate is valid, whether new files were taken, and why handshakes failed.

import { Counter, Gauge, type Registry } from '@prometheus-io/client';

export interface TlsMetrics {
  readonly expiry: Gauge;
  readonly reloads: Counter;
  readonly reloadFailures: Counter;
  readonly reloadFailing: Gauge;
  readonly handshakeFailures: Counter<'reason'>;
}

/** Why handshakes fail, as a label: a fixed set. */
export const HANDSHAKE_FAILURE_REASONS = [
  'plaintext',
  'protocol_version',
  'no_client_certificate',
  'client_certificate_expired',
  'client_certificate_untrusted',
  'rejected_by_client',
  'no_http2',
  'no_common_cipher',
  'gone',
  'timeout',
  'other',
] as const;

export type HandshakeFailureReason = (typeof HANDSHAKE_FAILURE_REASONS)[number];

export function createTlsMetrics(registry: Registry): TlsMetrics {
  const registers = [registry];
  const metrics: TlsMetrics = {
    expiry: new Gauge({
      name: 'digger_tls_certificate_expiry_timestamp_seconds',
      help: 'End of validity of the served certificate, seconds since the epoch.',
      registers,
    }),
    reloads: new Counter({
      name: 'digger_tls_reloads_total',
      help: 'Times that changed TLS files were put to use.',
      registers,
    }),
    reloadFailures: new Counter({
      name: 'digger_tls_reload_failures_total',
      help: 'Times that changed TLS files could not be used and the last good ones were kept; counted once until there are good ones again.',
      registers,
    }),
    reloadFailing: new Gauge({
      name: 'digger_tls_reload_failing',
      help: '1 while the newest TLS files cannot be used and older ones are served.',
      registers,
    }),
    handshakeFailures: new Counter({
      name: 'digger_tls_handshake_failures_total',
      help: 'Connections that ended before TLS was agreed, by reason.',
      labelNames: ['reason'],
      registers,
    }),
  };
  // All of them from the start: a rate needs a first value.
  for (const reason of HANDSHAKE_FAILURE_REASONS) metrics.handshakeFailures.inc({ reason }, 0);
  return metrics;
}
