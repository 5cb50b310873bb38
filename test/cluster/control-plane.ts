// A real control plane on loopback: etcd, kube-apiserver and, if asked for, kube-controller-manager.
//
// It lives in a temporary folder and on free ports; `stop` ends every process by its pid and removes the folder, and
// the processes do not outlive the test even if it never gets there (see processes.ts). The admin's credentials are a
// static token; service accounts get real tokens. There is no kubelet and no scheduler: kubelet.ts plays both.
//
// Fault verbs: `killApiServer`, `startApiServer`, `startSecondApiServer` (another server of the same cluster, to write
// while the first is down), `compact`. `requestTotals` reads the server's own count of what it was asked.
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApiClient } from './api-client.ts';
import { type Binaries, findOrBuildBinaries } from './binaries.ts';
import { done, eventually, notYet } from '../observers/eventually.ts';
import { freePort, Program } from '../observers/processes.ts';

/** Service ranges of every control plane started here: dual stack, IPv4 first. */
export const SERVICE_RANGES = ['10.96.0.0/16', 'fd00:96::/112'] as const;

/**
 * What `default/kubernetes` lists as its endpoint. An address of TEST-NET-1 (RFC 5737), because the API server refuses
 * to advertise loopback and otherwise takes whatever address the machine happens to have.
 */
export const ADVERTISED_ADDRESS = '192.0.2.10';

/** How to start it. */
export type ControlPlaneOptions = {
  /** Start kube-controller-manager too. Default: true. */
  readonly controllers?: boolean;
  /** Feature gates of the API server, e.g. `{ WatchList: false }`. */
  readonly featureGates?: Readonly<Record<string, boolean>>;
  /** More flags of the API server, e.g. `--watch-cache=false`. */
  readonly apiServerArgs?: readonly string[];
  /** Called when etcd runs and no API server does yet: the moment to write objects into storage. */
  readonly beforeApiServer?: (etcdUrl: string) => Promise<void>;
  /** For the first `/readyz`. Default: 90 s; a hundred thousand objects need more. */
  readonly readyDeadlineMs?: number;
};

/** An API server beside the first one. */
export type SecondApiServer = { readonly client: ApiClient; stop(): Promise<void> };

/** See the head of the file. */
export class ControlPlane implements AsyncDisposable {
  /** Of the temporary folder. */
  readonly directory: string;
  /** `https://127.0.0.1:PORT`; the same after a restart. */
  readonly url: string;
  /** Requests as cluster admin. */
  readonly client: ApiClient;
  /** A kubeconfig file for the cluster admin. */
  readonly adminKubeconfig: string;
  /** PEM; what verifies the API server. */
  readonly ca: string;
  readonly #parts: Parts;
  #apiServer: Program;
  #controllerManager: Program | undefined;

  private constructor(parts: Parts, apiServer: Program) {
    this.#parts = parts;
    this.#apiServer = apiServer;
    this.directory = parts.directory;
    this.url = `https://127.0.0.1:${parts.port}`;
    this.ca = readFileSync(servingCertificate(parts), 'utf8');
    this.client = new ApiClient({ url: this.url, ca: this.ca, token: parts.adminToken });
    this.adminKubeconfig = writeKubeconfig(join(parts.directory, 'admin.kubeconfig'), this.url, this.ca, {
      token: parts.adminToken,
    });
  }

