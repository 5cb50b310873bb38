// Serves over TLS with files in a temporary folder, and keeps what was logged: what the tests of TLS share.

import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { type ChannelCredentials, credentials, ServerCredentials } from '@grpc/grpc-js';
import { Registry } from '@prometheus-io/client';
import { pino } from 'pino';

import { createRpcServer, type RpcServer, type RpcServerOptions } from '../../../src/rpc/server.ts';
import type { TlsPaths } from '../../../src/rpc/tls/files.ts';
import { createTlsMetrics } from '../../../src/rpc/tls/metrics.ts';
import { TlsReload } from '../../../src/rpc/tls/reload.ts';
import type { Logger } from '../../../src/telemetry/logger.ts';
import { type Certificate, createCertificate } from '../../simulator/server/certificate.ts';
import { FakePicture } from '../fake-picture.ts';
import { TestClient } from '../serving.ts';

export type LogLine = Readonly<Record<string, unknown>>;

/** A logger whose lines can be read. */
export function recordingLogger(): { readonly logger: Logger; readonly lines: readonly LogLine[] } {
  const lines: LogLine[] = [];
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      for (const line of chunk.toString().split('\n')) if (line !== '') lines.push(JSON.parse(line) as LogLine);
      done();
    },
  });
  return { logger: pino({ level: 'debug', base: null }, sink), lines };
}

/** Files of a server, and the CAs behind them. */
export class TlsFiles {
  readonly ca = createCertificate({ commonName: 'server CA' });
  readonly clientCa = createCertificate({ commonName: 'client CA' });
  readonly directory = mkdtempSync(join(tmpdir(), 'digger-tls-'));
  readonly paths: TlsPaths;

  constructor(mutual: boolean) {
    const path = (name: string): string => join(this.directory, name);
    this.paths = { cert: path('tls.crt'), key: path('tls.key'), clientCa: mutual ? path('ca.crt') : undefined };
    this.write(this.issue());
    if (mutual) writeFileSync(path('ca.crt'), this.clientCa.cert);
  }

  /** A server certificate. */
  issue(days = 1): Certificate {
    return createCertificate({
      issuer: this.ca,
      commonName: 'server',
      notAfterMs: Date.now() + days * 24 * 60 * 60 * 1000,
      notBeforeMs: Date.now() - 2 * 24 * 60 * 60 * 1000,
    });
  }

  /** Both files, each at once, as a careful tool does. */
  write({ cert, key }: Certificate): void {
    this.replace(this.paths.cert, cert);
    this.replace(this.paths.key, key);
  }

  replace(path: string, text: string): void {
    writeFileSync(`${path}.new`, text, { mode: 0o600 });
    renameSync(`${path}.new`, path);
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}

export interface TlsServing {
  readonly files: TlsFiles;
  readonly picture: FakePicture;
  readonly server: RpcServer;
  readonly registry: Registry;
  readonly port: number;
  readonly target: string;
  readonly lines: readonly LogLine[];
  /** A client that trusts the server's CA, with a certificate of its own or without. */
  client(certificate?: Certificate): TestClient;
  clientWith(channel: ChannelCredentials): TestClient;
  stop(): Promise<void>;
}

export interface TlsServingOptions {
  /** Clients have to show a certificate. */
  readonly mutual?: boolean;
  /** Default: 127.0.0.1. */
  readonly host?: string;
  /** Default: 1, or as the environment says. */
  readonly threads?: number;
  readonly authenticate?: (server: () => RpcServer) => NonNullable<RpcServerOptions['authenticate']>;
}

export async function serveTls(options: TlsServingOptions = {}): Promise<TlsServing> {
  const files = new TlsFiles(options.mutual ?? false);
  const { logger, lines } = recordingLogger();
  const registry = new Registry();
  const tls = await TlsReload.start({
    paths: files.paths,
    logger,
    metrics: createTlsMetrics(registry),
    nowMs: Date.now,
    lookIntervalMs: 10,
  });
  const picture = new FakePicture();
  const server: RpcServer = createRpcServer(picture, {
    credentials: ServerCredentials.createInsecure(),
    tls,
    logger,
    registry,
    threads: options.threads ?? Number(process.env['DIGGER_SERVING_THREADS'] ?? 1),
    ...(options.authenticate === undefined ? {} : { authenticate: options.authenticate(() => server) }),
  });
  const { port } = await server.start({ host: options.host ?? '127.0.0.1', port: 0 });
  server.setReady(true);
  const clients: TestClient[] = [];
  const target = `127.0.0.1:${port}`;
  const clientWith = (channel: ChannelCredentials): TestClient => {
    const client = new TestClient(target, channel);
    clients.push(client);
    return client;
  };
  return {
    files,
    picture,
    server,
    registry,
    port,
    target,
    lines,
    clientWith,
    client: (certificate) => {
      const { ca } = files;
      const root = Buffer.from(ca.cert);
      if (certificate === undefined) return clientWith(credentials.createSsl(root));
      return clientWith(credentials.createSsl(root, Buffer.from(certificate.key), Buffer.from(certificate.cert)));
    },
    async stop() {
      tls.close();
      for (const client of clients) client.close();
      await server.drain(AbortSignal.abort());
      files.remove();
    },
  };
}

/** The value of a metric without its labels' order mattering; 0 where it is not. */
export async function metric(registry: Registry, line: string): Promise<number> {
  const found = (await registry.metrics()).split('\n').find((each) => each.startsWith(`${line} `));
  return Number(found?.slice(line.length + 1) ?? 0);
}
