// Addresses outside of the cluster get the names that files give them, and a changed file is taken while digger runs.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { done, eventually, notYet } from '../observers/eventually.ts';
import { Story } from './story.ts';

const OFFICE = { name: 'office-berlin', kind: 'office', zone: 'ber-1', region: 'eu-central', range: '192.0.2.0/24' };

describe('named ranges', () => {
  it('are the network of EXTERNAL answers, change without a restart, and outlast a bad file', async () => {
    await using story = await Story.begin();
    const folder = mkdtempSync(join(tmpdir(), 'digger-named-'));
    try {
      const file = join(folder, 'ranges.yaml');
      const { range, ...office } = OFFICE;
      const write = (name: string) =>
        writeFileSync(file, JSON.stringify({ ranges: [{ ...office, name, cidrs: [range] }] }));
      write(OFFICE.name);
      const digger = await story.startReadyDigger('--named-ranges', file);
      const outside = await digger.resolve('192.0.2.1');
      assert.equal(outside['outcome'], 'OUTCOME_EXTERNAL');
      assert.deepEqual(outside['network'], OFFICE);
      assert.equal((await digger.resolve('198.51.100.1'))['network'], undefined);
      const pod = await digger.resolve(story.demo.wellKnown.statefulPod.ip);
      assert.equal(pod['outcome'], 'OUTCOME_RESOLVED');
      assert.equal(pod['network'], undefined);

      write('office-munich');
      await eventually('the new name is told', async () => {
        const { network } = await digger.resolve('192.0.2.1');
        return network?.name === 'office-munich' ? done(undefined) : notYet(network);
      });
      writeFileSync(file, '{"ranges": [');
      const told = await eventually('status tells the problem', async () => {
        const [status] = (await digger.call('StatusService', 'GetStatus', {}))['namedRanges'];
        return status.message === '' ? notYet(status) : done(status);
      });
      assert.equal(told['path'], file);
      assert.equal(Number(told['ranges']), 1);
      assert.match(told['message'], /ranges\.yaml: not JSON/);
      assert.equal((await digger.resolve('192.0.2.1'))['network']?.name, 'office-munich');
      const metrics = await digger.metrics();
      assert.match(metrics, /^digger_named_ranges\{file=".*ranges\.yaml"\} 1$/m);
      assert.match(metrics, /^digger_named_ranges_reload_failures_total 1$/m);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
