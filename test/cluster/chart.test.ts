// The Helm chart gives what kustomize gives: for each pair of values and kustomization the objects are the same, one by
// one, but for the labels that Helm adds; a real API server takes them without a warning; and what makes no sense is
// refused before it gets there.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { KubeObject } from './api-client.ts';
import { findOrBuildHelm, findOrBuildKustomize } from './binaries.ts';
import { ControlPlane } from './control-plane.ts';
import { applyAll, DEPLOY_DIRECTORY, parseManifests } from './manifests.ts';
import { installPrometheusKinds } from './prometheus-operator.ts';

const CHART = join(DEPLOY_DIRECTORY, 'helm/digger');

/** What the base has where production has more. */
const BASE = {
  namespace: { create: true },
  replicas: 2,
  highAvailability: { enabled: false },
  auth: { mode: 'none' },
  options: { 'max-connections': 3_000, 'drain-timeout': null, 'caller-rate': null, 'log-format': null },
  resources: { requests: { cpu: '100m', memory: '256Mi' }, limits: { memory: '512Mi' } },
};
const PRODUCTION = { namespace: { create: true } };

type Pair = readonly [title: string, resources: string, components: readonly string[], values: object];

const PAIRS: readonly Pair[] = [
  ['the base, in plaintext', 'base', ['insecure'], { ...BASE, tls: { enabled: false }, insecure: true }],
  ['the base with TLS', 'base', ['tls'], BASE],
  ['production', 'overlays/production', [], PRODUCTION],
  [
    'production with what the Prometheus Operator and Grafana take',
    'overlays/production',
    ['servicemonitor', 'alerts', 'dashboard'],
    { ...PRODUCTION, serviceMonitor: { enabled: true }, alerts: { enabled: true }, dashboard: { enabled: true } },
  ],
  ['production for a few namespaces', 'overlays/production', ['namespaced'], { ...PRODUCTION, namespaces: ['shop'] }],
  [
    'production with custom owners',
    'overlays/production',
    ['custom-owners'],
    { ...PRODUCTION, customOwners: [{ apiGroups: ['argoproj.io'], resources: ['rollouts'] }] },
  ],
];

