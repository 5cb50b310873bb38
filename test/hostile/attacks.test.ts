// The short form of test/long/attacks.test.ts: a tenth of each attack, against a process as small as the pod's.
import { after, before, describe, it } from 'node:test';
import type { DiggerProcess } from '../observers/digger-process.ts';
import { Story } from '../stories/story.ts';
import { ATTACKS, POD_NODE_OPTIONS, together, withstand } from './attacks.ts';

describe('a replica withstands', () => {
  let story: Story;
  let digger: DiggerProcess;
  before(async () => {
    process.env['NODE_OPTIONS'] = POD_NODE_OPTIONS;
    story = await Story.begin();
    digger = await story.startReadyDigger();
  });
  after(() => story?.end());

  for (const attack of [...ATTACKS, together(ATTACKS)]) {
    it(`a tenth of ${attack.name}`, async (t) => {
      t.diagnostic(JSON.stringify(await withstand(story, digger, attack, 0.1)));
    });
  }
});
