// Ranges as the large clouds publish them, read from files that were downloaded; nothing here goes to the network.
//
//   AWS     ip-ranges.json       https://docs.aws.amazon.com/vpc/latest/userguide/aws-ip-syntax.html
//   Google  cloud.json, goog.json  https://cloud.google.com/compute/docs/faq#find_ip_range
//   Azure   ServiceTags_*.json   https://learn.microsoft.com/azure/virtual-network/service-tags-overview
//
// The clouds list one range under several names (all of AWS is in AMAZON, all of a region of Azure in
// AzureCloud.REGION): the narrowest one counts, see the ranks. Fields that are not used are not looked at, so that a
// new one breaks nothing; a range that cannot be read is a problem, because without it answers would be wrong.

import { parseCidr } from '../model/ip/cidr.ts';
import type { NamedRange, NetworkName } from './network-table.ts';
import { type Problems, shown } from './problems.ts';

/** The ranges, read as they are taken; `undefined`: none of the formats that are known. */
export function parseCloudFormat(document: unknown, problems: Problems): Iterable<NamedRange> | undefined {
  const { prefixes, values } = fieldsOf(document);
  if (Array.isArray(values)) return azureRanges(values, problems);
  if (!Array.isArray(prefixes)) return undefined;
  const isAws = prefixes.some((prefix) => 'ip_prefix' in fieldsOf(prefix)) || 'ipv6_prefixes' in fieldsOf(document);
  return isAws ? awsRanges(document, problems) : googleRanges(prefixes, problems);
}

function* awsRanges(document: unknown, problems: Problems): Generator<NamedRange> {
  for (const [list, field] of [
    ['prefixes', 'ip_prefix'],
    ['ipv6_prefixes', 'ipv6_prefix'],
  ] as const) {
    const prefixes = fieldsOf(document)[list];
    if (!Array.isArray(prefixes)) continue;
    for (const [index, prefix] of prefixes.entries()) {
      const { service, region, network_border_group: group, [field]: range } = fieldsOf(prefix);
      const cidr = cidrOf(range, `${list}[${index}].${field}`, problems);
      if (cidr === undefined) continue;
      const name = textOf(service);
      // A border group is the region itself, or a zone of it that is elsewhere (Local Zones, Wavelength).
      const zone = group === region ? '' : textOf(group);
      const network: NetworkName = { name, kind: 'aws', zone, region: textOf(region) };
      yield { cidr, network, rank: AWS_RANKS.get(name) ?? 0 };
    }
  }
}

/** AMAZON is everything, EC2 what customers run. */
const AWS_RANKS: ReadonlyMap<string, number> = new Map([
  ['EC2', 1],
  ['AMAZON', 2],
]);

function* googleRanges(prefixes: readonly unknown[], problems: Problems): Generator<NamedRange> {
  for (const [index, prefix] of prefixes.entries()) {
    const { ipv4Prefix, ipv6Prefix, service, scope } = fieldsOf(prefix);
    const field = ipv6Prefix === undefined ? 'ipv4Prefix' : 'ipv6Prefix';
    const cidr = cidrOf(ipv6Prefix ?? ipv4Prefix, `prefixes[${index}].${field}`, problems);
    if (cidr === undefined) continue;
    // goog.json has all addresses of Google, without a service.
    const network = { name: textOf(service) || 'Google', kind: 'gcp', zone: '', region: textOf(scope) };
    yield { cidr, network, rank: 0 };
  }
}

function* azureRanges(values: readonly unknown[], problems: Problems): Generator<NamedRange> {
  for (const [index, value] of values.entries()) {
    const { name: tag, properties } = fieldsOf(value);
    const { region, addressPrefixes } = fieldsOf(properties);
    const name = textOf(tag);
    if (name === '') problems.add(`values[${index}].name`, `got ${shown(tag)}; allowed: the name of a service tag`);
    const network: NetworkName = { name, kind: 'azure', zone: '', region: textOf(region) };
    if (!Array.isArray(addressPrefixes)) {
      problems.add(`values[${index}].properties.addressPrefixes`, 'is no list');
      continue;
    }
    const rank = (name.startsWith('AzureCloud') ? 2 : 0) + (network.region === '' ? 1 : 0);
    for (const [at, prefix] of addressPrefixes.entries()) {
      const cidr = cidrOf(prefix, `values[${index}].properties.addressPrefixes[${at}]`, problems);
      if (cidr !== undefined) yield { cidr, network, rank };
    }
  }
}

function cidrOf(value: unknown, where: string, problems: Problems): NamedRange['cidr'] | undefined {
  const cidr = typeof value === 'string' ? parseCidr(value) : undefined;
  if (cidr === undefined) problems.add(where, `got ${shown(value)}; allowed: an address range: 203.0.113.0/24`);
  return cidr;
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function textOf(value: unknown): string {
  // oxlint-disable-next-line no-control-regex
  return typeof value === 'string' ? value.slice(0, 253).replace(/[\u0000-\u001f\u007f-\u009f]/g, '\ufffd') : '';
}
