// What a person may look for on the page: an address, with a port if wanted, or part of a name.
//
// A name is looked for in every published entity, which takes milliseconds for each ten thousand of them; so there are
// at most MAX_FOUND answers, and page.ts lets few searches in. Hidden objects are not found, and holders among them not
// named.

import type { AddressReader } from '../addresses/reader.ts';
import type { CatalogReader } from '../catalog/reader.ts';
import type { Entity } from '../model/entities.ts';
import { parseIp } from '../model/ip/ip.ts';
import { isHidden } from '../model/namespaces/published-namespaces.ts';
import { addressHistory, isHiddenHolder, shownHolder } from './address-history.ts';

const MAX_FOUND = 20;

/** Longest name of an object. */
const MAX_QUESTION_LENGTH = 253;

/** What `find` asks. */
export interface Findable {
  readonly addresses: Pick<AddressReader, 'resolve' | 'history'>;
  readonly catalog: Pick<CatalogReader, 'entities'>;
}

/** JSON of the answer, or why the question cannot be answered. */
export type Found = { readonly ok: true; readonly answer: object } | { readonly ok: false; readonly problem: string };

export function find(question: string, { addresses, catalog }: Findable, nowMs: number): Found {
  if (question === '' || question.length > MAX_QUESTION_LENGTH) {
    return { ok: false, problem: `give an address, or 1 to ${MAX_QUESTION_LENGTH} characters of a name` };
  }
  const asked = addressAndPort(question);
  if (asked === undefined) return { ok: true, answer: named(question, catalog) };
  if (asked.port !== undefined && (asked.port < 1 || asked.port > 65_535)) {
    return { ok: false, problem: `${asked.port} is not a port, 1–65535` };
  }
  const answer = addresses.resolve(asked);
  const isHiddenAnswer = answer.outcome === 'RESOLVED' && isHiddenHolder(answer.holder);
  return {
    ok: true,
    answer: {
      ...asked,
      outcome: isHiddenAnswer ? 'HIDDEN' : answer.outcome,
      holders: holdersOf(answer),
      historySinceMs: answer.historySinceMs,
      history: addressHistory(asked, addresses, nowMs),
    },
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

function named(question: string, catalog: Findable['catalog']): object {
  const part = question.toLowerCase();
  const entities: object[] = [];
  let more = false;
  for (const entity of catalog.entities()) {
    if (isHidden(entity.namespace)) continue;
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
