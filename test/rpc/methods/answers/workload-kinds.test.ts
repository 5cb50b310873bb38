// What GetWorkload says of a kind or group that was given in another way than Kubernetes writes it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kindHint, type WorkloadKind } from '../../../../src/rpc/methods/answers/workload-kinds.ts';

const KINDS: readonly WorkloadKind[] = [
  { group: '', kind: 'Pod', namespaced: true },
  { group: 'apps', kind: 'Deployment', namespaced: true },
  { group: 'batch', kind: 'Job', namespaced: true },
  { group: 'batch.volcano.sh', kind: 'Job', namespaced: true },
  { group: 'fleet.example.dev', kind: 'Fleet', namespaced: false },
];

const hint = (apiGroup: string, kind: string, namespace = 'shop', kinds = KINDS) =>
  kindHint({ apiGroup, kind, namespace }, kinds);

test('a kind that is known as it was given needs no hint: it is the name that no object has', () => {
  assert.equal(hint('apps', 'Deployment'), undefined);
  assert.equal(hint('fleet.example.dev', 'Fleet', ''), undefined);
});

test('a kind with namespaces is not found without one', () => {
  assert.match(hint('apps', 'Deployment', '')?.text ?? '', /namespace is empty/);
});

test('a kind that several groups have names all of them', () => {
  const found = hint('', 'Job');
  assert.equal(found?.text, 'api_group is empty, and Job is a kind of "batch" or "batch.volcano.sh"');
  assert.equal(found?.didYouMean, 'Job.batch,Job.batch.volcano.sh');
});

test('a group that was given wrong is shown, and a version in it is pointed at', () => {
  assert.equal(hint('extensions', 'Deployment')?.text, 'api_group is "extensions", and Deployment is a kind of "apps"');
  assert.match(hint('apps/v1', 'Deployment')?.text ?? '', /a kind of "apps", without a version$/);
});

test('the core group is called by its name, because it is the empty text', () => {
  assert.match(hint('v1', 'Pod')?.text ?? '', /a kind of the core group \(empty\)/);
});

test('another case and the plural of a path are recognized in every group', () => {
  assert.equal(hint('apps', 'DEPLOYMENT')?.didYouMean, 'Deployment.apps');
  assert.equal(hint('', 'jobs')?.didYouMean, 'Job.batch,Job.batch.volcano.sh');
  assert.equal(hint('', 'pods')?.didYouMean, 'Pod');
});

test('a pod that has an owner is no workload, and another method finds it', () => {
  assert.equal(hint('', 'Pod')?.didYouMean, 'GetPod');
  assert.equal(hint('', 'nodes')?.didYouMean, 'GetNode');
});

test('of many kinds only some are listed, whatever is given is cut', () => {
  const many = Array.from({ length: 40 }, (_, at) => ({ group: 'g.dev', kind: `Kind${at}`, namespaced: true }));
  assert.match(hint('', 'Nothing', 'shop', many)?.text ?? '', /Kind11 \(api_group g.dev\), and 28 more$/);
  const text = hint('x'.repeat(100_000), 'Deployment')?.text ?? '';
  assert.ok(text.length < 300, text.slice(0, 400));
});
