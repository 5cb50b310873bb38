// The invariant that closes every story and every cluster test: digger's whole state equals what the API server lists
// now.
//
// Compared object by object through public gRPC: the snapshot of the feed in both views, every Get*, and
// the answer for every address. The cluster may still move when the comparison begins; it has to come to agree within
// the deadline, and the failure shows the differences of the last reading.
import { isDeepStrictEqual } from 'node:util';
import type { ClusterLists } from './cluster-lists.ts';
import type { DiggerClient, Message } from './digger-client.ts';
import { done, eventually, notYet } from './eventually.ts';
import { type ExpectedAnswer, expectedAnswers } from './expected-answers.ts';
import { comparable, expectedEntities, expectedWorkload } from './expected-entities.ts';

/** How many differences a failure shows. */
const SHOWN = 8;

/** Largest batch of the contract. */
const BATCH = 1_000;

/** Fields that VIEW_BASIC leaves out. */
const FULL_ONLY = ['labels', 'annotations', 'imageDigests', 'containers', 'otherContainers', 'omitted'];

/** What was compared, so that a test can see that it was not nothing. */
export type Compared = { readonly entities: number; readonly answers: number; readonly resolved: number };

/** Waits until digger's whole state equals the lists; throws with the differences when it does not. */
export async function assertWholeState(
  digger: DiggerClient,
  readLists: () => Promise<ClusterLists>,
  within: number | { readonly deadlineMs: number; readonly mayBeHidden: true } = 30_000,
): Promise<Compared> {
  // Of addresses that no published object has, a hidden one may be the holder.
  const { deadlineMs, mayBeHidden } = typeof within === 'number' ? { deadlineMs: within, mayBeHidden: false } : within;
  return eventually(
    "digger's state equals the API server's lists",
    async () => {
      const lists = await readLists();
      const expected = expectedEntities(lists);
      const differences = [
        ...compareSnapshots(expected, await snapshot(digger, 'VIEW_FULL'), await snapshot(digger, 'VIEW_BASIC')),
        ...(await compareGets(digger, lists, expected)),
      ];
      const answers = expectedAnswers(lists);
      differences.push(...(await compareAnswers(digger, answers, mayBeHidden)));
      if (differences.length > 0) {
        return notYet(`${differences.length} differences:\n${differences.slice(0, SHOWN).join('\n')}`);
      }
      const resolved = answers.filter((answer) => answer.outcome === 'RESOLVED').length;
      return done({ entities: expected.size, answers: answers.length, resolved });
    },
    { deadlineMs, intervalMs: 250 },
  );
}

/** The snapshot of the whole feed as `kind uid` → message; checks that it is framed as the contract says. */
export async function snapshot(digger: DiggerClient, view: string): Promise<ReadonlyMap<string, Message>> {
  const subscription = digger.watch({ view, snapshotOnly: true });
  const error = await subscription.ended;
  if (error) throw error;
  const kinds = subscription.frames.map((frame) => frame['frame'] as string);
  if (kinds[0] !== 'reset' || kinds.at(-1) !== 'synced') throw new Error(`a snapshot of frames ${kinds.join(', ')}`);
  const entities = new Map<string, Message>();
  for (const frame of subscription.frames) {
    for (const change of (frame['changes']?.['changes'] ?? []) as Message[]) {
      const entity = change['upsert'] as Message | undefined;
      if (!entity) throw new Error(`a snapshot with ${JSON.stringify(change)}`);
      const kind = entity['entity'] as string;
      const key = `${kind} ${entity[kind]['uid']}`;
      if (entities.has(key)) throw new Error(`${key} twice in one snapshot`);
      entities.set(key, comparable(entity[kind]));
    }
  }
  return entities;
}

function compareSnapshots(
  expected: ReadonlyMap<string, Message>,
  full: ReadonlyMap<string, Message>,
  basic: ReadonlyMap<string, Message>,
): readonly string[] {
  const differences: string[] = [];
  for (const [view, actual] of [
    ['VIEW_FULL', full],
    ['VIEW_BASIC', basic],
  ] as const) {
    for (const [key, entity] of expected) {
      const owed = view === 'VIEW_FULL' ? entity : without(entity, FULL_ONLY);
      differences.push(...difference(`${view} ${key} ${entity['name']}`, owed, actual.get(key)));
    }
    for (const [key, entity] of actual) {
      if (!expected.has(key)) differences.push(`${view} ${key}: only digger has ${JSON.stringify(entity)}`);
    }
  }
  return differences;
}

