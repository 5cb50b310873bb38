// Applying `deploy/` to a cluster gives what is written there, without a warning: every object is accepted by a
// real API server with strict field validation, and its pods pass the restricted pod security standard.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, existsSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ApiError } from './api-client.ts';
import { findOrBuildKustomize } from './binaries.ts';
import { ControlPlane } from './control-plane.ts';
import { installPrometheusKinds } from './prometheus-operator.ts';
import { applyAll, DEPLOY_DIRECTORY, parseManifests, readBase } from './manifests.ts';

describe('the manifests of deploy/', () => {
  let plane: ControlPlane;
  before(async () => {
    plane = await ControlPlane.start({ controllers: false });
  });
  after(async () => plane?.stop());

  it('hold in the base one object of each kind that is needed, all with the recommended labels', () => {
    const kinds = readBase().map((object) => object.kind);
    assert.deepEqual(kinds, [
      'Namespace',
      'ServiceAccount',
      'ClusterRole',
      'ClusterRoleBinding',
      'Deployment',
      'Service',
      'Service',
      'PodDisruptionBudget',
      'NetworkPolicy',
    ]);
    for (const object of readBase()) {
      assert.equal(
        object.metadata.labels?.['app.kubernetes.io/name'],
        'digger',
        `${object.kind} ${object.metadata.name}`,
      );
      assert.equal(
        object.metadata.labels?.['app.kubernetes.io/part-of'],
        'digger',
        `${object.kind} ${object.metadata.name}`,
      );
    }
  });

  it('apply one by one with strict validation and no warning', async () => {
    assert.deepEqual(await applyAll(plane.client, readBase()), []);
  });

  it('apply again and change nothing', async () => {
    const versions = async (): Promise<readonly (string | undefined)[]> =>
      Promise.all(
        readBase().map(
          async (object) => (await plane.client.get(await plane.client.path(object))).metadata.resourceVersion,
        ),
      );
    const before = await versions();
    await applyAll(plane.client, readBase());
    assert.deepEqual(await versions(), before);
  });

  for (const folder of kustomizations()) {
    it(`build with kustomize and apply: ${folder}`, async () => {
      const built = spawnSync(await findOrBuildKustomize(), ['build', join(DEPLOY_DIRECTORY, folder)], {
        encoding: 'utf8',
      });
      assert.equal(built.status, 0, built.stderr);
      const objects = parseManifests(built.stdout);
      assert.ok(objects.length >= readBase().length, built.stdout);
      assert.deepEqual(await applyAll(plane.client, objects), []);
    });
  }

  for (const component of readdirSync(join(DEPLOY_DIRECTORY, 'components'))) {
    it(`build and apply with a component: ${component}`, async (t) => {
      await installPrometheusKinds(plane.client);
      // The namespace that the example of components/namespaced names.
      await plane.client.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } });
      const folder = realpathSync(mkdtempSync(join(tmpdir(), 'digger-overlay-')));
      t.after(() => rmSync(folder, { recursive: true }));
      const path = (target: string): string => relative(folder, join(DEPLOY_DIRECTORY, target));
      // Those that production has, or takes the place of, build on the base.
      const onBase = ['ha', 'tls', 'auth', 'insecure'].includes(component);
      // JSON is YAML.
      const overlay = {
        apiVersion: 'kustomize.config.k8s.io/v1beta1',
        kind: 'Kustomization',
        resources: [path(onBase ? 'base' : 'overlays/production')],
        components: [path(`components/${component}`)],
      };
      writeFileSync(join(folder, 'kustomization.yaml'), JSON.stringify(overlay));
      const built = spawnSync(await findOrBuildKustomize(), ['build', folder], { encoding: 'utf8' });
      assert.equal(built.status, 0, built.stderr);
      const objects = parseManifests(built.stdout);
      assert.ok(objects.length >= readBase().length, built.stdout);
      assert.deepEqual(await applyAll(plane.client, objects), []);
    });
  }

  it('put the replicas of production on different nodes, with time to drain within their grace period', async () => {
    const folder = join(DEPLOY_DIRECTORY, 'overlays/production');
    const built = spawnSync(await findOrBuildKustomize(), ['build', folder], { encoding: 'utf8' });
    assert.equal(built.status, 0, built.stderr);
    const deployment = parseManifests(built.stdout).find((object) => object.kind === 'Deployment');
    assert.ok(deployment);
    const { replicas, template } = deployment['spec'] as {
      readonly replicas: number;
      readonly template: { readonly spec: Readonly<Record<string, unknown>> };
    };
    assert.ok(replicas > 2, `${replicas} replicas`);
    assert.match(JSON.stringify(template.spec['affinity']), /requiredDuringScheduling.*kubernetes\.io\/hostname/);
    const [container] = template.spec['containers'] as { env: { name: string; value: string }[]; args: string[] }[];
    const drain = container?.env.find(({ name }) => name === 'DIGGER_DRAIN_TIMEOUT')?.value;
    assert.ok(Number.parseInt(drain ?? '', 10) + 5 < Number(template.spec['terminationGracePeriodSeconds']), drain);
    const env = Object.fromEntries(container?.env.map(({ name, value }) => [name, value]) ?? []);
    const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
    const args = [main, ...(container?.args ?? []), '--print-config'];
    const printed = spawnSync(process.execPath, args, { encoding: 'utf8', env: { ...process.env, ...env } });
    assert.equal(printed.status, 0, printed.stderr);
    // 13.6: secure unless configured otherwise.
    const config = JSON.parse(printed.stdout) as Record<string, { readonly value: unknown }>;
    assert.deepEqual([config['allowPlaintext']?.value, config['auth']?.value], [false, 'token-review']);
    assert.equal(config['tlsCert']?.value, '/etc/digger/tls/tls.crt');
    const roles = parseManifests(built.stdout).filter((object) => object.kind === 'ClusterRole');
    const names = roles.map(({ metadata }) => metadata.name);
    for (const role of ['digger-lookup', 'digger-watch', 'digger-status']) assert.ok(names.includes(role), role);
  });

  it('13.6 let in labelled namespaces only, and ask the kubelet to probe where callers cannot be', () => {
    const policy = readBase().find((object) => object.kind === 'NetworkPolicy');
    assert.ok(policy);
    const { ingress } = policy['spec'] as {
      readonly ingress: readonly {
        readonly ports: readonly { readonly port: string }[];
        readonly from?: readonly Record<string, { readonly matchLabels?: object }>[];
      }[];
    };
    // For the history of one another.
    const replicas = { 'app.kubernetes.io/name': 'digger', 'app.kubernetes.io/component': 'server' };
    const labels = ingress.map(({ ports, from = [] }) => [
      ports.map(({ port }) => port).join(),
      from.map((peer) => Object.entries(peer).map(([selector, { matchLabels }]) => [selector, matchLabels])),
    ]);
    assert.deepEqual(labels, [
      ['grpc', [[['namespaceSelector', { 'digger/grpc': 'allowed' }]], [['podSelector', replicas]]]],
      ['admin', [[['namespaceSelector', { 'digger/metrics': 'allowed' }]]]],
    ]);
    const deployment = readBase().find((object) => object.kind === 'Deployment');
    assert.doesNotMatch(JSON.stringify(deployment), /"grpc":\{|allow-plaintext/);
  });

  it('run in a namespace where the API server refuses pods that are not restricted', async () => {
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'unrestricted', namespace: 'digger' },
      spec: { containers: [{ name: 'c', image: 'c' }] },
    };
    await plane.client.apply({
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: 'default', namespace: 'digger' },
    });
    await assert.rejects(
      plane.client.create(pod),
      (error: unknown) => error instanceof ApiError && error.status === 403 && /restricted/.test(error.message),
    );
  });

  it('would be seen to cause warnings if they did', async () => {
    const labels = { app: 'unrestricted' };
    const warnings = await applyAll(plane.client, [
      {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'unrestricted', namespace: 'digger' },
        spec: {
          replicas: 0,
          selector: { matchLabels: labels },
          template: { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'c' }] } },
        },
      },
    ]);
    assert.match(warnings.join('\n'), /would violate PodSecurity/);
  });

  it('start digger with options that it knows', () => {
    const deployment = readBase().find((object) => object.kind === 'Deployment');
    assert.ok(deployment);
    const { template } = deployment['spec'] as {
      template: { spec: { containers: readonly { readonly args: readonly string[] }[] } };
    };
    const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
    for (const { args } of template.spec.containers) {
      const bare = spawnSync(process.execPath, [main, ...args, '--print-config'], { encoding: 'utf8' });
      assert.equal(bare.status, 2, 'the base chooses no transport');
      const printed = spawnSync(process.execPath, [main, ...args, '--allow-plaintext', '--print-config'], {
        encoding: 'utf8',
      });
      assert.equal(printed.status, 0, printed.stderr);
      const { listen, adminListen } = JSON.parse(printed.stdout) as Record<string, { readonly value: object }>;
      assert.deepEqual(listen?.value, { host: '0.0.0.0', port: 50051 });
      assert.deepEqual(adminListen?.value, { host: '0.0.0.0', port: 9464 });
    }
  });

  it('describe pods that the restricted standard lets through', async () => {
    // Without controllers the Deployment does not become pods: its template is sent as one.
    const deployment = readBase().find((object) => object.kind === 'Deployment');
    assert.ok(deployment);
    const { template } = deployment['spec'] as { template: { metadata: object; spec: object } };
    const pod = await plane.client.create({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { ...template.metadata, name: 'from-template', namespace: 'digger' },
      spec: template.spec,
    });
    assert.ok(pod.metadata.uid);
  });
});

function kustomizations(): readonly string[] {
  const overlays = readdirSync(join(DEPLOY_DIRECTORY, 'overlays')).map((name) => join('overlays', name));
  return ['base', ...overlays].filter((folder) => existsSync(join(DEPLOY_DIRECTORY, folder, 'kustomization.yaml')));
}
