// What the records of a service come to, and the next step towards it.
//
// An entity is published whole, but for the addresses that it claims: a service may list thousands outside the cluster,
// and each that comes or goes is work for those who look up addresses. So many of them come and go at a time; a service
// that is gone gives them back first, and then goes. In between it stands as it would if its slices had come one after
// the other.

import type { ByteString } from '../../model/byte-string.ts';
import {
  MAX_CLAIMED_ENDPOINTS,
  MAX_LISTED,
  MAX_LISTED_ENDPOINTS,
  type ObjectReference,
  type ServiceEntity,
} from '../../model/entities.ts';
import { encodeServiceBackends } from '../../wire/encode-service.ts';
import { compareText, isSameButJoined } from '../records/rows.ts';
import { type ServiceState, toReference } from '../entities/service-state.ts';
import { NO_TEXTS } from '../records/text-interner.ts';

export interface ServiceStep {
  /** The same as what is published: nothing differs. */
  readonly after: ServiceEntity | undefined;
  /** Addresses that come or go with it. */
  readonly addresses: number;
  /** What is left: nothing, another service under the name, or the rest of the addresses. */
  readonly left: 'nothing' | 'another' | 'addresses';
}

/** At most about `limit` addresses come and go in one step. */
export function nextStep(service: ServiceState, limit: number): ServiceStep {
  const { row, reference, published: before, manual } = service;
  if (before !== undefined && before.uid !== row?.uid) return stepOut(service, before, limit);
  if (row === undefined || reference === undefined) return { after: undefined, addresses: 0, left: 'nothing' };
  const wanted = manual.size === 0 ? NO_TEXTS : manual.first(MAX_CLAIMED_ENDPOINTS);
  const { texts, differing, isWhole } = towards(before?.manualEndpoints ?? NO_TEXTS, wanted, limit);
  const joined = joinedBytes(service, reference, texts, isWhole);
  const left = isWhole ? 'nothing' : 'addresses';
  if (before !== undefined && differing === 0 && before.joined === joined && isSameButJoined(before, row)) {
    return { after: before, addresses: 0, left };
  }
  const entity = { ...row, workloads: service.backends.first(MAX_LISTED), manualEndpoints: texts, joined };
  return { after: entity, addresses: differing, left };
}

function stepOut(service: ServiceState, before: ServiceEntity, limit: number): ServiceStep {
  const { manualEndpoints } = before;
  if (manualEndpoints.length <= limit) {
    const left = service.row === undefined ? 'nothing' : 'another';
    return { after: undefined, addresses: manualEndpoints.length, left };
  }
  const rest = manualEndpoints.slice(limit);
  const joined = joinedBytes(service, toReference(before), rest, false);
  return { after: { ...before, manualEndpoints: rest, joined }, addresses: limit, left: 'addresses' };
}

function joinedBytes(
  { backends, manual }: ServiceState,
  reference: ObjectReference,
  endpoints: readonly string[],
  isWhole: boolean,
): ByteString {
  const endpointCount = isWhole ? manual.size : endpoints.length;
  return encodeServiceBackends(reference, {
    workloads: backends.first(MAX_LISTED),
    workloadCount: backends.size > MAX_LISTED ? backends.size : 0,
    manualEndpoints: endpoints.slice(0, MAX_LISTED_ENDPOINTS),
    manualEndpointCount: endpointCount > MAX_LISTED_ENDPOINTS ? endpointCount : 0,
  });
}

interface Towards {
  readonly texts: readonly string[];
  /** Texts that were not there before, or are not there now. */
  readonly differing: number;
  readonly isWhole: boolean;
}

/** From one ordered list to another, in order, as far as `limit` differences lead. Nothing is copied before that is known. */
export function towards(before: readonly string[], wanted: readonly string[], limit: number): Towards {
  let differing = 0;
  let [old, now] = [0, 0];
  while (old < before.length || now < wanted.length) {
    const [left, right] = [before[old], wanted[now]];
    // Mostly the same text: one object is in both lists.
    const order = left === right ? 0 : left === undefined ? 1 : right === undefined ? -1 : compareText(left, right);
    if (order !== 0) {
      if (differing === limit) {
        const rest = before.slice(old, old + MAX_CLAIMED_ENDPOINTS - now);
        const texts = wanted.slice(0, now).concat(rest);
        return { texts, differing: differing + before.length - old - rest.length, isWhole: false };
      }
      differing += 1;
    }
    if (order <= 0) old += 1;
    if (order >= 0) now += 1;
  }
  return { texts: differing === 0 ? before : wanted, differing, isWhole: true };
}
