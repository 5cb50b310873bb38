// What a table keeps of a list, apart from its records.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createPacer } from '../../src/catalog/pacer.ts';
import { RecordTable, type Shelf, type Shelved } from '../../src/catalog/records/record-table.ts';
import type { PodRecord } from '../../src/model/kubernetes/records.ts';
import { done, eventually, notYet } from '../observers/eventually.ts';
import { SEEN } from './harness.ts';
import { pod } from './records.ts';

type Draft = { readonly namespace: string; readonly name: string; readonly uid: string };

it('holds no second picture after a relist, however long its reflector holds the replacement', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const drafts: WeakRef<Draft>[] = [];
  const shelf: Shelf<PodRecord, Draft, Shelved> = {
    draft: ({ namespace, name, uid }) => {
      const draft = { namespace, name, uid };
      drafts.push(new WeakRef(draft));
      return draft;
    },
    isSame: () => true,
    create: ({ uid }) => ({ uid, seenIn: 0, fingerprint: 0 }),
    update: () => assert.fail('nothing changes'),
    remove: () => assert.fail('nothing vanishes'),
  };
  const nothing = () => {};
  const never = () => false;
  const owner = { isCollecting: never, publish: nothing, advance: nothing, unchanged: nothing, isBehind: never };
  const table = new RecordTable('pods', shelf, owner, createPacer(), true);
  const replacement = table.beginReplace();
  for (let at = 0; at < 100; at += 1) replacement.add(pod(`p${at}`));
  await replacement.commit('1', SEEN);
  assert.deepEqual([table.size, drafts.length], [100, 100]);
  await eventually('the drafts are collected', async () => {
    collect();
    const alive = drafts.filter((draft) => draft.deref() !== undefined).length;
    return alive === 0 ? done(undefined) : notYet(alive);
  });
  // As a reflector does until its watch ends.
  replacement.abort();
});
