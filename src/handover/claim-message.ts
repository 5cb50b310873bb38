// `digger.v1.HandedClaim`, written and read.
//
// What is read is checked: a claim that is not what this version writes is no claim, and the history with it is not
// taken over.

import { parseIp } from '../model/ip/ip.ts';
import { isNetworkName, splitNetworkAddress } from '../model/kubernetes/pod-networks.ts';
import type { PortNumber, Protocol } from '../model/entities.ts';
import type { ClaimPlace, ClaimRole } from '../addresses/claims/derived-claim.ts';
import type { HandedClaim, HandedEnd } from '../addresses/heritage/handed-history.ts';
import { ServicePorts } from '../addresses/claims/service-ports.ts';
import { enumValues } from '../wire/schema.ts';
import type { HandedClaim__Output } from '../wire/generated/digger/v1/HandedClaim.ts';

const ROLES = enumValues('digger.v1.HandedRole');
const PROTOCOLS = enumValues('digger.v1.Protocol');
const ROLE_PREFIX = 'HANDED_ROLE_';
const PROTOCOL_PREFIX = 'PROTOCOL_';

/** A message as protobufjs encodes it. */
export type Fields = Record<string, unknown>;

export function claimFields(claim: HandedClaim): Fields {
  const { startEarliestMs, startLatestMs, leavingSeenMs, lostTo, end } = claim;
  return {
    role: ROLES[`${ROLE_PREFIX}${claim.role}`],
    ...placeFields(claim.place),
    startEarliestMs,
    startSpanMs: startLatestMs - startEarliestMs,
    isStartObserved: claim.isStartObserved,
    firstSeenMs: claim.firstSeenMs,
    seenAfterGap: claim.isSeenAfterGap,
    listed: claim.isListed,
    ...(leavingSeenMs === undefined ? {} : { leavingSeenMs }),
    ...(lostTo === undefined ? {} : { lostTo }),
    ...(end === undefined
      ? {}
      : { end: { earliestMs: end.earliestMs, latestMs: end.latestMs, knownAtMs: end.knownAtMs } }),
  };
}

/** `entity`: the last state of an object that is gone, for a claim that ended. Throws when it cannot be read. */
export function readClaim(
  message: HandedClaim__Output,
  uid: string,
  entity: HandedEnd['entity'] | undefined,
): HandedClaim {
  const { startEarliestMs: earliest, startSpanMs, firstSeenMs, leavingSeenMs, lostTo, end } = message;
  const startEarliestMs = moment(earliest);
  if (!(startSpanMs >= 0)) throw new Error(`a claim that begins after it began: ${startSpanMs}`);
  return {
    uid,
    role: readRole(message.role),
    place: readPlace(message, readRole(message.role)),
    startEarliestMs,
    startLatestMs: moment(startEarliestMs + startSpanMs),
    isStartObserved: message.isStartObserved,
    firstSeenMs: moment(firstSeenMs),
    isSeenAfterGap: message.seenAfterGap,
    isListed: message.listed,
    leavingSeenMs: leavingSeenMs === undefined ? undefined : moment(leavingSeenMs),
    lostTo: lostTo === null || lostTo === undefined ? undefined : readLostTo(lostTo),
    end: end === null || end === undefined ? undefined : readEnd(end, entity, startEarliestMs),
  };
}

/** Throws when it is no moment in ms. One before 1970 is: an object of the API may say that it began then. */
export function moment(ms: number): number {
  if (!Number.isSafeInteger(ms)) throw new Error(`no moment: ${ms}`);
  return ms;
}

function placeFields(place: ClaimPlace): Fields {
  if (typeof place === 'string') return { address: place };
  switch (place.on) {
    case 'services':
      return {
        address: place.address,
        ofServices: true,
        ports: place.ports?.list.map(({ port, protocol }) => ({ port, protocol: numberOf(protocol) })) ?? [],
      };
    case 'node-port': {
      const { nodeName: node, port, protocol, address } = place;
      return { node, port, protocol: numberOf(protocol), ...(address === undefined ? {} : { address }) };
    }
    case 'every-node-port':
      return { port: place.port, protocol: numberOf(place.protocol) };
    case 'node':
      return { node: place.nodeName };
  }
}

function readPlace(
  { address, node, port, protocol, ofServices, ports }: HandedClaim__Output,
  role: ClaimRole,
): ClaimPlace {
  if (address !== '' && !isAddress(address, role)) throw new Error(`not an address: ${address.slice(0, 64)}`);
  if (ofServices) {
    const list = ports.map(
      (each): PortNumber => ({ port: readPort(each.port), protocol: readProtocol(each.protocol) }),
    );
    return { on: 'services', address: some(address), ports: role === 'ENDPOINT' ? undefined : new ServicePorts(list) };
  }
  if (port === 0) return node === '' ? some(address) : { on: 'node', nodeName: node };
  const one = { port: readPort(port), protocol: readProtocol(protocol) };
  if (node === '') return { on: 'every-node-port', ...one };
  return { on: 'node-port', nodeName: node, ...one, address: address === '' ? undefined : address };
}

function isAddress(text: string, role: ClaimRole): boolean {
  if (role !== 'NETWORK_IP') return parseIp(text) === text;
  const { address, network } = splitNetworkAddress(text);
  return isNetworkName(network) && parseIp(address) === address;
}

function readEnd(
  { earliestMs, latestMs, knownAtMs }: NonNullable<HandedClaim__Output['end']>,
  entity: HandedEnd['entity'] | undefined,
  startMs: number,
): HandedEnd {
  if (entity === undefined) throw new Error('a claim that ended, of an object without a state');
  if (!(startMs <= earliestMs && earliestMs <= latestMs)) throw new Error('a claim that ended before it began');
  return { earliestMs: moment(earliestMs), latestMs: moment(latestMs), knownAtMs: moment(knownAtMs), entity };
}

function readLostTo(lostTo: NonNullable<HandedClaim__Output['lostTo']>): HandedClaim['lostTo'] {
  const { fromMs, toMs, mayHaveEndedMs } = lostTo;
  return { fromMs: moment(fromMs), toMs: moment(toMs), mayHaveEndedMs: moment(mayHaveEndedMs) };
}

function readRole(text: string): ClaimRole {
  const role = text.slice(ROLE_PREFIX.length);
  if (!ROLE_NAMES.has(role)) throw new Error(`an unknown role: ${text}`);
  return role as ClaimRole;
}

const ROLE_NAMES: ReadonlySet<string> = new Set(
  Object.entries(ROLES).flatMap(([name, number]) => (number === 0 ? [] : [name.slice(ROLE_PREFIX.length)])),
);

function readProtocol(text: string): Protocol {
  const protocol = text.slice(PROTOCOL_PREFIX.length);
  if (protocol !== 'TCP' && protocol !== 'UDP' && protocol !== 'SCTP') throw new Error(`an unknown protocol: ${text}`);
  return protocol;
}

function readPort(port: number): number {
  if (port < 1 || port > 65_535) throw new Error(`no port: ${port}`);
  return port;
}

function some(address: string): string {
  if (address === '') throw new Error('a claim on no place');
  return address;
}

function numberOf(protocol: Protocol): number {
  return PROTOCOLS[`${PROTOCOL_PREFIX}${protocol}`] ?? 0;
}
