// Texts of options into values: each parser takes what was typed and gives the value, or says what is allowed.
//
// Strict on purpose: `10` is not a duration, `010.0.0.1` is not an address, `1e3` is not a count. A text that could
// mean two things is refused instead of guessed.

import { BlockList, isIP } from 'node:net';
import { parseCidr } from '../model/ip/cidr.ts';
import type { ListenAddress } from '../model/ip/listen-address.ts';
import { isPathPattern } from '../model/namespaces/path-match.ts';
import type { NamespaceRule } from '../model/namespaces/published-namespaces.ts';

export type Parsed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly allowed: string };

export type Parser<T> = (text: string) => Parsed<T>;

/** `127.0.0.1:50051`, `[::1]:50051`, `localhost:0`. */
export function parseListenAddress(text: string): Parsed<ListenAddress> {
  const allowed = 'an IP address or localhost, then a colon and a port from 0 to 65535: 127.0.0.1:50051, [::]:50051';
  const [, v6, v4, portText] = /^(?:\[([^[\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text) ?? [];
  const port = Number(portText);
  if (portText === undefined || port > 65_535) return { ok: false, allowed };
  if (v6 !== undefined) return isIP(v6) === 6 ? { ok: true, value: { host: v6, port } } : { ok: false, allowed };
  if (v4 === undefined || (v4 !== 'localhost' && isIP(v4) !== 4)) return { ok: false, allowed };
  return { ok: true, value: { host: v4, port } };
}

/** Where another process listens: as above, or a name; the port is known. */
export function parseTarget(text: string): Parsed<ListenAddress> {
  const allowed =
    'a name or an IP address, then a colon and a port from 1 to 65535: digger-headless:50051, [fd00::7]:50051';
  const [, name, portText] = /^([a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?\.?):(\d{1,5})$/i.exec(text) ?? [];
  const port = Number(portText);
  if (name !== undefined && port > 0 && port <= 65_535 && !/^[\d.]+$/.test(name))
    return { ok: true, value: { host: name, port } };
  const parsed = parseListenAddress(text);
  return parsed.ok && parsed.value.port > 0 ? parsed : { ok: false, allowed };
}

/** `10.96.0.10`, `10.96.0.10:53`, `fd00::a`, `[fd00::a]:53`, as node:dns takes them. */
export function parseDnsServer(text: string): Parsed<string> {
  const [, bracketed, plain, portText = '53'] = /^(?:\[([^[\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text) ?? [];
  const port = Number(portText);
  const host = bracketed ?? plain ?? text;
  const family = isIP(host);
  const isWritten = host === text || (bracketed === undefined ? family === 4 : family === 6);
  if (family !== 0 && !host.includes('%') && isWritten && port >= 1 && port <= 65_535) return { ok: true, value: text };
  return { ok: false, allowed: 'an IP address, with or without a port: 10.96.0.10, [fd00::a]:5353' };
}

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

/** Only this machine can reach it. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || LOOPBACK.check(host, isIP(host) === 6 ? 'ipv6' : 'ipv4');
}

const UNIT_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;

/** `500ms`, `30s`, `10m`, `1h30m`; milliseconds. */
export function durationBetween(min: string, max: string): Parser<number> {
  const [minMs, maxMs] = [toMilliseconds(min), toMilliseconds(max)];
  if (minMs === undefined || maxMs === undefined) throw new Error(`bad bounds of a duration: ${min}, ${max}`);
  return (text) => {
    const ms = toMilliseconds(text);
    if (ms !== undefined && ms >= minMs && ms <= maxMs) return { ok: true, value: ms };
    return { ok: false, allowed: `a duration from ${min} to ${max}: 500ms, 30s, 10m, 1h30m` };
  };
}

function toMilliseconds(text: string): number | undefined {
  if (!/^(?:\d{1,9}h)?(?:\d{1,9}m)?(?:\d{1,9}s)?(?:\d{1,9}ms)?$/.test(text) || text === '') return undefined;
  let ms = 0;
  for (const [, digits, unit] of text.matchAll(/(\d+)(ms|h|m|s)/g))
    ms += Number(digits) * UNIT_MS[unit as keyof typeof UNIT_MS];
  return ms;
}

export function integerBetween(min: number, max: number): Parser<number> {
  return (text) => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return { ok: true, value };
    return { ok: false, allowed: `a whole number from ${min} to ${max}` };
  };
}

export function oneOf<const T extends string>(...values: readonly T[]): Parser<T> {
  return (text) => {
    const value = values.find((candidate) => candidate === text);
    return value === undefined ? { ok: false, allowed: `one of ${values.join(', ')}` } : { ok: true, value };
  };
}

/** `true` or `false`; a flag without a value is `true`. */
export function parseSwitch(text: string): Parsed<boolean> {
  if (text === 'true' || text === 'false') return { ok: true, value: text === 'true' };
  return { ok: false, allowed: 'true or false' };
}

export function parsePath(text: string): Parsed<string> {
  return text === '' ? { ok: false, allowed: 'a path' } : { ok: true, value: text };
}

export function parseName(text: string): Parsed<string> {
  return text.trim() === '' ? { ok: false, allowed: 'a name' } : { ok: true, value: text };
}

/** A name that goes into answers: whatever its operators call it, but short. */
export function parseShortName(text: string): Parsed<string> {
  // oxlint-disable-next-line no-control-regex
  const isPlain = text.trim() === text && text !== '' && !/[\u0000-\u001f\u007f-\u009f]/.test(text);
  if (isPlain && text.isWellFormed() && Buffer.byteLength(text) <= 128) return { ok: true, value: text };
  return {
    ok: false,
    allowed: 'a name of at most 128 bytes, without control characters or spaces around it: prod-eu-1',
  };
}

/** A DNS label, as the API server takes it (RFC 1123). */
export function parseNamespace(text: string): Parsed<string> {
  if (/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(text)) return { ok: true, value: text };
  return { ok: false, allowed: 'the name of a namespace: shop, kube-system' };
}

/** `deny kube-*`, `allow *`. */
export function parseNamespaceRule(text: string): Parsed<NamespaceRule> {
  const [, action, pattern = ''] = /^\s*(allow|deny)\s+(\S+)\s*$/.exec(text) ?? [];
  if ((action === 'allow' || action === 'deny') && isPathPattern(pattern))
    return { ok: true, value: { action, pattern } };
  return { ok: false, allowed: "allow or deny and a pattern of names: 'deny kube-*', 'allow team-[a-c]-?', 'allow *'" };
}

/** Key of a label or annotation as Kubernetes qualifies them: an optional DNS prefix with a slash, then the name. */
export function parseQualifiedName(text: string): Parsed<string> {
  const name = /^(?:[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?\/)?[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/;
  if (name.test(text)) return { ok: true, value: text };
  return { ok: false, allowed: 'the key of a label or annotation: app, example.com/team' };
}

/** As above, or all keys of a domain: `example.com/*`. */
export function parseKeyPattern(text: string): Parsed<string> {
  const parsed = parseQualifiedName(text.endsWith('/*') ? `${text.slice(0, -1)}x` : text);
  if (parsed.ok) return { ok: true, value: text };
  return { ok: false, allowed: `${parsed.allowed}, or all of a domain: example.com/*` };
}

/** `10.96.0.0/12`, `fd00:10:96::/112`. */
export function parseRange(text: string): Parsed<string> {
  if (parseCidr(text) !== undefined) return { ok: true, value: text };
  return { ok: false, allowed: 'an address range: 10.96.0.0/12, fd00:10:96::/112' };
}

const DNS_LABEL = '[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?';
const DNS_NAME = new RegExp(`^${DNS_LABEL}(?:\\.${DNS_LABEL})*$`, 'i');

/** `sensor.example.org`, `spiffe://cluster.local/ns/traffic/sa/sensor`; as `dns:` in lower case, or `uri:`. */
export function parseClientName(text: string): Parsed<string> {
  if (/^[a-z][a-z0-9+.-]*:\/\/\S+$/i.test(text)) return { ok: true, value: `uri:${text}` };
  if (text.length <= 253 && DNS_NAME.test(text)) return { ok: true, value: `dns:${text.toLowerCase()}` };
  return { ok: false, allowed: 'a DNS name or a URI: sensor.example.org, spiffe://cluster.local/ns/traffic/sa/sensor' };
}