  /** Starts everything and returns when `/readyz` says so. Nothing is left behind when that fails. */
  static async start(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
    const binaries = await findOrBuildBinaries();
    const directory = mkdtempSync(join(tmpdir(), 'digger-control-plane-'));
    const started: Program[] = [];
    try {
      const etcdPort = await freePort();
      const etcd = startEtcd(binaries, directory, etcdPort, await freePort());
      started.push(etcd);
      const etcdUrl = `http://127.0.0.1:${etcdPort}`;
      await untilHealthy(etcd, 'etcd', async () => (await fetch(`${etcdUrl}/health`)).ok, 30_000);
      await options.beforeApiServer?.(etcdUrl);

      const adminToken = randomBytes(16).toString('hex');
      writeSecrets(directory, adminToken);
      const parts: Parts = { binaries, directory, etcd, etcdUrl, adminToken, port: await freePort(), options };
      const apiServer = spawnApiServer(parts, 'kube-apiserver', parts.port);
      started.push(apiServer);
      await untilReady(parts, apiServer, parts.port, options.readyDeadlineMs ?? 90_000);
      const plane = new ControlPlane(parts, apiServer);
      if (options.controllers !== false) started.push(plane.#startControllers());
      return plane;
    } catch (error) {
      await Promise.all(started.map((program) => program.stop()));
      rmSync(directory, { recursive: true, force: true });
      throw error;
    }
  }

  /** SIGKILL: open connections are reset, no client is told. */
  async killApiServer(): Promise<void> {
    await this.#apiServer.stop('SIGKILL');
  }

  /**
   * Starts the API server again, on the same port, with the same certificate; `featureGates` come on top of those that
   * it was started with first, for this start only.
   */
  async startApiServer(featureGates: Readonly<Record<string, boolean>> = {}): Promise<void> {
    const { options } = this.#parts;
    const parts = {
      ...this.#parts,
      options: { ...options, featureGates: { ...options.featureGates, ...featureGates } },
    };
    this.#apiServer = spawnApiServer(parts, 'kube-apiserver', this.#parts.port);
    await untilReady(this.#parts, this.#apiServer, this.#parts.port, 90_000);
  }

  /** Another API server on the same etcd, unknown to everybody who was given `url`. */
  async startSecondApiServer(): Promise<SecondApiServer> {
    const port = await freePort();
    const program = spawnApiServer(this.#parts, 'kube-apiserver-2', port);
    await untilReady(this.#parts, program, port, 90_000);
    const client = new ApiClient({ url: `https://127.0.0.1:${port}`, ca: this.ca, token: this.#parts.adminToken });
    return {
      client,
      stop: async () => {
        await client.close();
        await program.stop();
      },
    };
  }

  /** Ends the controllers for good: from now on nothing changes but what the test changes. */
  async stopControllers(): Promise<void> {
    await this.#controllerManager?.stop();
  }

  /** Drops all history of etcd before now: watches from an older resourceVersion that reach etcd get 410. */
  async compact(): Promise<void> {
    const call = async (method: string, body: unknown): Promise<unknown> => {
      const answer = await fetch(`${this.#parts.etcdUrl}/v3/kv/${method}`, {
        method: 'POST',
        body: JSON.stringify(body),
      });
      if (!answer.ok) throw new Error(`etcd ${method}: ${answer.status} ${await answer.text()}`);
      return answer.json();
    };
    const range = (await call('range', { key: Buffer.from('/').toString('base64') })) as {
      header: { revision: string };
    };
    await call('compaction', { revision: range.header.revision, physical: true });
  }

  /**
   * What the API server counted: `apiserver_request_total`, summed by verb and resource (`LIST pods`, `WATCH pods`,
   * `LIST deployments.apps`), and the initial lists that it streamed as the beginning of a watch (`STREAM pods`), which
   * are in `WATCH` too. Counts of this process of the server: a restart begins at zero.
   */
  async requestTotals(): Promise<ReadonlyMap<string, number>> {
    const totals = new Map<string, number>();
    for (const line of (await this.client.raw('GET', '/metrics', { accept: '*/*' })).body.split('\n')) {
      const metric = line.slice(0, line.indexOf('{'));
      if (metric !== 'apiserver_request_total' && metric !== 'apiserver_watch_list_duration_seconds_count') continue;
      const labels = new Map(
        Array.from(line.matchAll(/(\w+)="([^"]*)"/g), (match) => [match[1] ?? '', match[2] ?? '']),
      );
      const group = labels.get('group');
      const key = `${labels.get('verb') ?? 'STREAM'} ${labels.get('resource')}${group ? `.${group}` : ''}`;
      totals.set(key, (totals.get(key) ?? 0) + Number(line.slice(line.lastIndexOf(' ') + 1)));
    }
    return totals;
  }

  /** Ends all processes and removes the folder. */
  async stop(): Promise<void> {
    await this.client.close();
    await this.#controllerManager?.stop();
    await this.#apiServer.stop();
    await this.#parts.etcd.stop();
    rmSync(this.directory, { recursive: true, force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #startControllers(): Program {
    const { directory, binaries } = this.#parts;
    this.#controllerManager = new Program(
      'kube-controller-manager',
      binaries.kubeControllerManager,
      [
        `--kubeconfig=${this.adminKubeconfig}`,
        '--leader-elect=false',
        '--secure-port=0',
        `--service-account-private-key-file=${join(directory, 'sa.key')}`,
        `--root-ca-file=${servingCertificate(this.#parts)}`,
        // Without kubelets there are no heartbeats: these two would taint every node and evict every pod.
        '--controllers=*,-node-lifecycle-controller,-taint-eviction-controller',
      ],
      join(directory, 'kube-controller-manager.log'),
    );
    return this.#controllerManager;
  }
}

/**
 * Writes a kubeconfig with one cluster and one user; returns its path. `tokenFile` makes the client read the token
 * again and again, as a mounted service-account token has to be.
 */
export function writeKubeconfig(
  path: string,
  server: string,
  ca: string,
  credentials: { readonly token: string } | { readonly tokenFile: string },
): string {
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster: { server, 'certificate-authority-data': Buffer.from(ca).toString('base64') } }],
    users: [{ name: 'test', user: credentials }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
    'current-context': 'test',
  };
  // JSON is YAML.
  writeFileSync(path, JSON.stringify(config, null, 2), { mode: 0o600 });
  return path;
}

type Parts = {
  readonly binaries: Binaries;
  readonly directory: string;
  readonly etcd: Program;
  readonly etcdUrl: string;
  readonly adminToken: string;
  readonly port: number;
  readonly options: ControlPlaneOptions;
};

function startEtcd(binaries: Binaries, directory: string, port: number, peerPort: number): Program {
  const url = `http://127.0.0.1:${port}`;
  const peerUrl = `http://127.0.0.1:${peerPort}`;
  const args = [
    '--name=test',
    `--data-dir=${join(directory, 'etcd')}`,
    `--listen-client-urls=${url}`,
    `--advertise-client-urls=${url}`,
    `--listen-peer-urls=${peerUrl}`,
    `--initial-advertise-peer-urls=${peerUrl}`,
    `--initial-cluster=test=${peerUrl}`,
    // The data is thrown away with the test.
    '--unsafe-no-fsync',
    '--quota-backend-bytes=8589934592',
    '--log-level=warn',
  ];
  return new Program('etcd', binaries.etcd, args, join(directory, 'etcd.log'));
}

function writeSecrets(directory: string, adminToken: string): void {
  writeFileSync(join(directory, 'tokens.csv'), `${adminToken},admin,admin,system:masters\n`, { mode: 0o600 });
  const keys = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
  });
  writeFileSync(join(directory, 'sa.key'), keys.privateKey, { mode: 0o600 });
  writeFileSync(join(directory, 'sa.pub'), keys.publicKey);
}

function servingCertificate(parts: Parts): string {
  // Made by the API server at its first start, with its issuer in the same file; found again by the next.
  return join(parts.directory, 'certificates', 'apiserver.crt');
}

function spawnApiServer(parts: Parts, name: string, port: number): Program {
  const { directory, options } = parts;
  const gates = Object.entries(options.featureGates ?? {}).map(([gate, on]) => `${gate}=${on}`);
  const args = [
    `--etcd-servers=${parts.etcdUrl}`,
    '--bind-address=127.0.0.1',
    `--advertise-address=${ADVERTISED_ADDRESS}`,
    `--secure-port=${port}`,
    `--cert-dir=${join(directory, 'certificates')}`,
    `--service-cluster-ip-range=${SERVICE_RANGES.join(',')}`,
    `--token-auth-file=${join(directory, 'tokens.csv')}`,
    '--authorization-mode=RBAC',
    '--service-account-issuer=https://kubernetes.default.svc',
    '--api-audiences=https://kubernetes.default.svc',
    `--service-account-key-file=${join(directory, 'sa.pub')}`,
    `--service-account-signing-key-file=${join(directory, 'sa.key')}`,
    ...(gates.length === 0 ? [] : [`--feature-gates=${gates.join(',')}`]),
    ...(options.apiServerArgs ?? []),
  ];
  return new Program(name, parts.binaries.kubeApiserver, args, join(directory, `${name}.log`));
}

async function untilReady(parts: Parts, program: Program, port: number, deadlineMs: number): Promise<void> {
  const probe = async (): Promise<boolean> => {
    // The certificate is written by the first start, so the client can only be made once it is there.
    const ca = readFileSync(servingCertificate(parts), 'utf8');
    const client = new ApiClient({ url: `https://127.0.0.1:${port}`, ca, token: parts.adminToken });
    try {
      await client.raw('GET', '/readyz');
      return true;
    } finally {
      await client.close();
    }
  };
  await untilHealthy(program, program.name, probe, deadlineMs);
}

async function untilHealthy(
  program: Program,
  name: string,
  probe: () => Promise<boolean>,
  deadlineMs: number,
): Promise<void> {
  try {
    await eventually(`${name} ready`, async () => ((await probe()) ? done(undefined) : notYet('not ready')), {
      deadlineMs,
      giveUp: () => (program.ended === undefined ? undefined : `ended (${program.ended})`),
    });
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : String(error)}\n${program.tail()}`, { cause: error });
  }
}
