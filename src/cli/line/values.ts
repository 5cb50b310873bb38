// What people type after the commands that ask a service, into values: each parser takes the text and gives the value,
// or says what is allowed.

import { isIP } from 'node:net';
import { parseLabelSelector } from '../../model/kubernetes/label-selector.ts';
import { durationBetween, type Parsed, type Parser } from '../../options/values.ts';

/** An address, and the port behind it if one was given. */
export interface AddressAndPort {
  readonly address: string;
  readonly port: number | undefined;
}

/**
 * `10.0.0.1`, `10.0.0.1:80`, `fd00::1`, `[fd00::1]:80`. IPv6 without brackets is an address as a whole: `fd00::1:80`
 * has no port.
 */
export function parseAddressAndPort(text: string): Parsed<AddressAndPort> {
  if (isIP(text) !== 0) return { ok: true, value: { address: text, port: undefined } };
  const [, v6, v4, portText] = /^(?:\[([^[\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const address = v6 ?? v4 ?? '';
  const port = portText === undefined ? undefined : Number(portText);
  const wellFormed =
    isIP(address) === (v6 === undefined ? 4 : 6) && (port === undefined || (port > 0 && port < 65_536));
  if (wellFormed) return { ok: true, value: { address, port } };
  return { ok: false, allowed: 'an IP address, with a port if wanted: 10.0.0.1, 10.0.0.1:80, fd00::1, [fd00::1]:80' };
}

/** Where a service is: a name is allowed, as clients in a cluster need one. */
export function parseServiceAddress(text: string): Parsed<string> {
  const [, v6, name, portText] = /^(?:\[([^[\]]+)\]|([^:[\]\s/]+)):(\d{1,5})$/.exec(text) ?? [];
  const port = Number(portText);
  const host = v6 === undefined ? name !== undefined : isIP(v6) === 6;
  if (host && port > 0 && port < 65_536) return { ok: true, value: text };
  return { ok: false, allowed: 'host and port: 127.0.0.1:50051, digger.example:50051, [::1]:50051' };
}

/** The name, or the address, that a certificate is for. */
export function parseHostName(text: string): Parsed<string> {
  if (isIP(text) !== 0 || /^[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*$/.test(text)) return { ok: true, value: text };
  return { ok: false, allowed: 'the name of a host without a port: digger.digger.svc' };
}

const RFC_3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})$/;

/** A moment, ms since the epoch: RFC 3339, or how long ago (`90s`). */
export function momentBefore(nowMs: number): Parser<number> {
  const ago = durationBetween('0s', '24h');
  return (text) => {
    const atMs = RFC_3339.test(text) ? Date.parse(text) : Number.NaN;
    if (!Number.isNaN(atMs)) return { ok: true, value: atMs };
    const parsed = ago(text);
    if (parsed.ok) return { ok: true, value: nowMs - parsed.value };
    return { ok: false, allowed: 'a time or how long ago: 2026-01-31T12:00:00Z, 90s, 5m' };
  };
}

/** As `kubectl -l` takes it; the text itself, which the service reads again. */
export function parseSelectorText(text: string): Parsed<string> {
  const parsed = parseLabelSelector(text);
  if (parsed.ok && parsed.selector.length > 0) return { ok: true, value: text };
  const why = parsed.ok ? '' : ` (${parsed.problem})`;
  return { ok: false, allowed: `a label selector: env=prod, 'tier in (web, db)', '!legacy'${why}` };
}

/** Kinds as people write them → as the contract does. */
const KINDS: ReadonlyMap<string, string> = new Map(
  ['pod', 'service', 'node', 'workload', 'namespace'].flatMap((kind) => [
    [kind, `ENTITY_KIND_${kind.toUpperCase()}`],
    [`${kind}s`, `ENTITY_KIND_${kind.toUpperCase()}`],
  ]),
);

export function parseKind(text: string): Parsed<string> {
  const kind = KINDS.get(text.toLowerCase());
  if (kind !== undefined) return { ok: true, value: kind };
  return { ok: false, allowed: 'one of pod, service, node, workload, namespace' };
}

/** A workload by kind, API group and name. */
export interface KindAndName {
  readonly kind: string;
  /** Empty: the core group. */
  readonly group: string;
  readonly name: string;
}

/** The owner kinds of Kubernetes itself, as people write them. */
const WORKLOAD_KINDS: ReadonlyMap<string, readonly [kind: string, group: string]> = new Map(
  (
    [
      ['Deployment', 'apps', 'deploy'],
      ['StatefulSet', 'apps', 'sts'],
      ['DaemonSet', 'apps', 'ds'],
      ['ReplicaSet', 'apps', 'rs'],
      ['Job', 'batch', 'job'],
      ['CronJob', 'batch', 'cj'],
      ['ReplicationController', '', 'rc'],
    ] as const
  ).flatMap(([kind, group, short]) => {
    const names = [kind.toLowerCase(), `${kind.toLowerCase()}s`, short];
    return names.map((name) => [name, [kind, group] as const] as const);
  }),
);

/** `deployment/web`, `sts/cart`; any other kind exactly, with its API group: `Rollout.argoproj.io/web`, `Pod/debug`. */
export function parseKindAndName(text: string): Parsed<KindAndName> {
  const [, kindText = '', name] = /^([^/]+)\/([^/]+)$/.exec(text) ?? [];
  if (name === undefined) {
    return { ok: false, allowed: 'a kind and a name: deployment/web, Rollout.argoproj.io/web' };
  }
  const known = WORKLOAD_KINDS.get(kindText.toLowerCase());
  if (known !== undefined) return { ok: true, value: { kind: known[0], group: known[1], name } };
  const dot = kindText.indexOf('.');
  if (dot < 0) return { ok: true, value: { kind: kindText, group: '', name } };
  return { ok: true, value: { kind: kindText.slice(0, dot), group: kindText.slice(dot + 1), name } };
}
