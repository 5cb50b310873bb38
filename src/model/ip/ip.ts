// IP addresses in one canonical text form, so that equal addresses are equal strings and can be map keys.
//
// IPv4 is the dotted quad, IPv6 the form of RFC 5952 (lower case, longest run of zeros compressed), and an IPv4-mapped
// IPv6 address (`::ffff:10.0.0.1`, RFC 4291 2.5.5.2) is the IPv4 address it stands for: a dual-stack socket reports
// the same peer either way. Refused: zone suffixes (a link-local address means nothing away from its link), leading
// zeros (`010.0.0.1` is 8.0.0.1 to some parsers; objects of the API are read by Kubernetes' own rule), short forms
// (`10.1`), prefixes and ports.

import { isIP } from 'node:net';

/** Longest text of an IPv6 address (`ffff:…:255.255.255.255`); longer input is refused before it is looked at. */
const MAX_ADDRESS_LENGTH = 45;

/** The canonical form of `text`, or `undefined` when it is not an IP address. Never throws, whatever the input. */
export function parseIp(text: string): string | undefined {
  if (text.length > MAX_ADDRESS_LENGTH) return undefined;
  switch (isIP(text)) {
    case 4:
      return text;
    case 6: {
      if (text.includes('%')) return undefined;
      return canonicalIpv6(text);
    }
    default:
      return undefined;
  }
}

/**
 * The same of an address that an object of the API has. There leading zeros mean nothing (`010.0.0.1` is 10.0.0.1),
 * because proxies and network plugins read what was stored before they were refused so: KEP-4858, `ParseIPSloppy` of
 * k8s.io/utils/net. Callers are not read so: they may mean an octal number.
 */
export function parseApiIp(text: string): string | undefined {
  const found = parseIp(text);
  if (found !== undefined || text.length > MAX_ADDRESS_LENGTH) return found;
  const plain = text.replaceAll(ZEROS_BEFORE_DECIMAL, '');
  return plain === text ? undefined : parseIp(plain);
}

/** Of the parts of a dotted quad, also at the end of an IPv6 address; a group before it stays as it is. */
const ZEROS_BEFORE_DECIMAL = /(?<=^|\.|:)0+(?=\d+\.)|(?<=\.)0+(?=\d)/g;

/**
 * Canonical forms of the entries of `texts`, of an object of the API, that are IP addresses, in order, each once; other
 * entries are left out.
 */
export function canonicalIps(texts: readonly string[]): readonly string[] {
  const [first] = texts;
  if (first === undefined) return NONE;
  if (texts.length === 1) {
    const only = parseApiIp(first);
    // Kept for each pod: a list that was grown would have room for 17.
    return only === undefined ? NONE : [only];
  }
  const found: string[] = [];
  for (const text of texts) {
    const ip = parseApiIp(text);
    if (ip !== undefined && !found.includes(ip)) found.push(ip);
  }
  return found.slice();
}

const NONE: readonly string[] = Object.freeze([]);

const GROUPS = 8;
/** Of the address that is being read. */
const groups = new Uint16Array(GROUPS);

/**
 * `text` is an IPv6 address without a zone. The form of RFC 5952; of a mapped address the IPv4 address, and of one with
 * 96 zero bits the last 32 as a dotted quad, as `inet_ntop` writes both.
 */
function canonicalIpv6(text: string): string {
  const { gapStart, gapLength, isPlain } = readGroups(text);
  // Of several longest runs of zeros the first is compressed, and a single zero never.
  let runStart = -1;
  let runLength = 1;
  for (let index = 0; index < GROUPS; index += 1) {
    const start = index;
    while (index < GROUPS && groups[index] === 0) index += 1;
    if (index - start <= runLength) continue;
    runStart = start;
    runLength = index - start;
  }
  if (runStart === 0 && runLength === 5 && groups[5] === 0xffff) return dottedQuad();
  if (runStart === 0 && runLength === 6) return `::${dottedQuad()}`;
  // Most are written so already.
  if (isPlain && gapStart === runStart && (runStart === -1 || gapLength === runLength)) return text;
  let canonical = '';
  for (let index = 0; index < GROUPS; index += 1) {
    if (index === runStart) {
      canonical += index === 0 ? '::' : ':';
      index += runLength - 1;
    } else {
      canonical += (groups[index] ?? 0).toString(16);
      if (index < GROUPS - 1) canonical += ':';
    }
  }
  return canonical;
}

interface Spelling {
  /** The first group that `::` stands for; -1: there is no `::`. */
  readonly gapStart: number;
  readonly gapLength: number;
  /** Lower case, no leading zeros, no dotted quad. */
  readonly isPlain: boolean;
}

function readGroups(text: string): Spelling {
  let count = 0;
  let gapStart = -1;
  let isPlain = true;
  let value = 0;
  let digits = 0;
  groups.fill(0);
  for (let at = 0; at <= text.length; at += 1) {
    const code = at < text.length ? text.charCodeAt(at) : COLON;
    if (code === COLON) {
      if (digits > 0) groups[count++] = value;
      else if (gapStart === -1 && at < text.length && text.charCodeAt(at + 1) !== COLON) gapStart = count;
      value = 0;
      digits = 0;
    } else if (code === DOT) {
      const [a = 0, b = 0, c = 0, d = 0] = text
        .slice(at - digits)
        .split('.')
        .map(Number);
      groups[count++] = a * 256 + b;
      groups[count++] = c * 256 + d;
      isPlain = false;
      break;
    } else {
      if (value === 0 && digits > 0) isPlain = false;
      // Letters begin at 65 and at 97, of which the lowest bits are 1.
      if (code > NINE && code < LOWER_A) isPlain = false;
      value = value * 16 + (code <= NINE ? code - ZERO : (code & 7) + 9);
      digits += 1;
    }
  }
  const gapLength = gapStart === -1 ? 0 : GROUPS - count;
  if (gapLength > 0) {
    groups.copyWithin(gapStart + gapLength, gapStart, count);
    groups.fill(0, gapStart, gapStart + gapLength);
  }
  return { gapStart, gapLength, isPlain };
}

const COLON = 0x3a;
const DOT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const LOWER_A = 0x61;

function dottedQuad(): string {
  const [high = 0, low = 0] = [groups[6], groups[7]];
  return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
}