describe('the Helm chart', () => {
  let helm: string;
  let plane: ControlPlane;
  let folder: string;
  before(async () => {
    helm = await findOrBuildHelm();
    plane = await ControlPlane.start({ controllers: false });
    await installPrometheusKinds(plane.client);
    // That of the example of components/namespaced.
    await plane.client.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } });
    folder = realpathSync(mkdtempSync(join(tmpdir(), 'digger-chart-')));
  });
  after(async () => {
    await plane?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('has nothing that helm lint finds, strictly', () => {
    const linted = spawnSync(helm, ['lint', '--strict', CHART], { encoding: 'utf8' });
    assert.equal(linted.status, 0, linted.stdout + linted.stderr);
    assert.doesNotMatch(linted.stdout, /\[(WARNING|ERROR)\]/);
  });

  for (const [title, resources, components, values] of PAIRS) {
    it(`renders what kustomize builds, and a real API server takes it without a warning: ${title}`, async () => {
      const rendered = parseManifests(template(values).stdout);
      const built = parseManifests(await kustomize(resources, components));
      assert.deepEqual(byName(rendered), byName(built));
      const ordered = rendered.toSorted((a, b) => Number(b.kind === 'Namespace') - Number(a.kind === 'Namespace'));
      assert.deepEqual(await applyAll(plane.client, ordered), []);
    });
  }

  it('refuses an option that digger does not have, no transport at all, and two of them', () => {
    for (const [values, message] of [
      [{ options: { 'max-conections': 1 } }, /max-conections/],
      [{ options: { 'allow-plaintext': true } }, /allow-plaintext/],
      [{ tls: { enabled: false } }, /choose one transport/],
      [{ insecure: true }, /choose one transport/],
      [{ auth: { mode: 'client-certificate' } }, /needs tls\.enabled, tls\.clientCa and options\.allow-client/],
      [{ replicas: 0 }, /replicas/],
    ] as const) {
      const { status, stderr } = template(values);
      assert.notEqual(status, 0, JSON.stringify(values));
      assert.match(stderr, message);
    }
  });

  it('starts digger with options that it knows, whatever their form', () => {
    const values = {
      options: { 'max-history-memory': 1_073_741_824, 'deny-label': ['team', 'owner'], history: '5m' },
      insecure: true,
      tls: { enabled: false },
    };
    const deployment = parseManifests(template(values).stdout).find(({ kind }) => kind === 'Deployment');
    assert.ok(deployment);
    const { template: pod } = deployment['spec'] as {
      template: { spec: { containers: { args: string[]; env: { name: string; value: string }[] }[] } };
    };
    const [container] = pod.spec.containers;
    const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
    const env = Object.fromEntries((container?.env ?? []).map(({ name, value }) => [name, value]));
    const printed = spawnSync(process.execPath, [main, ...(container?.args ?? []), '--print-config'], {
      encoding: 'utf8',
      env: { ...process.env, ...env },
    });
    assert.equal(printed.status, 0, printed.stderr);
    const config = JSON.parse(printed.stdout) as Record<string, { readonly value: unknown; readonly source: string }>;
    assert.deepEqual(config['maxHistoryMemoryBytes']?.value, 1_073_741_824);
    assert.deepEqual(config['denyLabels']?.value, ['team', 'owner']);
    assert.equal(config['callerRate']?.value, 100_000, 'defaults of the chart stay');
  });

  it('has names of its own for each release, so that two of them do not share pods', () => {
    const rendered = parseManifests(template({}, 'blue').stdout);
    const service = rendered.find(({ kind }) => kind === 'Service');
    assert.ok(service);
    assert.deepEqual((service['spec'] as { selector: object }).selector, {
      'app.kubernetes.io/name': 'blue-digger',
      'app.kubernetes.io/component': 'server',
    });
    assert.ok(rendered.every(({ metadata }) => metadata.name.startsWith('blue-digger')));
  });

  it('puts the address of a copy of the repository before each runbook', () => {
    const alerts = { enabled: true, runbookBase: 'https://docs.example/digger/' };
    const text = template({ alerts }).stdout;
    assert.match(text, /runbook_url: https:\/\/docs\.example\/digger\/docs\/runbooks\.md#diggerstale/);
  });

  it('notes name the first commands', () => {
    const file = join(folder, 'values.json');
    writeFileSync(file, JSON.stringify({}));
    const args = ['install', 'digger', CHART, '--namespace', 'digger', '--dry-run=client', '-f', file];
    const { stdout, stderr } = spawnSync(helm, args, { encoding: 'utf8' });
    assert.match(stdout, /rollout status deployment\/digger\n[^]*port-forward[^]*digger resolve /, stderr);
  });

  function template(values: object, release = 'digger'): { status: number | null; stdout: string; stderr: string } {
    const file = join(folder, 'values.json');
    // JSON is YAML.
    writeFileSync(file, JSON.stringify(values));
    return spawnSync(helm, ['template', release, CHART, '--namespace', 'digger', '-f', file], {
      encoding: 'utf8',
      maxBuffer: 16 << 20,
    });
  }

  async function kustomize(resources: string, components: readonly string[]): Promise<string> {
    const path = (target: string): string => relative(folder, join(DEPLOY_DIRECTORY, target));
    const overlay = {
      apiVersion: 'kustomize.config.k8s.io/v1beta1',
      kind: 'Kustomization',
      resources: [path(resources)],
      components: components.map((component) => path(`components/${component}`)),
    };
    writeFileSync(join(folder, 'kustomization.yaml'), JSON.stringify(overlay));
    const built = spawnSync(await findOrBuildKustomize(), ['build', folder], { encoding: 'utf8' });
    assert.equal(built.status, 0, built.stderr);
    return built.stdout;
  }
});

/** Labels that Helm adds. */
const HELM_LABELS = [
  'helm.sh/chart',
  'app.kubernetes.io/instance',
  'app.kubernetes.io/version',
  'app.kubernetes.io/managed-by',
];

/** Comparable: by kind, namespace and name, without Helm's labels, environment variables in the order of their names. */
function byName(objects: readonly KubeObject[]): Readonly<Record<string, object>> {
  const named = objects.map((object): [string, object] => {
    const { kind, metadata } = object;
    const labels = Object.fromEntries(
      Object.entries(metadata.labels ?? {}).filter(([label]) => !HELM_LABELS.includes(label)),
    );
    const copy = structuredClone({ ...object, metadata: { ...metadata, labels } }) as unknown as Workload;
    for (const container of copy.spec?.template?.spec?.containers ?? []) {
      container.env?.sort((a, b) => a.name.localeCompare(b.name));
    }
    return [`${kind} ${metadata.namespace ?? ''}/${metadata.name}`, copy];
  });
  return Object.fromEntries(named.toSorted(([a], [b]) => a.localeCompare(b)));
}

interface Workload {
  readonly spec?: {
    readonly template?: { readonly spec?: { readonly containers: readonly { readonly env?: { name: string }[] }[] } };
  };
}
