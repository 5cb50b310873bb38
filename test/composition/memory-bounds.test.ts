// With every bound at its limit at once the process stays below the memory of its pod: by the numbers. That it does so
// when it is tried is in test/long/attacks.test.ts.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { memoryBounds, sumOf, warnOfMemory } from '../../src/composition/memory-bounds.ts';
import { parseConfig } from '../../src/options/config.ts';
import type { Config } from '../../src/options/options.ts';

const MIB = 1024 * 1024;
/** deploy/base/deployment.yaml. */
const POD_BYTES = 512 * MIB;
/** 10,000 pods, which that pod is for: 139 MiB resident, 93 of them without any. */
const PICTURE_BYTES = 46 * MIB;

const config = (values: Partial<Config> = {}): Config => ({ ...DEFAULTS, ...values });
const DEFAULTS = readDefaults();

function readDefaults(): Config {
  const result = parseConfig({}, {});
  assert.ok(result.ok);
  return result.config;
}

describe('all bounds at once', () => {
  it('fit into the memory of the pod with the default options, beside 10,000 pods', (t) => {
    const bounds = memoryBounds(config({ auth: 'token-review' }));
    t.diagnostic(JSON.stringify(bounds));
    const sum = sumOf(bounds) + PICTURE_BYTES;
    t.diagnostic(`${Math.round(sum / MIB)} MiB`);
    assert.ok(sum <= POD_BYTES, `${sum} bytes`);
  });

  it('count what each thread that carries connections may take', () => {
    const one = sumOf(memoryBounds(config()));
    const four = sumOf(memoryBounds(config({ servingThreads: 4 })));
    assert.equal(four - one, 3 * 65 * MIB);
  });

  it('that do not fit are told at the start, with those that take most', () => {
    const told: object[] = [];
    const logger = { warn: (facts: object) => told.push(facts) } as unknown as Parameters<typeof warnOfMemory>[2];
    warnOfMemory(config(), POD_BYTES, logger);
    warnOfMemory(config(), 0, logger);
    warnOfMemory(config(), undefined, logger);
    assert.deepEqual(told, []);
    warnOfMemory(config({ maxConnections: 20_000 }), POD_BYTES, logger);
    const [facts] = told as { largest: { what: string }[] }[];
    assert.equal(facts?.largest[0]?.what, '--max-connections');
  });
});
