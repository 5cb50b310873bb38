// What a caller of GetWorkload probably meant when there is no such object: the API group was left out, has its version
// in it, the kind is written as in a path (`deployments`) or in another case, or the namespace is missing.
//
// Only words for people, and `did_you_mean` in the metadata for tools; the answer stays NOT_FOUND, because a custom
// kind of exactly that group and name may come at any time. Costs a look at each watched kind, of which there are a
// few dozen at most, and only in calls that fail.

import { quote } from '../../errors/call-error.ts';

/** A kind whose objects GetWorkload finds. */
export interface WorkloadKind {
  /** Empty: the core group. */
  readonly group: string;
  readonly kind: string;
  readonly namespaced: boolean;
}

export interface KindHint {
  /** To be put behind a message. */
  readonly text: string;
  /** `Deployment.apps`, `Pod`; several separated by commas; empty: there is none. */
  readonly didYouMean: string;
}

/** `undefined`: the kind is known as it was given, so that it is the name that no object has. */
export function kindHint(
  given: { readonly apiGroup: string; readonly kind: string; readonly namespace: string },
  kinds: readonly WorkloadKind[],
): KindHint | undefined {
  const { apiGroup, kind, namespace } = given;
  const same = kinds.filter((each) => each.kind === kind);
  const exact = same.find(({ group }) => group === apiGroup);
  if (exact !== undefined) {
    if (kind === 'Pod') return { text: 'GetPod finds pods that have an owner', didYouMean: 'GetPod' };
    if (!exact.namespaced || namespace !== '') return undefined;
    return { text: `${kind} is a kind with namespaces, and namespace is empty`, didYouMean: '' };
  }
  if (same.length > 0) {
    const groups = same.map(({ group }) => (group === '' ? 'the core group (empty)' : `"${group}"`)).join(' or ');
    const wrong = apiGroup === '' ? 'api_group is empty' : `api_group is "${quote(apiGroup)}"`;
    const version = groupWithVersion(apiGroup, same) ? ', without a version' : '';
    return { text: `${wrong}, and ${kind} is a kind of ${groups}${version}`, didYouMean: names(same) };
  }
  const alike = kinds.filter((each) => isAlike(each.kind, kind));
  if (alike.length > 0) {
    return { text: `kinds are written as in manifests: ${described(alike)}`, didYouMean: names(alike) };
  }
  const method = METHODS.get(singular(kind));
  if (method !== undefined) return { text: `${method} finds objects of that kind`, didYouMean: method };
  return { text: `the kinds that are known here are ${described(kinds)}`, didYouMean: '' };
}

/** Of kinds that are no workloads. */
const METHODS: ReadonlyMap<string, string> = new Map([
  ['service', 'GetService'],
  ['node', 'GetNode'],
]);

function groupWithVersion(apiGroup: string, kinds: readonly WorkloadKind[]): boolean {
  return kinds.some(({ group }) => apiGroup.startsWith(`${group}/`));
}

/** In another case, or the plural of a path. */
function isAlike(kind: string, given: string): boolean {
  return kind.toLowerCase() === given.toLowerCase() || kind.toLowerCase() === singular(given);
}

function singular(kind: string): string {
  return kind.toLowerCase().replace(/s$/, '');
}

function names(kinds: readonly WorkloadKind[]): string {
  return kinds
    .slice(0, MAX_DESCRIBED)
    .map(({ group, kind }) => (group === '' ? kind : `${kind}.${group}`))
    .join(',');
}

function described(kinds: readonly WorkloadKind[]): string {
  const shown = kinds.slice(0, MAX_DESCRIBED);
  const more = kinds.length > shown.length ? `, and ${kinds.length - shown.length} more` : '';
  return shown.map(({ group, kind }) => (group === '' ? kind : `${kind} (api_group ${group})`)).join(', ') + more;
}

/** The kinds of Kubernetes and a few custom ones; an error has to fit into the headers that clients accept. */
const MAX_DESCRIBED = 12;
