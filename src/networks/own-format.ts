// Ranges as people write them, in YAML (or JSON, which is YAML too):
//
//   ranges:
//     - name: office-berlin
//       kind: office          # kind, zone and region are optional
//       zone: ber-1
//       region: eu-central
//       cidrs: [203.0.113.0/24, 2001:db8:1::/48, 198.51.100.7]
//
// Strict, because a range that is left out in silence gives wrong answers in silence: unknown fields, bits behind the
// prefix and a range that is there twice are problems, each with its line.

import { type Cidr, familyOf, parseCidr } from '../model/ip/cidr.ts';
import { fromBits4, fromBits6, IP_WIDTH, toBits } from '../model/ip/ip-bits.ts';
import { parseIp } from '../model/ip/ip.ts';
import { parseLocatedYaml, type YamlField, type YamlNode } from './located-yaml.ts';
import type { NamedRange, NetworkName } from './network-table.ts';
import { type Problems, shown } from './problems.ts';

/** Names go into every answer that they are right for. */
const MAX_NAME_LENGTH = 253;

const FIELDS: ReadonlySet<string> = new Set(['name', 'kind', 'zone', 'region', 'cidrs']);

/** Read as they are taken. What is wrong is added to `problems`; then the ranges are not to be used. */
export function* parseOwnFormat(source: string, problems: Problems): Generator<NamedRange> {
  const document = parseLocatedYaml(source, problems);
  if (document === undefined) {
    if (!problems.any) problems.add(undefined, `holds nothing; ${ALLOWED_TOP}`);
    return;
  }
  const lines = new Map<string, number>();
  for (const entry of listOf(document, problems)) yield* rangesOf(entry, lines, problems);
}

const ALLOWED_TOP = 'allowed: a mapping with one field, ranges, which is a list';

function listOf(document: YamlNode, problems: Problems): readonly YamlNode[] {
  if (document.kind !== 'mapping') {
    problems.add(document.line, `a ${document.kind}; ${ALLOWED_TOP}`);
    return [];
  }
  for (const { key, line } of document.fields) {
    if (key !== 'ranges') problems.add(line, `unknown field ${shown(key)}; ${ALLOWED_TOP}`);
  }
  const ranges = document.fields.find(({ key }) => key === 'ranges')?.value;
  if (ranges?.kind === 'list') return ranges.items;
  problems.add(ranges?.line ?? document.line, `ranges is no list; ${ALLOWED_TOP}`);
  return [];
}

function* rangesOf(entry: YamlNode, lines: Map<string, number>, problems: Problems): Generator<NamedRange> {
  if (entry.kind !== 'mapping') {
    problems.add(entry.line, `a ${entry.kind}; allowed: a mapping with name, kind, zone, region and cidrs`);
    return;
  }
  for (const { key, line } of entry.fields) {
    if (!FIELDS.has(key)) {
      problems.add(line, `unknown field ${shown(key)}; allowed: ${[...FIELDS].join(', ')}`);
    }
  }
  const field = (name: string): YamlField | undefined => entry.fields.find(({ key }) => key === name);
  const text = (name: string): string => textOf(name, field(name), problems);
  const network: NetworkName = { name: text('name'), kind: text('kind'), zone: text('zone'), region: text('region') };
  if (network.name === '') problems.add(field('name')?.line ?? entry.line, 'name is required');
  const cidrs = field('cidrs');
  if (cidrs?.value.kind !== 'list' || cidrs.value.items.length === 0) {
    problems.add(cidrs?.line ?? entry.line, 'cidrs is required: a list of ranges, 203.0.113.0/24');
    return;
  }
  for (const item of cidrs.value.items) {
    const cidr = cidrOf(item, problems);
    if (cidr === undefined) continue;
    const key = `${cidr.network}/${cidr.prefixLength}`;
    const before = lines.get(key);
    if (before !== undefined) problems.add(item.line, `${key} is in line ${before} already`);
    lines.set(key, before ?? item.line);
    yield { cidr, network, rank: 0 };
  }
}

function textOf(name: string, field: YamlField | undefined, problems: Problems): string {
  if (field === undefined) return '';
  const { value, line } = field;
  const allowed = `allowed: text of at most ${MAX_NAME_LENGTH} characters`;
  if (value.kind !== 'text') problems.add(line, `${name} is a ${value.kind}; ${allowed}`);
  else if (value.text.length > MAX_NAME_LENGTH || hasControls(value.text)) {
    problems.add(line, `${name}: got ${shown(value.text)}; ${allowed}, without control characters`);
  } else return value.text;
  return '';
}

function hasControls(text: string): boolean {
  // oxlint-disable-next-line no-control-regex
  return /[\u0000-\u001f\u007f-\u009f]/.test(text);
}

function cidrOf(item: YamlNode, problems: Problems): Cidr | undefined {
  const allowed = 'allowed: an address range or an address: 203.0.113.0/24, 2001:db8::/32, 198.51.100.7';
  if (item.kind !== 'text') {
    problems.add(item.line, `a ${item.kind}; ${allowed}`);
    return undefined;
  }
  const cidr = parseCidr(item.text) ?? singleAddress(item.text);
  if (cidr === undefined) {
    problems.add(item.line, `got ${shown(item.text)}; ${allowed}`);
    return undefined;
  }
  const network = networkAddress(cidr);
  if (network === cidr.network) return cidr;
  problems.add(item.line, `${shown(item.text)} has bits behind its prefix; ${network}/${cidr.prefixLength} is meant?`);
  return undefined;
}

function singleAddress(text: string): Cidr | undefined {
  const network = parseIp(text);
  if (network === undefined) return undefined;
  const family = familyOf(network);
  return { network, family, prefixLength: IP_WIDTH[family] };
}

/** The first address of the range, canonical. */
function networkAddress({ network, prefixLength, family }: Cidr): string {
  const bits = toBits(network);
  const rest = IP_WIDTH[family] - prefixLength;
  if (typeof bits === 'number') return fromBits4(rest === 32 ? 0 : ((bits >>> rest) << rest) >>> 0);
  return parseIp(fromBits6((bits >> BigInt(rest)) << BigInt(rest))) ?? network;
}
