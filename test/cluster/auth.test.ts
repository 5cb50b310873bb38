// Who may call, decided by a real API server: tokens from its TokenRequest API, reviewed by it, and RBAC for what they
// may do; over TLS, with the rights of deploy/components/auth. And client certificates, which need no API server.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createPrivateKey, sign } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type ChannelCredentials, credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import type { DiggerProcess } from '../observers/digger-process.ts';
import { done, eventually, notYet } from '../observers/eventually.ts';
import { type Failure, TestClient, toFailure } from '../rpc/serving.ts';
import { type Certificate, createCertificate } from '../simulator/server/certificate.ts';
import type { KubeObject } from './api-client.ts';
import { findOrBuildKustomize } from './binaries.ts';
import { applyAll, DEPLOY_DIRECTORY, parseManifests, readComponent } from './manifests.ts';
import { Scene } from './scene.ts';

interface PodSpec {
  readonly containers: readonly {
    readonly args: readonly string[];
    readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
    readonly readinessProbe: Probe;
    readonly livenessProbe: Probe;
  }[];
}

interface Probe {
  readonly httpGet?: { readonly port: string };
}

const CALLERS = 'traffic';
const RESOLVE = '/digger.v1.LookupService/ResolveAddress';
const WATCH = '/digger.v1.ChangeFeedService/Watch';

