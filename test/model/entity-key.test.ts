// The consumer's key: equal exactly when all its parts are.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { haveOneKey, type KeyedEntity, keyOf, keyOfWorkload } from '../../src/model/entity-key.ts';

/** Owner references may hold any text; few characters, so that joined parts collide easily. */
const part = fc.string({ unit: fc.constantFrom('a', '/', '\n', '"', '[', ','), maxLength: 4 });

const keyed: fc.Arbitrary<KeyedEntity> = fc.oneof(
  fc.record({ kind: fc.constantFrom('Pod' as const, 'Service' as const), namespace: part, name: part }),
  fc.record({
    kind: fc.constant('Workload' as const),
    apiVersion: part,
    workloadKind: part,
    namespace: part,
    name: part,
  }),
);

describe('the key of an entity', () => {
  it('14.1: is equal for equal parts and for no others', () => {
    fc.assert(
      fc.property(keyed, keyed, (a, b) => {
        const same = JSON.stringify(Object.entries(a).sort()) === JSON.stringify(Object.entries(b).sort());
        assert.equal(keyOf(a) === keyOf(b), same);
        assert.equal(haveOneKey(a, b), same);
      }),
      { numRuns: 5_000 },
    );
  });

  it('14.1: tells the same object of two namespaces, API versions and kinds apart, and knows nothing of uids', () => {
    const web = {
      kind: 'Workload',
      apiVersion: 'apps/v1',
      workloadKind: 'Deployment',
      namespace: 'shop',
      name: 'web',
    } as const;
    const others = [
      { apiVersion: 'apps/v1beta1' },
      { workloadKind: 'StatefulSet' },
      { namespace: '' },
      { name: 'api' },
    ];
    for (const other of others) assert.notEqual(keyOf({ ...web, ...other }), keyOf(web));
    assert.notEqual(
      keyOf({ kind: 'Pod', namespace: 'shop', name: 'web' }),
      keyOf({ kind: 'Service', namespace: 'shop', name: 'web' }),
    );
  });

  it('14.1: of a workload is that of a reference to it', () => {
    const reference = { apiVersion: 'example.com/v1', kind: 'Workload', namespace: '', name: 'n' };
    const { kind: workloadKind, ...rest } = reference;
    assert.equal(keyOfWorkload(reference), keyOf({ ...rest, kind: 'Workload', workloadKind }));
  });
});
