// The two kinds of the Prometheus Operator that `deploy/components` has objects of, as definitions with the fields that
// we use and no others: a field that is misspelt is refused by strict validation. Names and types are those of its API
// monitoring.coreos.com/v1.
import { type ApiClient, ApiError, type KubeObject } from './api-client.ts';
import { done, eventually, notYet } from '../observers/eventually.ts';

const text = { type: 'string' };
const texts = { type: 'object', additionalProperties: text };
const object = (properties: object): object => ({ type: 'object', properties });
const list = (items: object): object => ({ type: 'array', items });

const KINDS = [
  {
    kind: 'ServiceMonitor',
    plural: 'servicemonitors',
    spec: object({
      selector: object({ matchLabels: texts }),
      endpoints: list(object({ port: text, path: text, interval: text, scrapeTimeout: text })),
    }),
  },
  {
    kind: 'PrometheusRule',
    plural: 'prometheusrules',
    spec: object({
      groups: list(
        object({
          name: text,
          rules: list(object({ alert: text, expr: text, for: text, labels: texts, annotations: texts })),
        }),
      ),
    }),
  },
] as const;

const GROUP = 'monitoring.coreos.com';

/** Applies the definitions, and waits until the API server serves their kinds. */
export async function installPrometheusKinds(client: ApiClient): Promise<void> {
  for (const { kind, plural, spec } of KINDS) {
    await client.apply({
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: `${plural}.${GROUP}` },
      spec: {
        group: GROUP,
        scope: 'Namespaced',
        names: { kind, plural, singular: kind.toLowerCase(), listKind: `${kind}List` },
        versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: object({ spec }) } }],
      },
    } as KubeObject);
    await eventually(`${plural} are served`, async () => {
      try {
        return done(await client.raw('GET', `/apis/${GROUP}/v1/${plural}`));
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        return notYet(error.message);
      }
    });
  }
}
