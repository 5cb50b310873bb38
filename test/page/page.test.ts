// The page of the admin listener, without a browser: who gets it, what it tells, and what it is protected by.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { beforeEach, describe, it } from 'node:test';
import { hiddenNamespace } from '../../src/model/namespaces/published-namespaces.ts';
import { addressHistory } from '../../src/page/address-history.ts';
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
    for (const path of ['/', '/page.css', '/page.js', '/timeline.js']) {
      const answer = page.answer(path, HOST);
      assert.equal(answer?.status, 200, path);
      assert.match(answer.headers['content-security-policy'] ?? '', /^default-src 'none'; script-src 'self'; /);
      assert.doesNotMatch(answer.headers['content-security-policy'] ?? '', /unsafe|\*/);
      assert.equal(answer.headers['x-content-type-options'], 'nosniff');
      assert.doesNotMatch(
        answer.body,
        /https?:(?!\/\/www\.w3\.org\/2000\/svg')|innerHTML|insertAdjacent|document\.write|eval\(| style=| on[a-z]+=/,
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

  it('makes its state twice a second at most, however many ask', () => {
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

  it('tells the history of an address for its drawing, the newest stretches, with a bound that it says', () => {
    picture.setAnswer('10.0.0.1', resolved(holder(fakePod('web-0', WEB), 'POD_IP')));
    nowMs += 60_000;
    const { history } = json('/find.json?q=10.0.0.1') as { history: Record<string, unknown> };
    assert.deepEqual([history['fromMs'], history['toMs'], history['more']], [START_MS, START_MS + 60_000, false]);
    const pod = { role: 'POD_IP', kind: 'Pod', namespace: 'default', name: 'web-0', uid: 'uid-web-0' };
    const workload = { kind: 'Deployment', namespace: 'default', name: 'web' };
    assert.deepEqual(history['stretches'], [
      {
        ...{ fromMs: START_MS, outcome: 'RESOLVED', moreHolders: 0 },
        holders: [{ ...pod, fromMs: START_MS, uncertain: false, workload }],
      },
    ]);
    const held = holder(fakePod('web-0', WEB), 'POD_IP');
    const stretches = Array.from({ length: 1_000 }, (_, at) => ({
      ...{ fromMs: START_MS - at * 1_000, toMs: START_MS - at * 1_000 + 1_000, outcome: 'AMBIGUOUS' as const },
      holders: Array.from({ length: 100 }, () => held),
    }));
    const long = addressHistory(
      { address: '10.0.0.1' },
      { history: (_, limit) => ({ stretches: stretches.slice(0, limit), historySinceMs: 0 }) },
      START_MS + 1_000,
    ) as { fromMs: number; more: boolean; stretches: { holders: object[]; moreHolders: number }[] };
    assert.deepEqual([long.stretches.length, long.more, long.fromMs], [200, true, START_MS - 199_000]);
    assert.deepEqual([long.stretches[0]?.holders.length, long.stretches[0]?.moreHolders], [10, 90]);
  });

  it('says of a holder that is not published its role and that it is hidden, and does not find its name', () => {
    const namespace = hiddenNamespace('secret');
    const entity = { ...fakePod('gYs1', WEB), namespace };
    picture.setAnswer('10.0.0.1', resolved(holder(entity, 'POD_IP')));
    picture.setEntity(entity);
    const body = page.answer('/find.json?q=10.0.0.1', HOST)?.body ?? '';
    const { outcome, history } = JSON.parse(body) as { outcome: string; history: { stretches: object[] } };
    assert.deepEqual([outcome, (history.stretches[0] as { outcome: string }).outcome], ['HIDDEN', 'HIDDEN']);
    assert.doesNotMatch(body, /gYs1|\\u0001/);
    nowMs += 100;
    assert.deepEqual(json('/find.json?q=gys')['entities'], []);
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
    for (const question of ['', 'x'.repeat(254)]) assert.equal(find(question, picture, START_MS).ok, false);
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

describe('the drawing of a timeline', async () => {
  type Bar = { left: number; width: number; isDoubtful: boolean; title: string };
  type Layout = { lanes: { label: string; bars: Bar[] }[]; unknown: Bar[]; ticks: { x: number; label: string }[] };
  const { layOut } = (await import(new URL('../../src/page/assets/timeline.js', import.meta.url).href)) as {
    layOut: (history: object) => Layout;
  };
  const [fromMs, toMs] = [START_MS, START_MS + 700_000];
  const stretch = (from: number, to: number | undefined, outcome: string, ...names: readonly string[]) => ({
    ...{ fromMs: START_MS + from, ...(to === undefined ? {} : { toMs: START_MS + to }), outcome },
    holders: names.map((name) => ({
      ...{ kind: 'Pod', namespace: 'shop', name, uid: `uid-${name}`, role: 'POD_IP', uncertain: name === 'maybe' },
    })),
  });

  it('has a line for each object, the newest on top, and a bar for each time that it held the address', () => {
    const { lanes, unknown, ticks } = layOut({
      ...{ fromMs, toMs },
      stretches: [
        stretch(600_000, undefined, 'RESOLVED', 'b'),
        stretch(500_000, 600_000, 'AMBIGUOUS', 'b', 'a'),
        stretch(300_000, 400_000, 'RESOLVED', 'maybe'),
        stretch(100_000, 200_000, 'UNKNOWN'),
        stretch(0, 100_000, 'RESOLVED', 'a'),
      ],
    });
    assert.deepEqual(
      lanes.map(({ label, bars }) => [label, bars.map(({ left, width, isDoubtful }) => [left, width, isDoubtful])]),
      [
        [
          'Pod shop/b',
          [
            [900, 100, false],
            [800, 100, true],
          ],
        ],
        [
          'Pod shop/a',
          [
            [800, 100, true],
            [300, 100, false],
          ],
        ],
        ['Pod shop/maybe', [[600, 100, true]]],
      ],
    );
    assert.deepEqual(
      unknown.map(({ left, width }) => [left, width]),
      [[400, 100]],
    );
    assert.deepEqual([ticks.at(0)?.label, ticks.at(-1)?.label, ticks.at(-1)?.x], ['00:00:00', 'now', 1_000]);
    assert.match(lanes[1]?.bars[0]?.title ?? '', /^Pod shop\/a, POD_IP, 00:08:20 to 00:10:00, one of several$/);
  });

  it('shows the shortest stretch, stays within its frame, and has a last line for all that have none of their own', () => {
    const stretches = Array.from({ length: 40 }, (_, at) => stretch(699_999 - at, 700_000 - at, 'RESOLVED', `p${at}`));
    const { lanes } = layOut({ fromMs, toMs, stretches });
    assert.equal(lanes.length, 12);
    assert.deepEqual([lanes.at(-1)?.label, lanes.at(-1)?.bars.length], ['others', 29]);
    for (const { left, width } of lanes.flatMap(({ bars }) => bars)) {
      assert.ok(width >= 2 && left >= 300 && left + width <= 1_000, `${left} ${width}`);
    }
  });
});

it('the page script asks for nothing that the page does not have', () => {
  const script = readFileSync(new URL('../../src/page/assets/page.js', import.meta.url), 'utf8');
  const asked = [...script.matchAll(/fetch\(['`]([a-z.]+)/g)].map(([, path]) => path);
  assert.deepEqual(asked, ['state.json', 'find.json']);
});