async function compareGets(
  digger: DiggerClient,
  lists: ClusterLists,
  expected: ReadonlyMap<string, Message>,
): Promise<readonly string[]> {
  const wanted: {
    readonly method: string;
    readonly field: string;
    readonly request: Message;
    readonly owed: Message;
  }[] = [];
  for (const [key, owed] of expected) {
    const kind = key.slice(0, key.indexOf(' '));
    const { namespace, name, uid } = owed;
    if (kind === 'workload') {
      // Owners of which only a reference tells; the others are in the lists.
      const apiGroup = groupOf(owed['apiVersion']);
      const request = { apiGroup, kind: owed['kind'], namespace, name, uid };
      if (owed['incomplete']) wanted.push({ method: 'GetWorkload', field: kind, request, owed });
      continue;
    }
    const method = `Get${kind.charAt(0).toUpperCase()}${kind.slice(1)}`;
    wanted.push({
      method,
      field: kind,
      request: namespace === undefined ? { name, uid } : { namespace, name, uid },
      owed,
    });
  }
  // Links of a chain answer too, although the feed does not carry them.
  for (const owner of lists.owners) {
    const { namespace, name, uid } = owner.metadata;
    const request = { apiGroup: groupOf(owner.apiVersion), kind: owner.kind, namespace, name, uid };
    wanted.push({ method: 'GetWorkload', field: 'workload', request, owed: expectedWorkload(lists, owner) });
  }
  const differences: string[] = [];
  for (const { method, field, request, owed } of wanted) {
    const what = `${method} ${owed['namespace'] ?? ''}/${owed['name']}`;
    try {
      const response = await digger.call('LookupService', method, request);
      differences.push(...difference(what, owed, comparable(response[field] ?? {})));
    } catch (error) {
      differences.push(`${what}: ${String(error)}`);
    }
  }
  return differences;
}

function groupOf(apiVersion: string): string {
  return apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '';
}

async function compareAnswers(
  digger: DiggerClient,
  answers: readonly ExpectedAnswer[],
  mayBeHidden: boolean,
): Promise<readonly string[]> {
  const differences: string[] = [];
  for (let start = 0; start < answers.length; start += BATCH) {
    const batch = answers.slice(start, start + BATCH);
    const response = await digger.call('LookupService', 'BatchResolveAddresses', {
      queries: batch.map((answer) => answer.question),
    });
    const results = response['results'] as readonly Message[];
    batch.forEach((answer, index) => {
      differences.push(...compareAnswer(answer, results[index] ?? {}, mayBeHidden));
    });
  }
  return differences;
}

function compareAnswer(owed: ExpectedAnswer, result: Message, mayBeHidden: boolean): readonly string[] {
  const { address, port, protocol } = owed.question;
  const what = `${address}${port === undefined ? '' : ` port ${port} ${protocol}`}`;
  const resolution = result['resolution'] as Message | undefined;
  if (!resolution) return [`${what}: ${JSON.stringify(result)}`];
  const outcome = String(resolution['outcome']).replace('OUTCOME_', '');
  // A pod goes before the node that presumably has the first addresses of its own pod range.
  const mayGiveWay =
    owed.target === undefined || (owed.role === 'ADDRESS_ROLE_NODE_ADDRESS' && owed.uncertain === true);
  if (mayBeHidden && outcome === 'HIDDEN' && mayGiveWay) return [];
  const withoutHolder = ['UNASSIGNED', 'EXTERNAL', 'UNKNOWN'];
  if (owed.outcome === 'NO_HOLDER' ? !withoutHolder.includes(outcome) : outcome !== owed.outcome) {
    return [`${what}: owed ${owed.outcome} ${owed.role ?? ''}, answered ${JSON.stringify(resolution)}`];
  }
  const target = resolution['target'] as string | undefined;
  const differences = [
    ...difference(`${what} role`, owed.role, owed.role === undefined ? undefined : resolution['role']),
    ...difference(`${what} target`, owed.target, target && { [target]: comparable(resolution[target]) }),
    ...(owed.uncertain ? difference(`${what} uncertain`, true, resolution['uncertain']) : []),
    ...difference(`${what} workload`, owed.workloadUid, resolution['workload']?.['uid']),
  ];
  if (owed.candidateUids) {
    const uids = ((resolution['candidates'] ?? []) as Message[]).map(
      (candidate) => candidate[candidate['target']]['uid'] ?? candidate[candidate['target']]['service']?.['uid'],
    );
    differences.push(...difference(`${what} candidates`, owed.candidateUids, uids.toSorted()));
  }
  return differences;
}

function difference(what: string, owed: unknown, actual: unknown): readonly string[] {
  if (isDeepStrictEqual(owed, actual)) return [];
  return [`${what}:\n  owed     ${JSON.stringify(owed)}\n  answered ${JSON.stringify(actual)}`];
}

function without(entity: Message, fields: readonly string[]): Message {
  return Object.fromEntries(Object.entries(entity).filter(([field]) => !fields.includes(field)));
}
