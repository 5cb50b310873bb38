// digger runs with the ClusterRole of deploy/base and nothing more, and uses every rule of it.
//
// The API server's audit log is the witness: what the account asked for, and whether it was allowed.
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { ServiceError } from '@grpc/grpc-js';
import type { Message } from '../observers/digger-client.ts';
import { done, eventually, notYet } from '../observers/eventually.ts';
import { readBase } from './manifests.ts';
import { errorDetails } from '../observers/rpc-error.ts';
import { Scene } from './scene.ts';
import { createNarrowAccount } from './service-account.ts';
import { assertWholeState } from '../observers/whole-state.ts';

type Rule = {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
};
type AuditEvent = {
  readonly user: { readonly username: string };
  readonly verb: string;
  readonly requestURI: string;
  readonly objectRef?: { readonly resource?: string; readonly apiGroup?: string };
  readonly responseStatus?: { readonly code?: number };
};

const ACCOUNT = 'system:serviceaccount:digger:digger';

describe('the rights of deploy/base', () => {
  let scene: Scene;
  let directory: string;

  before(async () => {
    directory = mkdtempSync(join(tmpdir(), 'digger-audit-'));
    const policy = join(directory, 'policy.json');
    writeFileSync(
      policy,
      JSON.stringify({ apiVersion: 'audit.k8s.io/v1', kind: 'Policy', rules: [{ level: 'Metadata' }] }),
    );
    scene = await Scene.set({
      controllers: false,
      // A server that cannot stream the initial list, so that it takes lists to begin with and watches to go on.
      featureGates: { WatchList: false },
      apiServerArgs: [
        `--audit-policy-file=${policy}`,
        `--audit-log-path=${join(directory, 'audit.log')}`,
        '--audit-log-mode=blocking',
      ],
    });
  });
  after(async () => {
    await scene?.strike();
    rmSync(directory, { recursive: true, force: true });
  });

  it('name no verb but list and watch, no wildcard, no Secret and no ConfigMap', () => {
    for (const rule of rules()) {
      // The one object that is read once.
      const verbs = rule.resourceNames === undefined ? ['list', 'watch'] : ['list'];
      assert.deepEqual([...rule.verbs].toSorted(), verbs, JSON.stringify(rule));
      assert.ok(!rule.apiGroups.includes('*') && !rule.resources.includes('*'), JSON.stringify(rule));
      assert.ok(!rule.resources.some((resource) => ['secrets', 'configmaps'].includes(resource)), JSON.stringify(rule));
    }
  });

  it('are enough, and each of them is used', async () => {
    const digger = await scene.startDigger();
    await digger.untilReady();
    await assertWholeState(digger, scene.readLists);
    const granted = rules()
      .flatMap((rule) =>
        rule.apiGroups.flatMap((group) =>
          rule.resources.flatMap((resource) => rule.verbs.map((verb) => `${verb} ${resource}.${group}`)),
        ),
      )
      .toSorted();
    // A watch is written to the log when it ends or is answered, which may be after the lists are in.
    await eventually('every right was used, and no other was asked for', () => {
      const asked = events()
        .filter((event) => event.user.username === ACCOUNT && event.objectRef?.resource)
        .map((event) => `${event.verb} ${event.objectRef?.resource}.${event.objectRef?.apiGroup ?? ''}`);
      const distinct = [...new Set(asked)].toSorted();
      return distinct.join() === granted.join()
        ? done(undefined)
        : notYet({
            unused: granted.filter((right) => !distinct.includes(right)),
            beyond: distinct.filter((right) => !granted.includes(right)),
          });
    });
    const refused = events().filter(
      (event) => event.user.username === ACCOUNT && [401, 403].includes(event.responseStatus?.code ?? 0),
    );
    assert.deepEqual(refused, [], 'nothing was refused');
    await digger.stop();
  });

  it('when missing for pods, keep digger from answering, and it says which permission is missing', async () => {
    const digger = await scene.startDigger([], await accountWithout('pods'));
    const missing = await eventually('GetStatus tells', async () => {
      const { resources } = await digger.call('StatusService', 'GetStatus');
      const pods = (resources as Message[]).find((resource) => resource['resource'] === 'pods');
      return pods?.['message'] ? done(pods) : notYet(resources);
    });
    assert.match(missing['message'], /list|watch/);
    assert.match(missing['message'], /pods/);
    assert.equal(missing['required'], true);
    await assert.rejects(digger.resolve('10.128.0.1'), (error) => {
      assert.equal(errorDetails(error as ServiceError)['ErrorInfo']?.['reason'], 'NOT_SYNCED', String(error));
      return true;
    });
    await digger.stop();
  });

  it('when missing for an owner kind, are reported and do without', async () => {
    const digger = await scene.startDigger([], await accountWithout('cronjobs'));
    const status = await digger.untilReady();
    const cronJobs = (status['resources'] as Message[]).find((resource) => resource['resource'] === 'cronjobs.batch');
    assert.match(cronJobs?.['message'], /cronjobs/, JSON.stringify(cronJobs));
    assert.equal(cronJobs?.['required'] ?? false, false);
    assert.equal((await digger.resolve('172.18.0.2'))['node']['name'], 'node-a');
    await digger.stop();
  });

  function events(): readonly AuditEvent[] {
    const file = join(directory, 'audit.log');
    if (!existsSync(file)) return [];
    // The last line may be half written.
    const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
    return lines.map((line) => JSON.parse(line) as AuditEvent);
  }

  /** Another account, with the rules of deploy/base but for one resource. */
  async function accountWithout(resource: string): Promise<string> {
    return (await createNarrowAccount(scene.plane, `without-${resource}`, [resource])).kubeconfig;
  }
});

function rules(): readonly Rule[] {
  const role = readBase().find((object) => object.kind === 'ClusterRole');
  return role?.['rules'] as readonly Rule[];
}
