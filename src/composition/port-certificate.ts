// The certificate of the gRPC port, as the options name its files. A start reads them before anything else is begun, so
// that files that cannot be served with are told at once; the rest of the port needs gRPC and is loaded later.

import type { Registry } from '@prometheus-io/client';
import type { Config } from '../options/options.ts';
import { createTlsMetrics } from '../rpc/tls/metrics.ts';
import { TlsReload } from '../rpc/tls/reload.ts';
import type { Logger } from '../telemetry/logger.ts';

export interface PortCertificateOptions {
  readonly config: Config;
  readonly logger: Logger;
  readonly registry: Registry;
}

/** `undefined`: the port is plaintext. Rejects with a TlsFilesError when the TLS files cannot be served with. */
export async function openPortCertificate(options: PortCertificateOptions): Promise<TlsReload | undefined> {
  const { config, logger, registry } = options;
  const { tlsCert, tlsKey, tlsClientCa } = config;
  if (tlsCert === undefined || tlsKey === undefined) return undefined;
  return TlsReload.start({
    paths: { cert: tlsCert, key: tlsKey, clientCa: tlsClientCa },
    logger,
    metrics: createTlsMetrics(registry),
    nowMs: Date.now,
  });
}
