// Over a whole life digger uses every right that deploy/ grants for it, and none is refused or missing: two replicas that
// start, ask about their callers, watch a custom kind, lose the API server and come back, and hand their history over.
//
// The API server's audit log is the witness, as in rbac.test.ts, which looks at a start with deploy/base alone.
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import { credentials, Metadata } from '@grpc/grpc-js';
import type { DiggerProcess } from '../observers/digger-process.ts';
import { done, eventually, notYet } from '../observers/eventually.ts';
import { type Failure, TestClient, toFailure } from '../rpc/serving.ts';
import { createCertificate } from '../simulator/server/certificate.ts';
import { applyAll, readBase, readComponent } from './manifests.ts';
import { Scene } from './scene.ts';
import { barePod, createCustomOwner, createPod, object, owned, scaled, WORLD_NAMESPACE } from './world.ts';

type Rule = {
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly verbs: readonly string[];
};
type AuditEvent = {
  readonly user: { readonly username: string };
  readonly verb: string;
  readonly requestURI: string;
  readonly objectRef?: { readonly resource?: string; readonly apiGroup?: string; readonly subresource?: string };
  readonly responseStatus?: { readonly code?: number };
};

const ACCOUNT = 'system:serviceaccount:digger:digger';
/** Open to every authenticated client by default (`system:discovery`, `system:public-info-viewer`). */
const OPEN_TO_ALL = /^\/(readyz|apis?(\/[^/?]+){0,2})$/;

let scene: Scene;
let directory: string;
const clients: TestClient[] = [];

before(async () => {
  directory = mkdtempSync(join(tmpdir(), 'digger-life-'));
  const policy = join(directory, 'policy.json');
  const rules = [{ level: 'Metadata' }];
  writeFileSync(policy, JSON.stringify({ apiVersion: 'audit.k8s.io/v1', kind: 'Policy', rules }));
  const log = [`--audit-policy-file=${policy}`, `--audit-log-path=${join(directory, 'audit.log')}`];
  scene = await Scene.set({
    controllers: false,
    proxied: true,
    // A server that cannot stream the initial list, so that it takes lists to begin with and watches to go on.
    featureGates: { WatchList: false },
    apiServerArgs: [...log, '--audit-log-mode=blocking'],
  });
});
after(async () => {
  for (const client of clients) client.close();
  await scene?.strike();
  rmSync(directory, { recursive: true, force: true });
});

it('the rights of deploy/base, auth and custom-owners are all used over a life, and nothing else is asked for', async () => {
  const { client } = scene.plane;
  // With the kind of this cluster in the place of the one that the component names.
  const custom = readComponent('custom-owners').map((each) =>
    each.kind === 'ClusterRole'
      ? { ...each, rules: [{ apiGroups: ['example.dev'], resources: ['rollouts'], verbs: verbsOf(each) }] }
      : each,
  );
  const auth = readComponent('auth');
  await applyAll(client, [...auth, ...custom]);
  await client.apply(object('v1', 'Namespace', WORLD_NAMESPACE));
  await client.apply(object('v1', 'ServiceAccount', 'default'));
  const rollout = await createCustomOwner(client, 'canary');
  const set = await client.apply(owned(object('apps/v1', 'ReplicaSet', 'canary-5f6d', scaled('canary', 1)), rollout));
  await createPod(client, owned(barePod('canary-5f6d-x', {}), set.body));

  const ca = createCertificate({ commonName: 'server CA' });
  const { cert, key } = createCertificate({ issuer: ca, commonName: 'digger' });
  const file = (name: string, text: string): string => {
    writeFileSync(join(directory, name), text, { mode: 0o600 });
    return join(directory, name);
  };
  const token = await tokenForDigger();
  const args = [
    ...[`--tls-cert=${file('tls.crt', cert)}`, `--tls-key=${file('tls.key', key)}`],
    ...['--auth=token-review', '--auth-cache-ttl=1s', '--auth-recheck-interval=1s'],
    ...[`--history-from-tls-ca=${file('ca.crt', ca.cert)}`, `--history-from-token-file=${file('token', token)}`],
  ];
  const first = await scene.startDigger(args);
  await untilReady(first);
  // Its own token is that of a replica: it may call HandOver, and no lookup.
  const caller = new TestClient(first.address, credentials.createSsl(Buffer.from(ca.cert)));
  clients.push(caller);
  const refused = await failureOf(caller, token);
  assert.equal(refused.code, 'PERMISSION_DENIED');
  // Connections go and come back: watches go on after a list of one object, and the uid of the cluster is compared.
  const compared = countOf((event) => event.requestURI.includes('kube-system'));
  scene.proxy?.cut();
  await eventually('it was compared with the cluster before', () => {
    const now = countOf((event) => event.requestURI.includes('kube-system'));
    return now > compared ? done(undefined) : notYet(now);
  });
  const second = await scene.startDigger([...args, `--history-from=${first.address}`]);
  await untilReady(second);
  await eventually('the history was handed over', () =>
    second.log.includes('took over the history of a sibling') ? done(undefined) : notYet(second.log),
  );

  const granted = rightsOf([...readBase(), ...auth, ...custom]);
  // A watch is written to the log when it ends or is answered, which may be after the lists are in.
  await eventually('every right was used, and no other was asked for', () => {
    const asked = events().filter(({ objectRef }) => objectRef?.resource !== undefined);
    const distinct = [...new Set(asked.map(rightOf))].toSorted();
    return distinct.join() === granted.join()
      ? done(undefined)
      : notYet({
          unused: granted.filter((right) => !distinct.includes(right)),
          beyond: distinct.filter((right) => !granted.includes(right)),
        });
  });
  const others = events().filter(({ objectRef }) => objectRef?.resource === undefined);
  const paths = others.map(({ verb, requestURI }) => `${verb} ${requestURI}`);
  assert.deepEqual(
    paths.filter((each) => !each.startsWith('get ') || !OPEN_TO_ALL.test(each.slice('get '.length))),
    [],
    'beside resources, only what is open to every client',
  );
  const denied = events().filter(({ responseStatus }) => [401, 403].includes(responseStatus?.code ?? 0));
  assert.deepEqual(denied, [], 'nothing was refused');
});

