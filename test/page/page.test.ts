// The page of the admin listener, without a browser: who gets it, what it tells, and what it is protected by.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { beforeEach, describe, it } from 'node:test';
import { find } from '../../src/page/find.ts';
import { MAX_RECENT_CHANGES, RecentChanges } from '../../src/page/recent-changes.ts';
import { Page } from '../../src/page/page.ts';
import { FakePicture, fakePod, fakeReference, fakeService, holder, resolved, START_MS } from '../rpc/fake-picture.ts';

const HOST = '127.0.0.1:9464';
const WEB = fakeReference('web');

describe('the page', () => {
  let picture: FakePicture;
  let changes: RecentChanges;
  let page: Page;
  let [nowMs, ready] = [START_MS, true];
  beforeEach(() => {
    picture = new FakePicture();
    changes = new RecentChanges();
    [nowMs, ready] = [START_MS, true];
    page = new Page({
      ...{ addresses: picture.addresses, catalog: picture.catalog, changes },
      state: () => ({ ready, at: nowMs }),
      isReady: () => ready,
      nowMs: () => nowMs,
    });
  });
  const json = (url: string): Record<string, unknown> => JSON.parse(page.answer(url, HOST)?.body ?? '') as never;

  it('is a document, a sheet and a script of its own, and the browser is held to them', () => {
    for (const path of ['/', '/page.css', '/page.js']) {
      const answer = page.answer(path, HOST);
      assert.equal(answer?.status, 200, path);
      assert.match(answer.headers['content-security-policy'] ?? '', /^default-src 'none'; script-src 'self'; /);
      assert.doesNotMatch(answer.headers['content-security-policy'] ?? '', /unsafe|\*/);
      assert.equal(answer.headers['x-content-type-options'], 'nosniff');
      assert.doesNotMatch(
        answer.body,
        /https?:|innerHTML|insertAdjacent|document\.write|eval\(| style=| on[a-z]+=/,
        path,
      );
    }
    assert.equal(page.answer('/other', HOST), undefined);
    assert.equal(page.answer('//evil', HOST), undefined);
  });

  it('is shown under an address or localhost only: a name may be somebody else’s that was pointed here', () => {
    for (const host of ['localhost:9464', '127.0.0.1', '[::1]:9464', '10.0.0.7:9464']) {
      assert.equal(page.answer('/state.json', host)?.status, 200, host);
    }
    for (const host of ['rebound.example:9464', 'localhost.example', '127.0.0.1.example', '', undefined]) {
      for (const path of ['/', '/state.json', '/find.json?q=web']) {
        assert.equal(page.answer(path, host)?.status, 403, `${host} ${path}`);
      }
    }
  });

  it('makes its state twice a second at most, whoever asks', () => {
    assert.equal(json('/state.json')['at'], START_MS);
    nowMs += 400;
    assert.equal(json('/state.json')['at'], START_MS);
    nowMs += 100;
    assert.equal(json('/state.json')['at'], START_MS + 500);
  });

  it('searches ten times a second at most, and not before the picture is complete', () => {
    assert.equal(page.answer('/find.json?q=web', HOST)?.status, 200);
    assert.equal(page.answer('/find.json?q=web', HOST)?.status, 429);
    nowMs += 100;
    assert.equal(page.answer('/find.json?q=web', HOST)?.status, 200);
    ready = false;
    nowMs += 100;
    assert.equal(page.answer('/find.json?q=web', HOST)?.status, 503);
  });

  it('finds an address, in every form that people write it, with its holder and workload', () => {
    picture.setAnswer('10.0.0.1', resolved(holder(fakePod('web-0', WEB), 'POD_IP')));
    picture.setAnswer('fd00::1', resolved(holder(fakeService('web', [WEB]), 'CLUSTER_IP')));
    for (const [question, kind] of [
      ['10.0.0.1', 'Pod'],
      ['10.0.0.1:80', 'Pod'],
      ['[fd00::1]:443', 'Service'],
      ['fd00:0::1', 'Service'],
    ] as const) {
      nowMs += 100;
      const answer = json(`/find.json?q=${encodeURIComponent(question)}`);
      assert.equal(answer['outcome'], 'RESOLVED', question);
      assert.equal((answer['holders'] as { kind: string }[])[0]?.kind, kind);
    }
    assert.deepEqual(picture.questions.at(-2), { address: 'fd00::1', port: 443 });
    nowMs += 100;
    const [pod] = json('/find.json?q=10.0.0.1')['holders'] as { workload: object }[];
    assert.deepEqual(pod?.workload, { kind: 'Deployment', namespace: 'default', name: 'web' });
    nowMs += 100;
    assert.equal(page.answer('/find.json?q=10.0.0.1:70000', HOST)?.status, 400);
  });

  it('finds names by a part of them, not too many, and says that there are others', () => {
    for (let at = 0; at < 30; at++) picture.setEntity(fakePod(`web-${at}`, WEB));
    picture.setEntity(fakePod('db-0', WEB));
    const all = json('/find.json?q=WEB');
    assert.deepEqual([(all['entities'] as object[]).length, all['more']], [20, true]);
    nowMs += 100;
    const one = json('/find.json?q=default/db');
    assert.deepEqual([(one['entities'] as { name: string }[]).map(({ name }) => name), one['more']], [['db-0'], false]);
  });

  it('refuses an empty question and one longer than any name', () => {
    for (const question of ['', 'x'.repeat(254)]) assert.equal(find(question, picture).ok, false);
  });
});

describe('the last changes', () => {
  it('are a hundred, newest first, of batches of any size', () => {
    const changes = new RecentChanges();
    let sequence = 0;
    const batch = (size: number): void =>
      changes.onBatch({
        changes: Array.from({ length: size }, () => {
          sequence += 1;
          return { sequence, before: undefined, after: fakePod(`web-${sequence}`, WEB) };
        }),
        seen: { atMs: START_MS },
        position: { resource: 'pods', resourceVersion: '1' },
      });
    for (const size of [3, 0, 150, 70, 1]) {
      batch(size);
      const shown = changes.list();
      assert.equal(shown.length, Math.min(sequence, MAX_RECENT_CHANGES));
      assert.deepEqual(
        shown.map((each) => each.sequence),
        Array.from({ length: shown.length }, (_, at) => sequence - at),
      );
    }
  });

  it('say whether an object came, changed or went', () => {
    const changes = new RecentChanges();
    const pod = fakePod('web-0', WEB);
    const states = [
      [undefined, pod],
      [pod, pod],
      [pod, undefined],
    ] as const;
    changes.onBatch({
      changes: states.map(([before, after], at) => ({ sequence: at + 1, before, after })),
      seen: { atMs: START_MS },
      position: { resource: 'pods', resourceVersion: '1' },
    });
    assert.deepEqual(
      changes.list().map(({ what }) => what),
      ['removed', 'changed', 'added'],
    );
  });
});

it('the page script asks for nothing that the page does not have', () => {
  const script = readFileSync(new URL('../../src/page/assets/page.js', import.meta.url), 'utf8');
  const asked = [...script.matchAll(/fetch\(['`]([a-z.]+)/g)].map(([, path]) => path);
  assert.deepEqual(asked, ['state.json', 'find.json']);
});
