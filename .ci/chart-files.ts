// The files of the Helm chart that are made of something else: of the table of values (chart-values.ts), and of the
// manifests of deploy/, so that rights, alerts and the dashboard are written down once.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { CHART_VALUES, type ChartValue, chartOptions } from './chart-values.ts';

const ROOT = join(import.meta.dirname, '..');

/** Where the chart is, relative to the repository. */
export const CHART = 'deploy/helm/digger';

const BY_HAND = 'Made by `npm run chart` from .ci/chart-values.ts and src/options/options.ts; do not edit.';

/** Copied as they are: file of the chart → file of deploy/. */
const COPIES: Readonly<Record<string, string>> = {
  'files/cluster-role.yaml': 'base/cluster-role.yaml',
  'files/namespaced-role.yaml': 'components/namespaced/role.yaml',
  'files/reviews-cluster-role.yaml': 'components/auth/reviews-cluster-role.yaml',
  'files/lookup-cluster-role.yaml': 'components/auth/lookup-cluster-role.yaml',
  'files/watch-cluster-role.yaml': 'components/auth/watch-cluster-role.yaml',
  'files/status-cluster-role.yaml': 'components/auth/status-cluster-role.yaml',
  'files/history-cluster-role.yaml': 'components/auth/history-cluster-role.yaml',
  'files/service-monitor.yaml': 'components/servicemonitor/service-monitor.yaml',
  'files/prometheus-rule.yaml': 'components/alerts/prometheus-rule.yaml',
  'files/digger.json': 'components/dashboard/digger.json',
};

/** Path in the repository → text. */
export function chartFiles(): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  files.set(`${CHART}/Chart.yaml`, chartYaml());
  files.set(`${CHART}/values.yaml`, valuesYaml());
  files.set(`${CHART}/values.schema.json`, `${JSON.stringify(valuesSchema(), null, 2)}\n`);
  files.set(`${CHART}/README.md`, readme());
  for (const [to, from] of Object.entries(COPIES)) {
    files.set(`${CHART}/${to}`, readFileSync(join(ROOT, 'deploy', from), 'utf8'));
  }
  return files;
}

function chartYaml(): string {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
  const image = imageTag();
  return `# ${BY_HAND}
apiVersion: v2
name: digger
description: Tells a traffic pipeline who is behind an address in a Kubernetes cluster, over gRPC
type: application
version: ${version}
appVersion: '${image}'
kubeVersion: '>=1.33.0-0'
`;
}

/** Of the manifests: one truth for both. */
function imageTag(): string {
  const deployment = load(readFileSync(join(ROOT, 'deploy/base/deployment.yaml'), 'utf8')) as {
    spec: { template: { spec: { containers: { image: string }[] } } };
  };
  return deployment.spec.template.spec.containers[0]?.image.split(':')[1] ?? '';
}

function valuesYaml(): string {
  const lines = [`# ${BY_HAND}`];
  let group = '';
  for (const { path, value, meaning } of CHART_VALUES) {
    const [head = '', ...rest] = path.split('.');
    const key = rest.join('.');
    if (key === '' || head !== group) lines.push('');
    if (key !== '' && head !== group) lines.push(`${head}:`);
    group = key === '' ? '' : head;
    const indent = key === '' ? '' : '  ';
    lines.push(`${indent}# ${meaning}`, ...yamlEntry(key === '' ? head : key, value, indent));
  }
  return `${lines.join('\n')}\n`;
}

/** Only what defaults are made of: texts, numbers, switches, empty lists, maps. */
function yamlEntry(key: string, value: unknown, indent: string): string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || Object.keys(value).length === 0) {
    return [`${indent}${key}: ${typeof value === 'string' ? yamlText(value) : JSON.stringify(value)}`];
  }
  const inner = Object.entries(value).flatMap(([name, each]) => yamlEntry(name, each, `${indent}  `));
  return [`${indent}${key}:`, ...inner];
}

function yamlText(value: string): string {
  return /^[A-Za-z][A-Za-z-]*$/.test(value) ? value : `'${value}'`;
}

type SchemaNode = { type: string; additionalProperties: boolean; properties: Record<string, unknown> };

function valuesSchema(): object {
  const root: SchemaNode = {
    type: 'object',
    additionalProperties: false,
    // Helm puts its own value there for charts that are used as a part of others.
    properties: { global: { type: 'object' } },
  };
  for (const { path, schema, meaning } of CHART_VALUES) {
    const keys = path.split('.');
    let node = root;
    for (const key of keys.slice(0, -1)) {
      node.properties[key] ??= { type: 'object', additionalProperties: false, properties: {} };
      node = node.properties[key] as SchemaNode;
    }
    node.properties[keys.at(-1) ?? ''] = { description: meaning, ...schema };
  }
  return { $schema: 'http://json-schema.org/draft-07/schema#', $comment: BY_HAND, ...root };
}

function readme(): string {
  const row = ({ path, value, meaning }: ChartValue): string =>
    `| \`${path}\` | \`${JSON.stringify(value)}\` | ${meaning} |`;
  const options = chartOptions().map(([name, { arity, defaultText, meaning }]) => {
    const shown = arity === 'many' ? 'list' : defaultText === undefined ? '' : `\`${defaultText}\``;
    return `| \`${name}\` | ${shown} | ${meaning} |`;
  });
  return `<!-- ${BY_HAND} -->

# The Helm chart of digger

It renders what \`deploy/overlays/production\` does: three replicas on three nodes, TLS, and callers who show a token and have a role. A test compares
both object by object.

\`\`\`sh
helm install digger deploy/helm/digger --namespace digger --create-namespace --set image.repository=registry.example/digger
\`\`\`

It needs the Secret \`digger-tls\` (\`tls.secretName\`), and callers in namespaces that are labelled:

\`\`\`sh
kubectl label namespace traffic digger/grpc=allowed
kubectl label namespace monitoring digger/metrics=allowed
\`\`\`

A cluster on a laptop:

\`\`\`sh
helm install digger deploy/helm/digger --set insecure=true,tls.enabled=false,auth.mode=none,highAvailability.enabled=false,replicas=1
\`\`\`

## Values

| value | default | meaning |
|---|---|---|
${CHART_VALUES.map(row).join('\n')}

## Options

Keys of \`options\`; an unknown one is refused by the schema. The defaults here are digger's own; what the chart sets of them stands above. A list is written as
one: \`options.deny-label: [team, owner]\`.

| option | default | meaning |
|---|---|---|
${options.join('\n')}
`;
}
