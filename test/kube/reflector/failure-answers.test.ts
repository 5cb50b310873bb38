// Every class of failure has its answer, and none of them is a loop.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answerTo, type Situation } from '../../../src/kube/reflector/failure-answers.ts';
import type { FailureKind } from '../../../src/kube/reflector/failure.ts';

const KINDS: Readonly<Record<FailureKind, true>> = {
  ...{ expired: true, version_too_large: true, throttled: true, store_read_error: true, server_error: true },
  ...{ unauthorized: true, forbidden: true, not_found: true, rejected: true, unreachable: true, stalled: true },
  ...{ credentials: true, undecodable: true, short_watch: true },
};
const kinds = Object.keys(KINDS) as readonly FailureKind[];

const WATCHING: Situation = {
  listing: false,
  streams: true,
  latestDue: false,
  progressed: true,
  refusedCredentials: false,
};

test('of a healthy watch, only what is said about its version leads to a list', () => {
  const listing = kinds.filter((kind) => answerTo(kind, WATCHING).next !== 'same');
  assert.deepEqual(listing.toSorted(), ['expired', 'rejected', 'store_read_error', 'version_too_large']);
});

test('what was tried in vain is never tried again at once', () => {
  const listing: Situation = { ...WATCHING, listing: true, streams: false, latestDue: true, refusedCredentials: true };
  const watching: Situation = { ...WATCHING, progressed: false, refusedCredentials: true };
  for (const kind of kinds) {
    for (const situation of [listing, watching]) assert.notEqual(answerTo(kind, situation).wait, 'none', kind);
  }
});

test('a streamed list that the server does not know how to give is followed by pages, any other failure by the same', () => {
  const streaming: Situation = { ...WATCHING, listing: true };
  const inPages = kinds.filter((kind) => answerTo(kind, streaming).next === 'in-pages');
  assert.deepEqual(inPages.toSorted(), [
    ...['rejected', 'server_error', 'short_watch', 'stalled', 'store_read_error', 'undecodable'],
  ]);
  for (const kind of inPages) {
    const next = answerTo(kind, { ...streaming, streams: false }).next;
    assert.notEqual(next, 'in-pages', `${kind} of a list in pages`);
  }
});

test('only who was turned away for credentials is woken by the success of another', () => {
  const again = { ...WATCHING, refusedCredentials: true };
  const woken = kinds.filter((kind) => answerTo(kind, again).wait === 'credentials');
  assert.deepEqual(woken.toSorted(), ['credentials', 'unauthorized']);
});
