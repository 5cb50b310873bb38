// The parts of a history, `digger.v1.HandOverResponse`, as they come.

import protobuf from 'protobufjs';
import type { HandedClaim, HandedFacts } from '../addresses/heritage/handed-history.ts';
import type { FormerOwner } from '../model/kubernetes/records.ts';
import type { HandOverResponse__Output } from '../wire/generated/digger/v1/HandOverResponse.ts';
import { messageType } from '../wire/schema.ts';
import { readClaim } from './claim-message.ts';
import { readHandedFacts, type Teller } from './facts-message.ts';
import { readOwner } from './owner-message.ts';
import { readState } from './state-message.ts';

const RESPONSE = messageType('digger.v1.HandOverResponse');
/** As generated types are. */
const CONVERSION = { longs: Number, enums: String, defaults: true, arrays: true } as const;

/** Throws when it cannot be read. */
export function readFirstPart(bytes: Buffer): { readonly facts: HandedFacts; readonly teller: Teller } {
  const { facts } = decode(bytes);
  if (facts === null) throw new Error('its first part has no facts');
  return readHandedFacts(facts);
}

/**
 * Another part. `isWorthIt`: whether the beginning of an open claim of this object can be of use. Throws when it cannot
 * be read.
 */
export function readPart(
  bytes: Buffer,
  isWorthIt: (uid: string) => boolean,
): { readonly claims: readonly HandedClaim[]; readonly owners: readonly FormerOwner[]; readonly isLast: boolean } {
  const { objects, owners, complete } = decode(bytes);
  const claims: HandedClaim[] = [];
  for (const { uid, state, claims: some } of objects) {
    if (uid === '') throw new Error('an object without a uid');
    if (state === null && !isWorthIt(uid)) continue;
    const entity = state === null ? undefined : readState(state, uid);
    for (const claim of some) claims.push(readClaim(claim, uid, entity));
  }
  return { claims, owners: owners.flatMap((owner) => readOwner(owner) ?? []), isLast: complete };
}

function decode(bytes: Buffer): HandOverResponse__Output {
  return RESPONSE.toObject(RESPONSE.decode(new protobuf.Reader(bytes)), CONVERSION) as HandOverResponse__Output;
}
