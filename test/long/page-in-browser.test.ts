// The page of the admin listener in a real browser, headless Chromium (CHROMIUM, else `chromium` on the PATH): it shows
// the state and the changes of a demo, answers a question, and its policy lets the browser load everything that it
// needs.

import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import type { DiggerProcess } from '../observers/digger-process.ts';
import { done, eventually, notYet } from '../observers/eventually.ts';
import { Story } from '../stories/story.ts';

const CHROMIUM = process.env['CHROMIUM'] ?? 'chromium';

describe('the page in Chromium', () => {
  let story: Story;
  let digger: DiggerProcess;
  let folder: string;
  before(async () => {
    const found = spawnSync(CHROMIUM, ['--version'], { encoding: 'utf8' });
    assert.equal(found.status, 0, `${CHROMIUM} is needed: install the package chromium, or name it in CHROMIUM`);
    story = await Story.begin();
    digger = await story.startReadyDigger('--admin-page');
    folder = mkdtempSync(join(tmpdir(), 'digger-page-'));
  });
  after(async () => {
    await story?.end();
    rmSync(folder, { recursive: true, force: true });
  });

  /** The cluster is simulated in this process, which therefore goes on meanwhile. */
  async function browse(path: string, ...args: readonly string[]): Promise<{ page: string; said: string }> {
    const { stdout, stderr } = await promisify(execFile)(
      CHROMIUM,
      [
        ...['--headless', '--no-sandbox', '--disable-gpu', `--user-data-dir=${folder}`, '--enable-logging=stderr'],
        ...['--virtual-time-budget=5000', '--window-size=1200,1400', ...args, `http://${digger.adminAddress}${path}`],
      ],
      { encoding: 'utf8', timeout: 60_000, maxBuffer: 16 << 20 },
    );
    return { page: stdout, said: stderr };
  }

  it('shows that it is ready, what is watched, and what has changed; nothing is blocked by its policy', async () => {
    story.createPod('seen-in-a-browser', 200);
    await eventually('the pod is known', async () => {
      const { pod } = await digger.resolve('10.244.1.200');
      return pod === undefined || pod === null ? notYet(pod) : done(undefined);
    });
    const { page, said } = await browse('/', '--dump-dom');
    assert.match(page, /<p id="summary" class="good">ready, /);
    assert.match(page, /<td>pods<\/td><td>yes<\/td><td>watching<\/td>/);
    assert.match(page, /<td>Pod [a-z-]+\/seen-in-a-browser<\/td>/);
    assert.doesNotMatch(said, /Content Security Policy|Refused to|Uncaught/);
  });

  it('answers a question of its address line', async () => {
    const { name, ip } = story.demo.wellKnown.statefulPod;
    const { page } = await browse(`/?q=${ip}`, '--dump-dom');
    assert.match(
      page,
      new RegExp(`<h2>${ip.replaceAll('.', '\\.')}: RESOLVED</h2><p>Pod [a-z-]+/${name}, of StatefulSet `),
    );
  });

  it('draws who held an address: a bar for each holder, in its order, also where it is in doubt', async () => {
    const ip = story.createPod('drawn-first', 201);
    const isKnown = (name: string) =>
      eventually(`${name} has it`, async () => {
        const { pod } = await digger.resolve(ip);
        return pod?.['name'] === name ? done(undefined) : notYet(pod);
      });
    await isKnown('drawn-first');
    story.deletePod('drawn-first');
    story.createPod('drawn-second', 201);
    await isKnown('drawn-second');
    const { page, said } = await browse(`/?q=${ip}`, '--dump-dom');
    const drawing = /<svg [^>]*class="timeline"[\s\S]*?<\/svg>/.exec(page)?.[0] ?? assert.fail(page);
    const labels = [...drawing.matchAll(/>Pod shop\/([a-z-]+)<title>/g)].map(([, name]) => name);
    assert.deepEqual(labels, ['drawn-second', 'drawn-first']);
    assert.ok([...drawing.matchAll(/<rect [^>]*class="(held|doubtful)"/g)].length >= 2, drawing);
    assert.match(drawing, />now<\/text>/);
    assert.match(page, /<summary>\d+ stretches of time<\/summary>/);
    assert.doesNotMatch(said, /Content Security Policy|Refused to|Uncaught/);
  });

  it('can be taken a picture of', async () => {
    const picture = join(folder, 'page.png');
    await browse('/', `--screenshot=${picture}`);
    assert.ok(statSync(picture).size > 20_000, 'not an empty page');
  });
});
