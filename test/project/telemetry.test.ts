// Dashboards, alerts and the table of metrics name what a running service exposes: a panel that asks for a metric that
// does not exist stays empty, and an alert on it never fires.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { loadAll } from 'js-yaml';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseConfig } from '../../src/options/config.ts';
import { type RunningService, startService } from '../../src/service.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { createCertificate } from '../simulator/server/certificate.ts';
import { readText } from './repository.ts';

interface Family {
  readonly type: string;
  readonly help: string;
}

const RULES = 'deploy/components/alerts/prometheus-rule.yaml';
const DASHBOARD = 'deploy/components/dashboard/digger.json';
const TABLE = 'docs/operations.md';
const RUNBOOKS = 'docs/runbooks.md';

describe('what is said about metrics', () => {
  let service: RunningService;
  let families: ReadonlyMap<string, Family>;
  let exposition = '';
  before(async () => {
    // Nothing listens there: names do not depend on what the cluster says.
    const env = { DIGGER_LISTEN: '127.0.0.1:0', DIGGER_ADMIN_LISTEN: '127.0.0.1:0' };
    const parsed = parseConfig({}, env);
    assert.ok(parsed.ok, JSON.stringify(parsed));
    const folder = mkdtempSync(join(tmpdir(), 'digger-metrics-'));
    const kubeconfig = join(folder, 'kubeconfig.json');
    writeFileSync(kubeconfig, JSON.stringify(KUBECONFIG));
    const { cert, key } = createCertificate({ commonName: 'digger' });
    const [tlsCert, tlsKey] = [join(folder, 'tls.crt'), join(folder, 'tls.key')];
    writeFileSync(tlsCert, cert);
    writeFileSync(tlsKey, key, { mode: 0o600 });
    const logger = createLogger({ level: 'silent', pretty: false });
    const config = { ...parsed.config, kubeconfig, tlsCert, tlsKey, auth: 'token-review' as const };
    service = await startService({ config, logger, fail: (problem) => assert.fail(problem) });
    rmSync(folder, { recursive: true });
    exposition = await (await fetch(`http://${service.adminAddress}/metrics`)).text();
    families = readFamilies(exposition);
  });
  after(() => service?.stop());

  it('every metric has a HELP text, a name of the ecosystem or of ours, and a unit at its end', () => {
    assert.ok(families.size > 60, `only ${families.size} families`);
    for (const [name, { type, help }] of families) {
      assert.match(name, /^(?:digger|grpc_server|process|nodejs)_[a-z0-9_]+$/);
      assert.ok(help.length > 0, `${name} has no help`);
      if (type === 'counter' && name.startsWith('digger_')) assert.match(name, /_total$/);
    }
  });

  it('alerts ask for metrics that exist', () => {
    const [rule] = loadAll(readText(RULES)) as { spec: { groups: { rules: { alert: string; expr: string }[] }[] } }[];
    const rules = rule?.spec.groups.flatMap((group) => group.rules) ?? [];
    assert.ok(rules.length >= 8, `only ${rules.length} alerts`);
    for (const { alert, expr } of rules) assertKnown(alert, expr);
  });

  it('13.11 counters that alerts ask for exist with 0 before their first increment, with the labels that are asked for', () => {
    const [rule] = loadAll(readText(RULES)) as { spec: { groups: { rules: { alert: string; expr: string }[] }[] } }[];
    const rules = rule?.spec.groups.flatMap((group) => group.rules) ?? [];
    const missing: string[] = [];
    for (const { alert, expr } of rules) {
      for (const [, name = '', labels = ''] of expr.matchAll(/\b([a-z_]+_total)(?:\{([^}]*)\})?/g)) {
        const samples = exposition
          .split('\n')
          .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
        const asked = labels === '' ? [] : labels.split(',');
        const found = samples.some((line) => asked.every((label) => hasLabel(line, label)));
        if (!found) missing.push(`${alert}: no value of ${name}{${labels}} at the start`);
      }
    }
    assert.deepEqual(missing, []);
  });

  it('every alert names its runbook, which exists, and every runbook has its alert', () => {
    const [rule] = loadAll(readText(RULES)) as {
      spec: { groups: { rules: { alert: string; annotations: Record<string, string> }[] }[] };
    }[];
    const rules = rule?.spec.groups.flatMap((group) => group.rules) ?? [];
    const headings = [...readText(RUNBOOKS).matchAll(/^## (.+)$/gm)].map(([, heading]) => heading);
    assert.deepEqual(rules.map(({ alert }) => alert).toSorted(), headings.toSorted());
    for (const { alert, annotations } of rules) {
      assert.equal(annotations['runbook_url'], `${RUNBOOKS}#${alert.toLowerCase()}`, alert);
    }
  });

  it('panels ask for metrics that exist, and for an outcome or code only by a label that it has', () => {
    const { panels } = JSON.parse(readText(DASHBOARD)) as { panels: { title: string; targets: { expr: string }[] }[] };
    assert.ok(panels.length >= 12, `only ${panels.length} panels`);
    for (const { title, targets } of panels) for (const { expr } of targets) assertKnown(title, expr);
  });

  it('every metric of ours is on the table of metrics, with its type and meaning, and nothing else is', () => {
    const rows = [...readText(TABLE).matchAll(/^\| `((?:digger|grpc_server)_\w+)` \| (\w+) \| (.+) \|$/gm)];
    const listed = rows.map(([, name, type, help]) => `${name} ${type} ${help}`).toSorted();
    const exposed = [...families]
      .filter(([name]) => /^(?:digger|grpc_server)_/.test(name))
      .map(([name, { type, help }]) => `${name} ${type} ${help}`)
      .toSorted();
    assert.deepEqual(listed, exposed);
  });

  function assertKnown(where: string, expression: string): void {
    const names = metricNames(expression);
    assert.ok(names.length > 0 || /\bup\b/.test(expression), `${where}: no metric in ${expression}`);
    for (const name of names) {
      const histogram = name.replace(/_(?:bucket|sum|count)$/, '');
      const known = families.has(name) || families.get(histogram)?.type === 'histogram';
      assert.ok(known, `${where}: no code exposes ${name}`);
    }
  }
});

const KUBECONFIG = {
  apiVersion: 'v1',
  kind: 'Config',
  clusters: [{ name: 'none', cluster: { server: 'http://127.0.0.1:1' } }],
  users: [{ name: 'none', user: {} }],
  contexts: [{ name: 'none', context: { cluster: 'none', user: 'none' } }],
  'current-context': 'none',
};

/** `label`: a matcher of PromQL, `code="OK"` or `code=~"OK|Internal"`. */
function hasLabel(line: string, label: string): boolean {
  const [, name, pattern] = /^(\w+)=~"(.*)"$/.exec(label) ?? [];
  return pattern === undefined ? line.includes(label) : new RegExp(`\\b${name}="(?:${pattern})"`).test(line);
}

function readFamilies(exposition: string): ReadonlyMap<string, Family> {
  const help = new Map([...exposition.matchAll(/^# HELP (\S+) (.*)$/gm)].map(([, name, text]) => [name, text ?? '']));
  return new Map(
    [...exposition.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = '', type = '']) => [
      name,
      { type, help: help.get(name) ?? '' },
    ]),
  );
}

/** Names of metrics in a PromQL expression: words with an underscore that are neither labels nor inside braces. */
function metricNames(expression: string): readonly string[] {
  const bare = expression.replace(/\{[^}]*\}/g, '').replace(/\b(?:by|on|unless on|without) \([^)]*\)/g, '');
  return [...bare.matchAll(/\b[a-z]+_[a-z0-9_]+\b/g)]
    .map(([name]) => name)
    .filter((name) => name !== 'histogram_quantile');
}
