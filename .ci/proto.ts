// The gates of the wire contract: lint, format, and no breaking change against the baseline that callers already have.
//
// `check` runs all three. `baseline` takes the present contract as the new baseline: after a release, or for a change
// that is meant to break callers and says so in CHANGELOG.md.

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

process.chdir(join(import.meta.dirname, '..'));

/** digger's own contract as a FileDescriptorSet. */
const BASELINE = 'proto/baseline.binpb';

function buf(...args: string[]): boolean {
  const run = spawnSync(join('node_modules', '.bin', 'buf'), args, { stdio: 'inherit' });
  if (run.error !== undefined) throw run.error;
  if (run.status !== 0) console.error(`buf ${args.join(' ')}: exit ${run.status}`);
  return run.status === 0;
}

switch (process.argv[2]) {
  case 'check': {
    const results = [
      buf('lint', 'proto'),
      buf('format', 'proto', '--diff', '--exit-code', '--path', 'proto/digger'),
      buf('breaking', 'proto', '--against', BASELINE),
    ];
    process.exitCode = results.every(Boolean) ? 0 : 1;
    break;
  }
  case 'baseline':
    process.exitCode = buf('build', 'proto', '--path', 'proto/digger', '--exclude-source-info', '-o', BASELINE) ? 0 : 1;
    break;
  default:
    console.error('usage: node .ci/proto.ts check|baseline');
    process.exitCode = 2;
}
