// What can be set of the Helm chart, in the order in which a reader wants to see it: path, default, what is allowed and
// what it means. values.yaml, values.schema.json and the README of the chart are made from this table, and the options
// of digger in it from the one table of options.

import type { Option } from '../src/options/option.ts';
import { OPTION_NAMES, OPTIONS } from '../src/options/options.ts';

/** A part of JSON Schema. */
type Schema = Readonly<Record<string, unknown>>;

export interface ChartValue {
  /** `image.tag`. */
  readonly path: string;
  readonly value: unknown;
  readonly schema: Schema;
  /** One line. */
  readonly meaning: string;
}

const text: Schema = { type: 'string' };
const toggle: Schema = { type: 'boolean' };
const texts: Schema = { type: 'array', items: { type: 'string', minLength: 1 } };
const stringMap: Schema = { type: 'object', additionalProperties: { type: 'string' } };
const anyMap: Schema = { type: 'object' };
const count = (minimum: number): Schema => ({ type: 'integer', minimum });

const NAMESPACE_NAME = '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$';

/** Set by values of their own, or given by the pod itself. */
const OWN_VALUES: ReadonlySet<string> = new Set([
  'listen',
  'admin-listen',
  'allow-plaintext',
  'tls-cert',
  'tls-key',
  'tls-client-ca',
  'auth',
  'namespace',
  'history-from',
  'history-from-tls-ca',
  'history-from-tls-cert',
  'history-from-tls-key',
  'history-from-token-file',
  'history-from-server-name',
  'kubeconfig',
  'context',
]);

const OPTION_SCHEMAS: Readonly<Record<Option<unknown>['arity'], Schema>> = {
  one: { type: ['string', 'integer'] },
  many: { type: 'array', items: { type: 'string', minLength: 1, pattern: '^[^,]+$' } },
  switch: { type: 'boolean' },
};

export const CHART_VALUES: readonly ChartValue[] = [
  entry('image.repository', 'digger', text, 'where you pushed the image'),
  entry('image.tag', '', text, 'empty: the version of the chart'),
  entry(
    'image.pullPolicy',
    '',
    { enum: ['', 'Always', 'IfNotPresent', 'Never'] },
    'empty: what Kubernetes does by itself',
  ),
  entry(
    'imagePullSecrets',
    [],
    { type: 'array', items: { type: 'object', required: ['name'] } },
    'Secrets to pull it with: `[{name: registry}]`',
  ),
  entry('fullnameOverride', '', text, 'name of all objects; empty: that of the release, with `digger` in it'),
  entry(
    'namespace.create',
    false,
    toggle,
    'make the namespace of the release an object of it, with the restricted pod security standard',
  ),
  entry('replicas', 3, count(1), 'each lists and watches for itself; two survive the loss of one'),
  entry(
    'highAvailability.enabled',
    true,
    toggle,
    'replicas on different nodes, a slow start and 45 s to drain; off: preferred only, 30 s',
  ),
  entry('tls.enabled', true, toggle, 'TLS on the gRPC port'),
  entry(
    'tls.secretName',
    'digger-tls',
    text,
    'Secret of type kubernetes.io/tls; a renewed one is taken without a restart',
  ),
  entry('tls.clientCa', false, toggle, 'ask for client certificates of the CA in the key `ca.crt` of that Secret'),
  entry(
    'insecure',
    false,
    toggle,
    'plaintext on the gRPC port, behind a mesh that encrypts; not together with `tls.enabled`',
  ),
  entry(
    'auth.mode',
    'token-review',
    { enum: ['none', 'token-review', 'client-certificate'] },
    'who may call; `client-certificate` with `tls.clientCa` and `options.allow-client`',
  ),
  entry(
    'auth.roles',
    true,
    toggle,
    'the ClusterRoles NAME-lookup, NAME-watch and NAME-status, to bind to callers; with `token-review`',
  ),
  entry(
    'history.fromSiblings',
    true,
    toggle,
    'a replica that starts takes over what the others know of the past; over TLS with the CA in the key `ca.crt` of the Secret',
  ),
  entry(
    'namespaces',
    [],
    { type: 'array', maxItems: 16, items: { type: 'string', pattern: NAMESPACE_NAME } },
    'watch these and no others, with a Role in each instead of the ClusterRole; empty: all',
  ),
  entry(
    'customOwners',
    [],
    {
      type: 'array',
      items: {
        type: 'object',
        required: ['apiGroups', 'resources'],
        properties: { apiGroups: texts, resources: texts },
        additionalProperties: false,
      },
    },
    'custom kinds that own pods, to read their metadata: `[{apiGroups: [argoproj.io], resources: [rollouts]}]`',
  ),
  entry(
    'options',
    { 'max-connections': 10_000, 'drain-timeout': '30s', 'caller-rate': 100_000, 'log-format': 'json' },
    optionsSchema(),
    'options of digger by their names without dashes in front (`max-connections`), as environment variables',
  ),
  entry(
    'extraEnv',
    [],
    { type: 'array', items: { type: 'object', required: ['name'] } },
    'further environment variables, as in a container',
  ),
  entry(
    'resources',
    { requests: { cpu: '500m', memory: '512Mi' }, limits: { memory: '1Gi' } },
    anyMap,
    'of the container; no CPU limit, throttling would delay every answer',
  ),
  entry('serviceAccount.annotations', {}, stringMap, 'e.g. for the identity of a cloud'),
  entry('podAnnotations', {}, stringMap, 'of the pods'),
  entry('nodeSelector', {}, stringMap, 'of the pods'),
  entry('tolerations', [], { type: 'array' }, 'of the pods'),
  entry('priorityClassName', '', text, 'of the pods'),
  entry(
    'networkPolicy.enabled',
    true,
    toggle,
    'let in namespaces labelled `digger/grpc=allowed` and `digger/metrics=allowed`, and no others',
  ),
  entry('serviceMonitor.enabled', false, toggle, 'for the Prometheus Operator: scrape every replica'),
  entry('alerts.enabled', false, toggle, 'for the Prometheus Operator: the alerts of deploy/components/alerts'),
  entry(
    'alerts.runbookBase',
    '',
    text,
    'put before each `runbook_url`, e.g. the address of your copy of this repository, with a slash at its end',
  ),
  entry('dashboard.enabled', false, toggle, 'the Grafana dashboard as a ConfigMap that Grafana’s sidecar picks up'),
];

/** Options that `options` takes, by their names in it. */
export function chartOptions(): readonly (readonly [name: string, option: Option<unknown>])[] {
  return OPTION_NAMES.map((name): [string, Option<unknown>] => [OPTIONS[name].flag.slice(2), OPTIONS[name]]).filter(
    ([name]) => !OWN_VALUES.has(name),
  );
}

function entry(path: string, value: unknown, schema: Schema, meaning: string): ChartValue {
  return { path, value, schema, meaning };
}

function optionsSchema(): Schema {
  const properties = Object.fromEntries(
    chartOptions().map(([name, { arity, meaning, defaultText }]) => {
      const description = defaultText === undefined ? meaning : `${meaning} (default ${defaultText})`;
      return [name, { ...OPTION_SCHEMAS[arity], description }];
    }),
  );
  return { type: 'object', additionalProperties: false, properties };
}
