// TLS in numbers: until when the served certificate is valid, whether new files were taken, and why handshakes failed.

import { Counter, Gauge, type Registry } from '@prometheus-io/client';

export interface TlsMetrics {
  readonly expiry: Gauge;
  readonly reloads: Counter;
  readonly reloadFailures: Counter;
  readonly reloadFailing: Gauge;
  readonly handshakeFailures: Counter<'reason'>;
}

export function createTlsMetrics(registry: Registry): TlsMetrics {
  const registers = [registry];
  return {
    expiry: new Gauge({
      name: 'digger_tls_certificate_expiry_timestamp_seconds',
      help: 'End of validity of the served certificate, seconds since the epoch.',
      registers,
    }),
    reloads: new Counter({
      name: 'digger_tls_reloads_total',
      help: 'Times that changed TLS files were taken.',
      registers,
    }),
    reloadFailures: new Counter({
      name: 'digger_tls_reload_failures_total',
      help: 'Times that TLS files turned bad and the last good ones were kept; once per trouble, however long it lasts.',
      registers,
    }),
    reloadFailing: new Gauge({
      name: 'digger_tls_reload_failing',
      help: '1 while the TLS files cannot be taken and older ones are served.',
      registers,
    }),
    handshakeFailures: new Counter({
      name: 'digger_tls_handshake_failures_total',
      help: 'Connections that ended before TLS was agreed, by reason.',
      labelNames: ['reason'],
      registers,
    }),
  };
}
