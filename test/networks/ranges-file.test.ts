// What files of named ranges may hold, and how what is wrong with them is told.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { NetworkTable } from '../../src/networks/network-table.ts';
import { MAX_OWN_BYTES, parseRanges } from '../../src/networks/ranges-file.ts';

const problemsOf = async (text: string): Promise<string[]> => {
  const error = await parseRanges(text, 'r.yaml').then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof Error, `taken: ${text}`);
  assert.equal(error.name, 'RangesFileError', String(error.stack));
  return error.message.split('\n');
};

const nameOf = (table: NetworkTable, address: string) => {
  const found = table.find(address);
  if (found === undefined) return undefined;
  const { name, kind, zone, region } = found.network;
  return [name, kind, zone, region, found.range].join('|');
};

describe('ranges as people write them', () => {
  it('are names with kind, zone and region for lists of ranges and addresses', async () => {
    const table = await parseRanges(
      `# where our people sit
ranges:
  - name: office-berlin
    kind: office
    zone: ber-1
    region: eu-central
    cidrs: [203.0.113.0/24, "2001:db8:1::/48", 198.51.100.7]
  - name: partner
    cidrs:
      - 203.0.113.128/25
`,
      'r.yaml',
    );
    assert.equal(table.size, 4);
    assert.equal(nameOf(table, '203.0.113.1'), 'office-berlin|office|ber-1|eu-central|203.0.113.0/24');
    assert.equal(nameOf(table, '203.0.113.200'), 'partner||||203.0.113.128/25');
    assert.equal(nameOf(table, '198.51.100.7'), 'office-berlin|office|ber-1|eu-central|198.51.100.7/32');
    assert.equal(nameOf(table, '2001:db8:1:2::3'), 'office-berlin|office|ber-1|eu-central|2001:db8:1::/48');
  });

  it('may be JSON, which is YAML too', async () => {
    const table = await parseRanges('{"ranges": [{"name": "a", "cidrs": ["192.0.2.0/24"]}]}', 'r.json');
    assert.equal(nameOf(table, '192.0.2.9'), 'a||||192.0.2.0/24');
  });

  it('are refused by line, all problems at once', async () => {
    assert.deepEqual(
      await problemsOf(`ranges:
  - name: a
    cidrs: [10.0.0.1/8, "x", 10.0.0.0/8]
  - nam: b
    cidrs: [10.0.0.0/8]
  - name: {}
    cidrs: []
  - name: "bell\\a"
    cidrs: [::ffff:10.0.0.0/104]
extra: 1
`),
      [
        'r.yaml:10: unknown field "extra"; allowed: a mapping with one field, ranges, which is a list',
        'r.yaml:3: "10.0.0.1/8" has bits behind its prefix; 10.0.0.0/8 is meant?',
        'r.yaml:3: got "x"; allowed: an address range or an address: 203.0.113.0/24, 2001:db8::/32, 198.51.100.7',
        'r.yaml:4: unknown field "nam"; allowed: name, kind, zone, region, cidrs',
        'r.yaml:4: name is required',
        'r.yaml:5: 10.0.0.0/8 is in line 3 already',
        'r.yaml:6: name is a mapping; allowed: text of at most 253 characters',
        'r.yaml:6: name is required',
        'r.yaml:7: cidrs is required: a list of ranges, 203.0.113.0/24',
        'r.yaml:8: name: got "bell\\u0007"; allowed: text of at most 253 characters, without control characters',
        '2 more problems',
      ],
    );
  });

  for (const [text, problem] of [
    ['', 'r.yaml: holds nothing; allowed: a mapping with one field, ranges, which is a list'],
    ['# nothing\n', 'r.yaml: holds nothing; allowed: a mapping with one field, ranges, which is a list'],
    ['ranges: []\n', 'r.yaml: holds no ranges'],
    ['- a\n', 'r.yaml:1: a list; allowed: a mapping with one field, ranges, which is a list'],
    ['ranges:\n  - name: a\n   cidrs: []\n', 'r.yaml:3: not YAML: bad indentation of a sequence entry'],
    ['--- {}\n--- {}\n', 'r.yaml: holds 2 documents; allowed: one'],
    ['ranges: !!binary x\n', 'r.yaml:1: a tag; allowed: values without one'],
    ['{"prefixes": []}', 'r.yaml: holds no ranges'],
    ['{"prefixes": [', 'r.yaml: not JSON: Unexpected end of JSON input'],
  ] as const) {
    it(`are refused when the file is ${JSON.stringify(text)}`, async () => {
      assert.equal((await problemsOf(text))[0], problem);
    });
  }

  it('are refused with anchors and aliases, which make small files huge ones', async () => {
    const bomb = `ranges:\n  - &a [1, 1]\n  - &b [*a, *a]\n  - &c [*b, *b]\n`;
    assert.deepEqual((await problemsOf(bomb)).slice(0, 3), [
      'r.yaml:2: an anchor; allowed: values without one',
      'r.yaml:3: an anchor; allowed: values without one',
      'r.yaml:3: an alias; allowed: the values themselves',
    ]);
  });

  it('are refused when there are more than can be read without holding others up', async () => {
    const text = `ranges:\n  - name: a\n    cidrs: [${'1.1.1.1/32, '.repeat(MAX_OWN_BYTES / 10)}]\n`;
    assert.match((await problemsOf(text))[0] ?? '', /^r\.yaml: \d+ bytes; allowed: at most 524288, or the JSON of AWS/);
  });
});

