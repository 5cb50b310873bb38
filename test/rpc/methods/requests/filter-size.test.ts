// Filters that list too much, counted before anything is made of them.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { refuseLargeFilter } from '../../../../src/rpc/methods/requests/filter-size.ts';
import { messageType } from '../../../../src/wire/schema.ts';

const type = messageType('digger.v1.WatchRequest');
const encode = (filter: object): Uint8Array => type.encode(type.fromObject({ filter })).finish();
const fieldsOf = (filter: object): unknown =>
  refuseLargeFilter(encode(filter))?.facts.violations?.map(({ field }) => field);
const names = (count: number): string[] => Array.from({ length: count }, () => '');

describe('a filter', () => {
  it('as large as allowed passes', () => {
    assert.equal(fieldsOf({ namespaces: names(1_000), nodeNames: names(1_000), kinds: [1, 2, 3, 4] }), undefined);
    assert.equal(fieldsOf({}), undefined);
  });

  for (const [field, filter] of [
    ['filter.namespaces', { namespaces: names(130_000) }],
    ['filter.node_names', { nodeNames: names(1_001) }],
    ['filter.kinds', { kinds: Array.from({ length: 200_000 }, () => 1) }],
    ['filter.labels', { labels: Object.fromEntries(Array.from({ length: 65 }, (_, index) => [`k${index}`, ''])) }],
  ] as const) {
    it(`with too many ${field} is refused by its bytes`, () => assert.deepEqual(fieldsOf(filter), [field]));
  }

  it('16.3 may come with a choice of values, which is counted too', () => {
    const values = { labels: names(65), annotations: names(64) };
    const refused = refuseLargeFilter(type.encode(type.fromObject({ values })).finish());
    assert.deepEqual(
      refused?.facts.violations?.map(({ field }) => field),
      ['values.labels'],
    );
  });

  it('in several parts counts as one, as a decoder would read it', () => {
    const part = encode({ namespaces: names(600) });
    assert.equal(refuseLargeFilter(part), undefined);
    assert.equal(refuseLargeFilter(Buffer.concat([part, part]))?.code, 3);
  });

  it('that is cut off is left to the decoder', () => {
    const bytes = encode({ namespaces: names(5_000) });
    assert.equal(refuseLargeFilter(bytes.subarray(0, bytes.length - 1)), undefined);
  });
});
