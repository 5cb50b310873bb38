// When the storage of the API server is restored, versions run backwards in every source, one source after the other:
// it is told once, and every restore is.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Sources } from '../../../src/feed/tokens/sources.ts';

/** Three sources at version 100, under a clock of our own. */
function sources() {
  const all = new Sources();
  const clock = { nowMs: 0 };
  const list = (resource: string, resourceVersion: string, listed = true): boolean => {
    const position = { resource, resourceVersion, digest: 1, ...(listed ? { listed: true as const } : undefined) };
    return all.apply({ changes: [], seen: { atMs: 0 }, position }, 0, 0, clock.nowMs);
  };
  for (const resource of ['pods', 'nodes', 'services']) assert.equal(list(resource, '100'), false);
  return { list, clock };
}

describe('14.13 a restore of the storage of the API server', () => {
  it('is told once, however many sources go backwards', () => {
    const { list } = sources();
    assert.deepEqual([list('pods', '50'), list('nodes', '51'), list('services', '50')], [true, false, false]);
  });

  it('is told again when it happens again, by whichever source hears of it first', () => {
    const { list } = sources();
    assert.deepEqual([list('pods', '50'), list('nodes', '51'), list('services', '50')], [true, false, false]);
    for (const resource of ['pods', 'nodes', 'services']) list(resource, '80', false);
    assert.deepEqual([list('nodes', '40'), list('pods', '40'), list('services', '40')], [true, false, false]);
  });

  it('is told by a source that was listed after the one before, and did not go backwards then', () => {
    const { list } = sources();
    // Something was written to nodes between the backup and its restore: their list is ahead of what was seen.
    assert.deepEqual([list('pods', '50'), list('services', '50'), list('nodes', '120')], [true, false, false]);
    assert.equal(list('nodes', '60'), true, 'the next one, which nodes hear of first');
    assert.equal(list('pods', '40'), false, 'and the others after them');
  });

  it('is told by a source that was not listed at all after the one before, when that is long ago', () => {
    const { list, clock } = sources();
    assert.deepEqual([list('pods', '50'), list('services', '50')], [true, false]);
    clock.nowMs = 119_000;
    const { list: other } = sources();
    assert.equal(other('nodes', '99'), true);
    clock.nowMs = 121_000;
    assert.equal(list('nodes', '60'), true);
  });
});
