// The gRPC port as the options want it: who may call, the methods, and the bounds.
//
// Loaded by service.ts when options and files are known to be good: gRPC and what belongs to it are half of all that a
// start loads. So nothing that the picture needs is from here.

import { ServerCredentials } from '@grpc/grpc-js';
import { openCallerAccess } from './caller-access.ts';
import type { ChangeFeed } from '../feed/change-feed.ts';
import type { Credentials } from '../kube/credentials/credentials.ts';
import type { ListenAddress } from '../model/ip/listen-address.ts';
import type { Config } from '../options/options.ts';
import type { RpcSources } from '../rpc/methods/register.ts';
import { takeGrpcJsLog } from '../rpc/grpc-js-log.ts';
import { createFeedService, type WatchOptions } from '../rpc/methods/watch.ts';
import { createRpcServer, type RpcServer } from '../rpc/server.ts';
import type { TlsReload } from '../rpc/tls/reload.ts';
import { listenError } from '../start-error.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Registry } from '@prometheus-io/client';

export interface PortParts extends Required<Pick<WatchOptions, 'knowsNamespaces' | 'wantTimelines'>> {
  readonly config: Config;
  readonly credentials: Credentials;
  readonly userAgent: string;
  readonly tls: TlsReload | undefined;
  readonly logger: Logger;
  readonly registry: Registry;
  readonly sources: Omit<RpcSources, 'feed'>;
  readonly feed: ChangeFeed;
}

export interface OpenPort {
  readonly address: ListenAddress;
  /** Health: whether the picture is complete. */
  setReady(ready: boolean): void;
  /** Drains, at the latest until the deadline; then nothing is open. */
  close(deadline: AbortSignal): Promise<void>;
}

/** Resolves when the port listens. Rejects with a StartError when it cannot; then nothing is open. */
export async function openPort(parts: PortParts): Promise<OpenPort> {
  const { config, logger, registry, feed, knowsNamespaces, wantTimelines } = parts;
  takeGrpcJsLog(logger);
  const access = openCallerAccess({ ...parts, certificateOf: (peer) => rpc.certificateOf(peer) });
  const rpc: RpcServer = createRpcServer(
    {
      ...parts.sources,
      feed: createFeedService({
        feed,
        logger,
        knowsNamespaces,
        wantTimelines,
        disconnect: (peer) => rpc.disconnect(peer),
      }),
    },
    {
      ...access.server,
      credentials: ServerCredentials.createInsecure(),
      logger,
      registry,
      recheckIntervalMs: config.authRecheckIntervalMs,
      threads: config.servingThreads,
      limits: {
        maxConnections: config.maxConnections,
        maxStreamsPerConnection: config.maxConnectionStreams,
        maxConnectionsPerAddress: config.maxConnectionsPerAddress,
        connectionIdleMs: config.connectionIdleMs,
        connectionAgeMs: config.connectionAgeMs,
        connectionAgeGraceMs: config.connectionAgeGraceMs,
        maxCallMemoryBytes: config.maxCallMemoryBytes,
        maxCallerMemoryBytes: config.maxCallerMemoryBytes,
        callerRate: config.callerRate,
      },
    },
  );
  const close = async (deadline: AbortSignal): Promise<void> => {
    await rpc.drain(deadline);
    await access.close();
  };
  try {
    const address = await rpc.start(config.listen);
    return { address, setReady: (ready) => rpc.setReady(ready), close };
  } catch (error) {
    await close(AbortSignal.abort());
    throw listenError('--listen', config.listen, error);
  }
}