function events(): readonly AuditEvent[] {
  const log = join(directory, 'audit.log');
  if (!existsSync(log)) return [];
  // The last line may be half written.
  const lines = readFileSync(log, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as AuditEvent).filter(({ user }) => user.username === ACCOUNT);
}

function countOf(is: (event: AuditEvent) => boolean): number {
  return events().filter(is).length;
}

function rightOf({ verb, objectRef }: AuditEvent): string {
  const { resource, apiGroup = '', subresource } = objectRef ?? {};
  return `${verb} ${resource}${subresource === undefined ? '' : `/${subresource}`}.${apiGroup}`;
}

/** Of roles that are bound to digger's account: those for callers are for others. */
function rightsOf(
  objects: readonly { readonly kind?: string; readonly metadata: { readonly name?: string } }[],
): string[] {
  const bound = new Set(
    objects
      .filter(({ kind }) => kind === 'ClusterRoleBinding')
      .map((binding) => (binding as unknown as { roleRef: { name: string } }).roleRef.name),
  );
  const rights = objects
    .filter(({ kind, metadata }) => kind === 'ClusterRole' && bound.has(metadata.name ?? ''))
    .flatMap((role) => (role as unknown as { rules: readonly Rule[] }).rules)
    .flatMap(({ apiGroups = [], resources = [], verbs }) =>
      apiGroups.flatMap((group) =>
        resources.flatMap((resource) => verbs.map((verb) => `${verb} ${resource}.${group}`)),
      ),
    );
  return [...new Set(rights)].toSorted();
}

function verbsOf(role: object): readonly string[] {
  return (role as { rules: readonly Rule[] }).rules.flatMap(({ verbs }) => verbs);
}

async function tokenForDigger(): Promise<string> {
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { audiences: ['digger'] } };
  const answer = await scene.plane.client.raw('POST', '/api/v1/namespaces/digger/serviceaccounts/digger/token', {
    body,
  });
  return (JSON.parse(answer.body) as { status: { token: string } }).status.token;
}

async function failureOf(client: TestClient, token: string): Promise<Failure> {
  const metadata = new Metadata();
  metadata.set('authorization', `Bearer ${token}`);
  return eventually('a lookup is refused', async () => {
    try {
      await client.call('ResolveAddress', { address: '172.18.0.2' }, {}, metadata);
      return notYet('answered');
    } catch (error) {
      const failure = toFailure(error);
      return failure.code === 'PERMISSION_DENIED' ? done(failure) : notYet(failure);
    }
  });
}

async function untilReady(digger: DiggerProcess): Promise<void> {
  await eventually('digger is ready', async () => {
    const answer = await fetch(`http://${digger.adminAddress}/readyz`);
    return answer.ok ? done(undefined) : notYet(await answer.text());
  });
}