describe('callers of a digger that asks who they are', () => {
  let scene: Scene;
  let directory: string;
  let ca: Certificate;
  let digger: DiggerProcess;
  const clients: TestClient[] = [];

  before(async () => {
    scene = await Scene.set({ controllers: false });
    // Nodes are all that is looked up, and an API server that is gone is nothing to a kubelet that has gone too.
    await scene.kubelet.stop();
    directory = mkdtempSync(join(tmpdir(), 'digger-auth-'));
    ca = createCertificate({ commonName: 'server CA' });
    const { cert, key } = createCertificate({ issuer: ca, commonName: 'digger' });
    writeFileSync(join(directory, 'tls.crt'), cert);
    writeFileSync(join(directory, 'tls.key'), key, { mode: 0o600 });
    await scene.plane.client.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: CALLERS } });
    const auth = ['--auth=token-review', '--auth-cache-ttl=1s', '--auth-recheck-interval=1s'];
    digger = await scene.startDigger([...tlsArgs(), ...auth]);
    await untilReady(digger);
  });
  after(async () => {
    for (const client of clients) client.close();
    await scene?.strike();
    rmSync(directory, { recursive: true, force: true });
  });

  it('are all turned away, to try again, while digger has no right to ask about them', async () => {
    await createCaller('early');
    const { code, details } = await refusal(await tokenOf('early'));
    assert.equal(code, 'UNAVAILABLE');
    assert.equal(details['ErrorInfo']?.['reason'], 'AUTHENTICATION_UNAVAILABLE');
    assert.ok(details['RetryInfo']);
    assert.match(digger.log, /cannot create resource \\"tokenreviews\\"/);
    assert.deepEqual(await applyAll(scene.plane.client, readComponent('auth')), []);
    await grant('early', 'digger-lookup');
    await eventuallyAnswers(await tokenOf('early'));
  });

  it('with a token for digger and the right to look up may look up, and may not watch', async () => {
    await createCaller('looks-up');
    await grant('looks-up', 'digger-lookup');
    const token = await tokenOf('looks-up');
    await eventuallyAnswers(token);
    const { code, message, details } = await watchRefusal(token);
    assert.equal(code, 'PERMISSION_DENIED');
    assert.equal(message, `system:serviceaccount:${CALLERS}:looks-up may not post ${WATCH}`);
    assert.deepEqual(details['ErrorInfo']?.['metadata'], { method: WATCH });
  });

  it('with the right to watch may watch, and may not look up', async () => {
    await createCaller('watches');
    await grant('watches', 'digger-watch');
    const token = await tokenOf('watches');
    await eventually('a snapshot', async () => {
      const outcome = await watchOutcome(token);
      return outcome === 'FRAME' ? done(undefined) : notYet(outcome);
    });
    assert.equal((await refusal(token)).code, 'PERMISSION_DENIED');
  });

  it('13.12 with the right to status get GetStatus and reflection, as the line for grpcurl needs, and nothing else', async () => {
    await createCaller('looks-on');
    await grant('looks-on', 'digger-status');
    const token = await tokenOf('looks-on');
    const client = clientOf(token);
    await eventually('status is answered', async () => {
      try {
        return done(await client.call('digger.v1.StatusService/GetStatus', {}, deadline()));
      } catch (error) {
        return notYet(toFailure(error));
      }
    });
    const same = (bytes: Buffer): Buffer => bytes;
    for (const version of ['v1', 'v1alpha']) {
      const path = `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`;
      const call = client.makeBidiStreamRequest(path, same, same, deadline());
      call.resume();
      call.end();
      await new Promise<void>((resolve, reject) => call.once('end', resolve).once('error', reject));
    }
    assert.equal((await refusal(token)).code, 'PERMISSION_DENIED');
  });

  it('without any right may do nothing', async () => {
    await createCaller('nobody');
    assert.equal((await refusal(await tokenOf('nobody'))).code, 'PERMISSION_DENIED');
  });

  it('without a token, or with one of another audience, are UNAUTHENTICATED', async () => {
    await createCaller('audience');
    await grant('audience', 'digger-lookup');
    await eventuallyAnswers(await tokenOf('audience'));
    assert.equal((await refusal(undefined)).code, 'UNAUTHENTICATED');
    assert.equal((await refusal('not-a-token')).code, 'UNAUTHENTICATED');
    for (const audiences of [[], ['https://kubernetes.default.svc'], ['other']]) {
      const { code } = await refusal(await tokenOf('audience', audiences));
      assert.equal(code, 'UNAUTHENTICATED', String(audiences));
    }
  });

  it('with a token that has expired, or whose signature is not the cluster’s, are UNAUTHENTICATED', async () => {
    await createCaller('expires');
    await grant('expires', 'digger-lookup');
    const token = await tokenOf('expires');
    // Signed again with the cluster's own key it is as good as before, so it is the time alone that is refused.
    const now = Math.floor(Date.now() / 1000);
    await eventuallyAnswers(resign(token, { iat: now - 60, nbf: now - 60 }));
    const expired = resign(token, { iat: now - 7200, nbf: now - 7200, exp: now - 3600 });
    assert.equal((await refusal(expired)).code, 'UNAUTHENTICATED');
    const [head = '', body = ''] = token.split('.');
    assert.equal(
      (await refusal(`${head}.${body}.${Buffer.alloc(256, 1).toString('base64url')}`)).code,
      'UNAUTHENTICATED',
    );
  });

  it('whose service account is deleted are UNAUTHENTICATED as soon as reviews have run out', async () => {
    const account = await createCaller('revoked');
    await grant('revoked', 'digger-lookup');
    const token = await tokenOf('revoked');
    await eventuallyAnswers(token);
    await scene.plane.client.delete(account);
    await eventually('the token is refused', async () => {
      const code = await codeOf(token);
      return code === 'UNAUTHENTICATED' ? done(undefined) : notYet(code);
    });
  });

  it('whose right is taken away are PERMISSION_DENIED as soon as reviews have run out', async () => {
    await createCaller('demoted');
    const binding = await grant('demoted', 'digger-lookup');
    const token = await tokenOf('demoted');
    await eventuallyAnswers(token);
    await scene.plane.client.delete(binding);
    await eventually('the call is refused', async () => {
      const code = await codeOf(token);
      return code === 'PERMISSION_DENIED' ? done(undefined) : notYet(code);
    });
  });

  it('who follow the feed are PERMISSION_DENIED when their right to is taken away, and go on when it is back', async () => {
    await createCaller('follower');
    const binding = await grant('follower', 'digger-watch');
    const token = await tokenOf('follower');
    const stream = await follow(token);
    await scene.plane.client.delete(binding);
    const { code, message, details } = await stream.ended;
    assert.equal(code, 'PERMISSION_DENIED');
    assert.equal(message, `system:serviceaccount:${CALLERS}:follower may not post ${WATCH}`);
    assert.deepEqual(details['ErrorInfo']?.['metadata'], { method: WATCH });
    assert.equal((await watchRefusal(token)).code, 'PERMISSION_DENIED');
    await grant('follower', 'digger-watch');
    (await follow(token)).cancel();
  });

  it('who follow the feed are UNAUTHENTICATED when their service account is deleted', async () => {
    const account = await createCaller('leaver');
    await grant('leaver', 'digger-watch');
    const stream = await follow(await tokenOf('leaver'));
    await scene.plane.client.delete(account);
    assert.equal((await stream.ended).code, 'UNAUTHENTICATED');
  });

  it('who follow the feed are UNAUTHENTICATED when their token expires; another with a fresh one is not touched', async () => {
    await createCaller('sleeper');
    await grant('sleeper', 'digger-watch');
    const token = await tokenOf('sleeper');
    const lasting = await follow(token);
    const now = Math.floor(Date.now() / 1000);
    // API servers believe a token for a minute after its end (jwt.DefaultLeeway of go-jose): this one for 8 s more.
    const exp = now - 52;
    const stream = await follow(resign(token, { iat: now - 600, nbf: now - 600, exp }));
    assert.equal((await stream.ended).code, 'UNAUTHENTICATED');
    assert.ok(Date.now() / 1000 >= exp + 60, 'not before it expired');
    assert.equal(lasting.hasEnded(), false);
    lasting.cancel();
  });

  it('reach health without a token, and neither status nor reflection', async () => {
    const client = clientOf(undefined);
    await client.callBytes('/grpc.health.v1.Health/Check', Buffer.alloc(0), deadline());
    const failure = await client.failure('digger.v1.StatusService/GetStatus', {}, deadline());
    assert.equal(failure.code, 'UNAUTHENTICATED');
  });

  it('are turned away while the API server is gone, and served again when it is back', async () => {
    await createCaller('outage');
    await grant('outage', 'digger-lookup');
    const token = await tokenOf('outage');
    await eventuallyAnswers(token);
    await scene.plane.killApiServer();
    const failure = await eventually('the door is closed', async () => {
      const code = await codeOf(token);
      return code === 'UNAVAILABLE' ? done(await refusal(token)) : notYet(code);
    });
    assert.equal(failure.details['ErrorInfo']?.['reason'], 'AUTHENTICATION_UNAVAILABLE');
    assert.ok(failure.details['RetryInfo']);
    await scene.plane.startApiServer();
    await eventuallyAnswers(token);
  });

  it('never find their tokens in the log', async () => {
    await createCaller('logged');
    const token = await tokenOf('logged');
    assert.equal((await refusal(token)).code, 'PERMISSION_DENIED');
    for (const part of token.split('.')) assert.ok(!digger.log.includes(part), 'a part of the token is in the log');
  });

  it('by certificate: a name on the list may call, another may not, a client without a certificate does not get in', async () => {
    const clientCa = createCertificate({ commonName: 'client CA' });
    writeFileSync(join(directory, 'ca.crt'), clientCa.cert);
    const id = `spiffe://cluster.local/ns/${CALLERS}/sa/sensor`;
    const args = [`--tls-client-ca=${join(directory, 'ca.crt')}`, '--auth=client-certificate', `--allow-client=${id}`];
    const byName = await scene.startDigger([...tlsArgs(), ...args]);
    await untilReady(byName);
    const as = (certificate?: Certificate): TestClient => clientTo(byName.address, channel(certificate));
    const issue = (uri: string): Certificate =>
      createCertificate({ issuer: clientCa, commonName: 'client', uris: [uri], dnsNames: [] });
    await as(issue(id)).call('ResolveAddress', { address: '172.18.0.2' }, deadline());
    const other = await as(issue(`${id}-2`)).failure('ResolveAddress', { address: '172.18.0.2' }, deadline());
    assert.equal(other.code, 'PERMISSION_DENIED');
    for (const stranger of [undefined, createCertificate({ uris: [id] })]) {
      const failure = await as(stranger).failure('ResolveAddress', { address: '172.18.0.2' }, deadline());
      assert.equal(failure.code, 'UNAVAILABLE');
    }
    await byName.stop();
  });

  it('are what deploy/components/tls and auth are for: both apply to the base without a warning, and digger takes them', async () => {
    const overlay = join(directory, 'overlay');
    mkdirSync(overlay);
    const path = (name: string): string => relative(overlay, join(DEPLOY_DIRECTORY, name));
    const kustomization = {
      apiVersion: 'kustomize.config.k8s.io/v1beta1',
      kind: 'Kustomization',
      resources: [path('base')],
      components: [path('components/tls'), path('components/auth')],
    };
    writeFileSync(join(overlay, 'kustomization.yaml'), JSON.stringify(kustomization));
    const built = spawnSync(await findOrBuildKustomize(), ['build', overlay], { encoding: 'utf8' });
    assert.equal(built.status, 0, built.stderr);
    const objects = parseManifests(built.stdout);
    assert.deepEqual(await applyAll(scene.plane.client, objects), []);

    const deployment = objects.find((object) => object.kind === 'Deployment');
    assert.ok(deployment);
    const { template } = deployment['spec'] as { template: { metadata: object; spec: PodSpec } };
    const [container] = template.spec.containers;
    assert.ok(container);
    assert.ok(!container.args.includes('--allow-plaintext'), container.args.join(' '));
    const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
    const printed = spawnSync(process.execPath, [main, ...container.args, '--print-config'], { encoding: 'utf8' });
    assert.equal(printed.status, 0, printed.stderr);
    const config = JSON.parse(printed.stdout) as Record<string, { readonly value: unknown }>;
    assert.equal(config['auth']?.value, 'token-review');
    const mount = container.volumeMounts.find(({ name }) => name === 'tls');
    assert.equal(config['tlsCert']?.value, `${mount?.mountPath}/tls.crt`);
    assert.equal(config['tlsKey']?.value, `${mount?.mountPath}/tls.key`);
    for (const probe of [container.readinessProbe, container.livenessProbe]) {
      assert.deepEqual(Object.keys(probe).includes('grpc'), false, 'kubelets speak no TLS in gRPC probes');
      assert.equal(probe.httpGet?.port, 'admin');
    }
    for (const service of objects.filter((object) => object.kind === 'Service')) {
      const { ports } = service['spec'] as { ports: readonly { name: string; appProtocol?: string }[] };
      assert.equal(ports.find(({ name }) => name === 'grpc')?.appProtocol, 'https', service.metadata.name);
    }
    // The Deployment's template as a pod: the namespace refuses what is not restricted.
    await scene.plane.client.create({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { ...template.metadata, name: 'from-template', namespace: 'digger' },
      spec: template.spec,
    });
  });

  function tlsArgs(): readonly string[] {
    return [`--tls-cert=${join(directory, 'tls.crt')}`, `--tls-key=${join(directory, 'tls.key')}`];
  }

  async function createCaller(name: string): Promise<KubeObject> {
    const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace: CALLERS } };
    return (await scene.plane.client.apply(account)).body;
  }

  async function grant(name: string, role: string): Promise<KubeObject> {
    const binding = {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: `${name}-${role}` },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
      subjects: [{ kind: 'ServiceAccount', name, namespace: CALLERS }],
    };
    return (await scene.plane.client.apply(binding)).body;
  }

  async function tokenOf(name: string, audiences: readonly string[] = ['digger']): Promise<string> {
    const path = `/api/v1/namespaces/${CALLERS}/serviceaccounts/${name}/token`;
    const spec = { audiences };
    const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec };
    const answer = await scene.plane.client.raw('POST', path, { body });
    return (JSON.parse(answer.body) as { status: { token: string } }).status.token;
  }

  /** The token with other claims, signed with the key of the cluster. */
  function resign(token: string, claims: Readonly<Record<string, number>>): string {
    const [head = '', body = ''] = token.split('.');
    const changed = { ...(JSON.parse(Buffer.from(body, 'base64url').toString()) as object), ...claims };
    const text = `${head}.${Buffer.from(JSON.stringify(changed)).toString('base64url')}`;
    const key = createPrivateKey(readFileSync(join(scene.plane.directory, 'sa.key'), 'utf8'));
    return `${text}.${sign('sha256', Buffer.from(text), key).toString('base64url')}`;
  }

  function channel(certificate?: Certificate): ChannelCredentials {
    const root = Buffer.from(ca.cert);
    if (certificate === undefined) return credentials.createSsl(root);
    return credentials.createSsl(root, Buffer.from(certificate.key), Buffer.from(certificate.cert));
  }

  function clientTo(address: string, through: ChannelCredentials): TestClient {
    const client = new TestClient(address, through);
    clients.push(client);
    return client;
  }

  /** Sends the token as clients do: by call credentials, which grpc-js lets go over TLS only. */
  function clientOf(token: string | undefined): TestClient {
    if (token === undefined) return clientTo(digger.address, channel());
    const call = credentials.createFromMetadataGenerator((_params, callback) => {
      const metadata = new Metadata();
      metadata.set('authorization', `Bearer ${token}`);
      callback(null, metadata);
    });
    return clientTo(digger.address, credentials.combineChannelCredentials(channel(), call));
  }

  async function codeOf(token: string | undefined): Promise<string | undefined> {
    const client = clientOf(token);
    try {
      await client.call('ResolveAddress', { address: '172.18.0.2' }, deadline());
      return 'OK';
    } catch (error) {
      return toFailure(error).code;
    } finally {
      client.close();
    }
  }

  async function refusal(token: string | undefined): Promise<Failure> {
    const client = clientOf(token);
    try {
      return await client.failure('ResolveAddress', { address: '172.18.0.2' }, deadline());
    } finally {
      client.close();
    }
  }

  /** RBAC and informers of the API server take a moment to see what was applied. */
  async function eventuallyAnswers(token: string): Promise<void> {
    await eventually(`${RESOLVE} is answered`, async () => {
      const code = await codeOf(token);
      return code === 'OK' ? done(undefined) : notYet({ code, log: digger.log.split('\n').slice(-5) });
    });
  }

  /** `FRAME`, or the failure. */
  function watchOutcome(token: string): Promise<'FRAME' | Failure> {
    const same = (bytes: Buffer): Buffer => bytes;
    const client = clientOf(token);
    const call = client.makeServerStreamRequest(WATCH, same, same, Buffer.alloc(0), deadline());
    return new Promise<'FRAME' | Failure>((resolve) => {
      call.once('data', () => resolve('FRAME'));
      call.on('error', (error: ServiceError) => resolve(toFailure(error)));
    }).finally(() => {
      call.cancel();
      client.close();
    });
  }

  interface Following {
    readonly ended: Promise<Failure>;
    hasEnded(): boolean;
    cancel(): void;
  }

  /** A subscription whose first frame has come; a right that was just granted takes a moment to be seen. */
  async function follow(token: string): Promise<Following> {
    await eventually('the feed opens', async () => {
      const outcome = await watchOutcome(token);
      return outcome === 'FRAME' ? done(undefined) : notYet({ outcome, log: digger.log.split('\n').slice(-5) });
    });
    const same = (bytes: Buffer): Buffer => bytes;
    const patience = { deadline: Date.now() + 60_000 };
    const call = clientOf(token).makeServerStreamRequest(WATCH, same, same, Buffer.alloc(0), patience);
    let hasEnded = false;
    const ended = new Promise<Failure>((resolve) => {
      call.on('error', (error: ServiceError) => {
        hasEnded = true;
        resolve(toFailure(error));
      });
    });
    await new Promise((resolve) => call.once('data', resolve));
    return { ended, hasEnded: () => hasEnded, cancel: () => call.cancel() };
  }

  async function watchRefusal(token: string): Promise<Failure> {
    const outcome = await watchOutcome(token);
    assert.ok(outcome !== 'FRAME', 'the feed was opened');
    return outcome;
  }
});

function deadline(): { deadline: number } {
  return { deadline: Date.now() + 10_000 };
}

async function untilReady(digger: DiggerProcess): Promise<void> {
  await eventually('digger is ready', async () => {
    const answer = await fetch(`http://${digger.adminAddress}/readyz`);
    return answer.ok ? done(undefined) : notYet(await answer.text());
  });
}
