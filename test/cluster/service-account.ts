// Credentials with the rights of `deploy/base` and no others: what digger runs with in every cluster test.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ControlPlane, writeKubeconfig } from './control-plane.ts';
import { applyAll, readBase } from './manifests.ts';

/** Where deploy/base puts the ServiceAccount, and how it is called. */
const NAMESPACE = 'digger';
const NAME = 'digger';

const ACCESS_KINDS = ['Namespace', 'ServiceAccount', 'ClusterRole', 'ClusterRoleBinding'];

/** Applies namespace, account, role and binding of deploy/base. */
export async function applyAccess(plane: ControlPlane): Promise<void> {
  const objects = readBase().filter((object) => ACCESS_KINDS.includes(object.kind ?? ''));
  if (objects.length !== ACCESS_KINDS.length) {
    throw new Error(
      `deploy/base has ${objects.map((object) => object.kind).join(', ')}; expected one each of ${ACCESS_KINDS.join(', ')}`,
    );
  }
  await applyAll(plane.client, objects);
}

/** A new token of the account, from the TokenRequest API. At least 10 minutes, the API's own minimum. */
export async function requestToken(plane: ControlPlane, expirationSeconds = 3_600): Promise<string> {
  const answer = await plane.client.raw('POST', `/api/v1/namespaces/${NAMESPACE}/serviceaccounts/${NAME}/token`, {
    body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { expirationSeconds } },
  });
  return (JSON.parse(answer.body) as { status: { token: string } }).status.token;
}

/**
 * Applies the access part of deploy/base and writes a kubeconfig whose only credential is a token of its account, in a
 * file beside it as a kubelet would mount it. `server` stands in for the API server's own address, e.g. a proxy's.
 */
export async function createServiceAccountKubeconfig(plane: ControlPlane, server = plane.url): Promise<string> {
  await applyAccess(plane);
  const tokenFile = join(plane.directory, 'digger.token');
  writeFileSync(tokenFile, await requestToken(plane), { mode: 0o600 });
  return writeKubeconfig(join(plane.directory, 'digger.kubeconfig'), server, plane.ca, { tokenFile });
}

/** An account of its own with the rules of deploy/base, but for some resources at first. */
export type NarrowAccount = {
  readonly kubeconfig: string;
  /** Gives it some of those that it lacks; what was granted stays. */
  grant(resources: readonly string[]): Promise<void>;
};

/** See `NarrowAccount`. `without`: resources as in rules, `replicasets`. */
export async function createNarrowAccount(
  plane: ControlPlane,
  name: string,
  without: readonly string[],
): Promise<NarrowAccount> {
  const { client } = plane;
  const base = readBase().find((object) => object.kind === 'ClusterRole')?.['rules'] as readonly {
    readonly resources: readonly string[];
  }[];
  const lacking = new Set(without);
  const applyRole = async (): Promise<void> => {
    const rules = base
      .map((rule) => ({ ...rule, resources: rule.resources.filter((resource) => !lacking.has(resource)) }))
      .filter((rule) => rule.resources.length > 0);
    await client.apply({ apiVersion: RBAC, kind: 'ClusterRole', metadata: { name }, rules });
  };
  await client.apply({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace: NAMESPACE } });
  await applyRole();
  await client.apply({
    apiVersion: RBAC,
    kind: 'ClusterRoleBinding',
    metadata: { name },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
    subjects: [{ kind: 'ServiceAccount', name, namespace: NAMESPACE }],
  });
  const answer = await client.raw('POST', `/api/v1/namespaces/${NAMESPACE}/serviceaccounts/${name}/token`, {
    body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} },
  });
  const { token } = (JSON.parse(answer.body) as { status: { token: string } }).status;
  const kubeconfig = writeKubeconfig(join(plane.directory, `${name}.kubeconfig`), plane.url, plane.ca, { token });
  return {
    kubeconfig,
    grant: async (resources) => {
      for (const resource of resources) lacking.delete(resource);
      await applyRole();
    },
  };
}

const RBAC = 'rbac.authorization.k8s.io/v1';
