// A kubeconfig that is rewritten under a running digger so that its context leads to another cluster: the picture stays
// that of the first one, and operators are told.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, it } from 'node:test';
import { done, eventually, notYet } from '../observers/eventually.ts';
import { kubeconfigFor, Story } from './story.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
/** What no story's cluster has. */
const ELSEWHERE = 'http://127.0.0.1:9';
const FOLLOWS_NOT = /leads to another cluster: digger stays with http:\/\/127\.0\.0\.1:\d+ /;

describe('a kubeconfig that is rewritten and leads to another cluster', () => {
  it('is not followed; GetStatus and `digger status` say so, until it leads back', async () => {
    await using story = await Story.begin();
    const digger = await story.startReadyDigger();
    const before = readFileSync(story.kubeconfig, 'utf8');
    const untilTold = (what: string, pattern: RegExp) =>
      eventually(what, async () => {
        // Files are looked at when there is something to ask for.
        story.simulator.cutConnections();
        const { credentialsMessage = '' } = await digger.call('StatusService', 'GetStatus');
        return pattern.test(credentialsMessage) ? done(undefined) : notYet(credentialsMessage);
      });

    writeFileSync(story.kubeconfig, JSON.stringify(kubeconfigFor(ELSEWHERE)));
    await untilTold('GetStatus says that it is not followed', FOLLOWS_NOT);
    const shown = spawnSync(process.execPath, [MAIN, 'status', '-o', 'table', '--address', digger.address], {
      encoding: 'utf8',
    });
    assert.equal(shown.status, 0, shown.stderr);
    assert.match(shown.stdout, /^credentials: the kubeconfig was rewritten and its context story leads to another/m);

    writeFileSync(story.kubeconfig, before);
    await untilTold('GetStatus says nothing any more', /^$/);
    await story.assertWholeState(digger);
  });
});
