// What a person may look for on the page: an address, with a port if wanted, or part of a name.
//
// A name is looked for in every entity, which takes milliseconds for each ten thousand of them; so there are at most
// MAX_FOUND answers, and page.ts lets few searches in.

import type { AddressReader, Holder } from '../addresses/reader.ts';
import type { CatalogReader } from '../catalog/reader.ts';
import type { Entity } from '../model/entities.ts';
import { parseIp } from '../model/ip.ts';

const MAX_FOUND = 20;

/** Longest name of an object. */
const MAX_QUESTION_LENGTH = 253;

/** What `find` asks. */
export interface Findable {
  readonly addresses: Pick<AddressReader, 'resolve'>;
  readonly catalog: Pick<CatalogReader, 'entities'>;
}

/** JSON of the answer, or why the question cannot be answered. */
export type Found = { readonly ok: true; readonly answer: object } | { readonly ok: false; readonly problem: string };

export function find(question: string, { addresses, catalog }: Findable): Found {
  if (question === '' || question.length > MAX_QUESTION_LENGTH) {
    return { ok: false, problem: `give an address, or 1 to ${MAX_QUESTION_LENGTH} characters of a name` };
  }
  const asked = addressAndPort(question);
  if (asked === undefined) return { ok: true, answer: named(question, catalog) };
  if (asked.port !== undefined && (asked.port < 1 || asked.port > 65_535)) {
    return { ok: false, problem: `${asked.port} is not a port, 1–65535` };
  }
  const answer = addresses.resolve(asked);
  return {
    ok: true,
    answer: { ...asked, outcome: answer.outcome, holders: holdersOf(answer), historySinceMs: answer.historySinceMs },
  };
}

/** `10.0.0.1`, `10.0.0.1:80`, `fd00::1`, `[fd00::1]:80`; `undefined`: no address. */
function addressAndPort(text: string): { readonly address: string; readonly port?: number } | undefined {
  const plain = parseIp(text);
  if (plain !== undefined) return { address: plain };
  const [, bracketed, v4, port] = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text) ?? [];
  const address = parseIp(bracketed ?? v4 ?? '');
  return address === undefined ? undefined : { address, port: Number(port) };
}

function holdersOf(answer: ReturnType<AddressReader['resolve']>): readonly object[] {
  switch (answer.outcome) {
    case 'RESOLVED':
      return [answer.holder, ...answer.alternatives].slice(0, MAX_FOUND).map(shownHolder);
    case 'AMBIGUOUS':
      return answer.candidates.slice(0, MAX_FOUND).map(shownHolder);
    default:
      return [];
  }
}

function shownHolder({ role, entity, fromMs, toMs, uncertain }: Holder): object {
  const { kind, namespace, name } = entity;
  const workload = entity.kind === 'Pod' ? entity.workload : undefined;
  return {
    ...{ role, kind, namespace, name, fromMs, toMs, uncertain },
    ...(workload === undefined
      ? {}
      : { workload: { kind: workload.kind, namespace: workload.namespace, name: workload.name } }),
  };
}

function named(question: string, catalog: Findable['catalog']): object {
  const part = question.toLowerCase();
  const entities: object[] = [];
  let more = false;
  for (const entity of catalog.entities()) {
    if (!entity.name.toLowerCase().includes(part) && !`${entity.namespace}/${entity.name}`.includes(part)) continue;
    more = entities.length === MAX_FOUND;
    if (more) break;
    const kind = entity.kind === 'Workload' ? entity.workloadKind : entity.kind;
    entities.push({ kind, namespace: entity.namespace, name: entity.name, addresses: addressesOf(entity) });
  }
  return { question, entities, more };
}

function addressesOf(entity: Entity): readonly string[] {
  switch (entity.kind) {
    case 'Pod':
    case 'Node':
      return entity.addresses.slice(0, MAX_FOUND);
    case 'Service':
      return [...entity.clusterAddresses, ...entity.loadBalancerAddresses, ...entity.externalAddresses].slice(
        0,
        MAX_FOUND,
      );
    default:
      return [];
  }
}
