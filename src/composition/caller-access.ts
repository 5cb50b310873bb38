// Who may reach the gRPC port, and who may call what there: TLS (port-certificate.ts) and authentication as they are
// configured. Nothing that happens to the files or to the API server opens the port any wider.

import type { Registry } from '@prometheus-io/client';
import type { Config } from '../options/options.ts';
import { AccessReviewClient } from '../kube/access-reviews.ts';
import type { Credentials } from '../kube/credentials/credentials.ts';
import { createTransport } from '../kube/transport/transport.ts';
import { isLoopback } from '../options/values.ts';
import { bearerTokenAuthenticator } from '../rpc/auth/bearer-tokens.ts';
import { clientCertificateAuthenticator } from '../rpc/auth/client-certificates.ts';
import { exempting } from '../rpc/auth/exemptions.ts';
import type { RpcServer } from '../rpc/server.ts';
import type { TlsReload } from '../rpc/tls/reload.ts';
import type { Authenticator } from '../rpc/auth/authenticator.ts';
import type { Logger } from '../telemetry/logger.ts';

export interface CallerAccessOptions {
  readonly config: Config;
  readonly credentials: Credentials;
  readonly userAgent: string;
  /** Unset: the port is plaintext. Closed with the access. */
  readonly tls: TlsReload | undefined;
  /** Of the server that this is for; asked only when it serves. */
  readonly certificateOf: RpcServer['certificateOf'];
  readonly logger: Logger;
  readonly registry: Registry;
}

export interface CallerAccess {
  /** What `createRpcServer` takes of it. */
  readonly server: { readonly tls?: TlsReload; readonly authenticate?: Authenticator };
  close(): Promise<void>;
}

export function openCallerAccess(options: CallerAccessOptions): CallerAccess {
  const { config, logger, tls } = options;
  if (config.auth === 'none' && config.tlsClientCa === undefined && !isLoopback(config.listen.host)) {
    logger.warn(
      { listen: config.listen.host },
      'every caller who can reach this address may look up and watch: see --auth',
    );
  }
  if (config.auth === 'token-review' && tls === undefined && !isLoopback(config.listen.host)) {
    logger.warn(
      { listen: config.listen.host },
      'tokens of callers travel in plaintext: anyone who can read the traffic can use them, unless a mesh encrypts it',
    );
  }
  const { authenticate, close } = createAuthenticator(options);
  return {
    server: { ...(tls === undefined ? {} : { tls }), ...(authenticate === undefined ? {} : { authenticate }) },
    async close() {
      tls?.close();
      await close();
    },
  };
}

interface Authentication {
  readonly authenticate: Authenticator | undefined;
  readonly close: () => Promise<void>;
}

function createAuthenticator(options: CallerAccessOptions): Authentication {
  const { config, registry, logger } = options;
  const nothingOpen = async (): Promise<void> => {};
  switch (config.auth) {
    case 'none':
      return { authenticate: undefined, close: nothingOpen };
    case 'client-certificate': {
      const { certificateOf } = options;
      const allowed = new Set(config.allowClients);
      const authenticate = clientCertificateAuthenticator({ certificateOf, allowed, registry, nowMs: Date.now });
      return { authenticate: exempting(config.authExempt, authenticate), close: nothingOpen };
    }
    case 'token-review': {
      // Connections of its own: reviews do not wait behind lists.
      const transport = createTransport({ credentials: options.credentials, userAgent: options.userAgent });
      const authenticate = bearerTokenAuthenticator({
        reviews: new AccessReviewClient(transport),
        registry,
        logger,
        nowMs: () => performance.now(),
        cacheTtlMs: config.authCacheTtlMs,
      });
      return { authenticate: exempting(config.authExempt, authenticate), close: () => transport.close() };
    }
  }
}