describe('ranges as the clouds publish them', () => {
  it('of AWS: the narrowest service, the region, and the border group where that is another', async () => {
    const range = (ip_prefix: string, service: string, region: string, network_border_group = region) => ({
      ip_prefix,
      region,
      service,
      network_border_group,
    });
    const document = {
      syncToken: '1764000000',
      createDate: '2025-11-24-16-00-00',
      prefixes: [
        range('52.218.0.0/17', 'AMAZON', 'eu-west-1'),
        range('52.218.0.0/17', 'S3', 'eu-west-1'),
        range('15.181.232.0/21', 'EC2', 'us-east-1', 'us-east-1-iah-1'),
        range('15.181.232.0/21', 'AMAZON', 'us-east-1', 'us-east-1-iah-1'),
        range('13.32.0.0/15', 'CLOUDFRONT', 'GLOBAL'),
      ],
      ipv6_prefixes: [
        {
          ipv6_prefix: '2a05:d018::/36',
          region: 'eu-west-1',
          service: 'EC2',
          network_border_group: 'eu-west-1',
          added_later: 1,
        },
      ],
    };
    const table = await parseRanges(JSON.stringify(document), 'ip-ranges.json');
    assert.equal(nameOf(table, '52.218.1.1'), 'S3|aws||eu-west-1|52.218.0.0/17');
    assert.equal(nameOf(table, '15.181.232.9'), 'EC2|aws|us-east-1-iah-1|us-east-1|15.181.232.0/21');
    assert.equal(nameOf(table, '13.33.0.1'), 'CLOUDFRONT|aws||GLOBAL|13.32.0.0/15');
    assert.equal(nameOf(table, '2a05:d018:1::1'), 'EC2|aws||eu-west-1|2a05:d018::/36');
  });

  it('of Google: service and scope, in goog.json neither', async () => {
    const cloud = {
      syncToken: '1764000000000',
      creationTime: '2025-11-24T16:00:00.0',
      prefixes: [
        { ipv4Prefix: '34.1.208.0/20', service: 'Google Cloud', scope: 'africa-south1' },
        { ipv6Prefix: '2600:1900:8000::/44', service: 'Google Cloud', scope: 'europe-west3' },
      ],
    };
    const table = await parseRanges(JSON.stringify(cloud), 'cloud.json');
    assert.equal(nameOf(table, '34.1.208.1'), 'Google Cloud|gcp||africa-south1|34.1.208.0/20');
    assert.equal(nameOf(table, '2600:1900:8000::1'), 'Google Cloud|gcp||europe-west3|2600:1900:8000::/44');
    const all = await parseRanges(JSON.stringify({ prefixes: [{ ipv4Prefix: '8.8.4.0/24' }] }), 'goog.json');
    assert.equal(nameOf(all, '8.8.4.4'), 'Google|gcp|||8.8.4.0/24');
  });

  it('of Azure: a service of a region before a service, and both before the whole cloud', async () => {
    const tag = (name: string, region: string, ...addressPrefixes: string[]) => ({
      name,
      id: name,
      properties: { changeNumber: 1, region, platform: 'Azure', systemService: '', addressPrefixes },
    });
    const document = {
      changeNumber: 300,
      cloud: 'Public',
      values: [
        tag('AzureCloud', '', '20.38.96.0/19', '20.60.0.0/16'),
        tag('AzureCloud.westeurope', 'westeurope', '20.60.0.0/16', '20.38.96.0/19'),
        tag('Storage', '', '20.60.0.0/16'),
        tag('Storage.WestEurope', 'westeurope', '20.60.0.0/16', '2603:1020:200::/56'),
      ],
    };
    const table = await parseRanges(JSON.stringify(document), 'ServiceTags_Public.json');
    assert.equal(nameOf(table, '20.60.1.1'), 'Storage.WestEurope|azure||westeurope|20.60.0.0/16');
    assert.equal(nameOf(table, '20.38.97.1'), 'AzureCloud.westeurope|azure||westeurope|20.38.96.0/19');
    assert.equal(nameOf(table, '2603:1020:200::1'), 'Storage.WestEurope|azure||westeurope|2603:1020:200::/56');
  });

  it('are refused whole when one range cannot be read, with its place', async () => {
    const aws = { prefixes: [{ ip_prefix: '52.0.0.0/8' }, { ip_prefix: '52.300.0.0/8' }], ipv6_prefixes: [] };
    assert.deepEqual(await problemsOf(JSON.stringify(aws)), [
      'r.yaml: prefixes[1].ip_prefix: got "52.300.0.0/8"; allowed: an address range: 203.0.113.0/24',
    ]);
    assert.deepEqual(await problemsOf('{"values": [{"name": "Sql", "properties": {}}]}'), [
      'r.yaml: values[0].properties.addressPrefixes: is no list',
    ]);
  });
});
