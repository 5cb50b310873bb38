// What is said of a list that cannot be had.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listCause } from '../../src/kube/list-cause.ts';

const refused = (verb: string, resource: string, group: string, place: string): string =>
  `${verb} ${resource}: 403 Forbidden: ${resource} is forbidden: User "system:serviceaccount:digger:digger" cannot ` +
  `${verb} resource "${resource.split('.')[0]}" in API group "${group}"${place}`;

test('an account that may not list reads alike for every resource, with the command that shows its rights', () => {
  const cause =
    '403 Forbidden: system:serviceaccount:digger:digger has no right to watch at the cluster scope; ' +
    'see kubectl auth can-i --list --as=system:serviceaccount:digger:digger';
  assert.equal(listCause(refused('watch', 'pods', '', ' at the cluster scope')), cause);
  assert.equal(listCause(refused('watch', 'jobs.batch', 'batch', ' at the cluster scope')), cause);
  assert.match(
    listCause(refused('list', 'pods', '', ' in the namespace "shop"')),
    /has no right to list in the namespace "shop"; /,
  );
});

test('a resource and its namespace in front are left out, and nothing else is', () => {
  assert.equal(listCause('watch shop/pods: 401 Unauthorized: Unauthorized'), '401 Unauthorized: Unauthorized');
  assert.equal(listCause('connect ECONNREFUSED 127.0.0.1:6443'), 'connect ECONNREFUSED 127.0.0.1:6443');
  assert.equal(listCause(''), '');
});

test('what another authorizer says is quoted as it is', () => {
  assert.equal(
    listCause('list pods: 403 Forbidden: access denied by policy 17'),
    '403 Forbidden: access denied by policy 17',
  );
});
