// Files of named ranges while they are used: changed, half written, gone, replaced.

import assert from 'node:assert/strict';
import { mkdtempSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import { Registry } from '@prometheus-io/client';
import { createNamedRangesMetrics, type NamedRangesMetrics } from '../../src/networks/metrics.ts';
import { NamedRanges } from '../../src/networks/named-ranges.ts';
import { MAX_FILE_BYTES } from '../../src/networks/ranges-file.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { done, eventually, notYet } from '../observers/eventually.ts';

const file = (name: string, ...cidrs: string[]) => `ranges:\n  - name: ${name}\n    cidrs: [${cidrs.join(', ')}]\n`;

describe('named ranges', () => {
  let folder: string;
  let first: string;
  let second: string;
  let registry: Registry;
  let metrics: NamedRangesMetrics;
  before(() => (folder = mkdtempSync(join(tmpdir(), 'digger-ranges-'))));
  after(() => rmSync(folder, { recursive: true }));
  beforeEach(() => {
    registry = new Registry();
    metrics = createNamedRangesMetrics(registry);
    [first, second] = [join(folder, 'first.yaml'), join(folder, 'second.yaml')];
    writeFileSync(first, file('one', '192.0.2.0/24'));
    writeFileSync(second, file('two', '192.0.2.0/24', '198.51.100.0/25'));
  });

  const start = (...paths: string[]) =>
    NamedRanges.start({
      paths,
      logger: createLogger({ level: 'silent', pretty: false }),
      metrics,
      nowMs: Date.now,
      lookIntervalMs: 5,
    });
  const nameOf = (ranges: NamedRanges, address: string) => ranges.find(address)?.network.name;
  const until = (ranges: NamedRanges, address: string, name: string | undefined) =>
    eventually(`${address} is ${name}`, () =>
      nameOf(ranges, address) === name ? done(undefined) : notYet(ranges.statuses()),
    );
  const untilProblem = (ranges: NamedRanges, index: number, problem: RegExp) =>
    eventually(`file ${index} has the problem ${problem}`, () =>
      problem.test(ranges.statuses()[index]?.problem ?? '') ? done(undefined) : notYet(ranges.statuses()),
    );
  const metric = async (name: string) =>
    Number(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'm').exec(await registry.metrics())?.[1]);

  it('of several files: the longest prefix, of equal ones the file that was given first', async () => {
    const ranges = await start(first, second);
    assert.equal(nameOf(ranges, '192.0.2.1'), 'one');
    assert.equal(nameOf(ranges, '198.51.100.1'), 'two');
    assert.equal(nameOf(ranges, '198.51.100.200'), undefined);
    assert.deepEqual(
      ranges.statuses().map(({ path, ranges: count, problem }) => [path, count, problem]),
      [
        [first, 1, ''],
        [second, 2, ''],
      ],
    );
    ranges.close();
  });

  it('are none without files', async () => {
    const ranges = await start();
    assert.equal(ranges.find('192.0.2.1'), undefined);
    ranges.close();
  });

  it('are taken anew when a file changes, in place or by a rename', async () => {
    const ranges = await start(first);
    writeFileSync(first, file('anew', '192.0.2.0/24'));
    await until(ranges, '192.0.2.1', 'anew');
    writeFileSync(`${first}.tmp`, file('renamed', '192.0.2.0/24'));
    renameSync(`${first}.tmp`, first);
    await until(ranges, '192.0.2.1', 'renamed');
    assert.equal(await metric('digger_named_ranges_reloads_total'), 2);
    assert.equal(await metric('digger_named_ranges'), 1);
    ranges.close();
  });

  it('stay as they were while a file is bad or gone, and other files are taken on', async () => {
    const ranges = await start(first, second);
    writeFileSync(first, 'ranges:\n  - name: one\n    cidrs: [192.0.2.0/33]\n');
    await untilProblem(ranges, 0, /first\.yaml:3: got "192\.0\.2\.0\/33"/);
    assert.equal(nameOf(ranges, '192.0.2.1'), 'one');
    await eventually('the metric says so', async () =>
      (await metric('digger_named_ranges_reload_failing')) === 1 ? done(undefined) : notYet('0'),
    );
    assert.equal(await metric('digger_named_ranges_reload_failures_total'), 1);
    writeFileSync(second, file('other', '198.51.100.0/25'));
    await until(ranges, '198.51.100.1', 'other');
    rmSync(first);
    await untilProblem(ranges, 0, /cannot be read: ENOENT/);
    assert.equal(nameOf(ranges, '192.0.2.1'), 'one');
    writeFileSync(first, file('back', '192.0.2.0/24'));
    await until(ranges, '192.0.2.1', 'back');
    await eventually('the metric says so', async () =>
      (await metric('digger_named_ranges_reload_failing')) === 0 ? done(undefined) : notYet('1'),
    );
    assert.deepEqual(
      ranges.statuses().map(({ problem }) => problem),
      ['', ''],
    );
    ranges.close();
  });

  it('are refused at the start with the file and the line', async () => {
    writeFileSync(second, 'ranges:\n  - name: two\n');
    await assert.rejects(start(first, second), /second\.yaml:2: cidrs is required/);
    await assert.rejects(start(join(folder, 'none')), /none: cannot be read: ENOENT/);
    await assert.rejects(start(folder), /cannot be read: EISDIR/);
  });

  it('are not read when the file is too large', async () => {
    truncateSync(first, MAX_FILE_BYTES + 1);
    await assert.rejects(start(first), /first\.yaml: 16777217 bytes; allowed: at most 16777216/);
  });
});
