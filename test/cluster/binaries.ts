// Finds the programs of a real control plane, or builds them from the pinned Go module in `control-plane/`.
//
// They are kept in `${DIGGER_TEST_CACHE ?? (XDG_CACHE_HOME ?? ~/.cache)/digger}/control-plane-<hash of go.sum>`, so that
// another set of versions never meets an old build. etcd and kube-apiserver may come ready from `KUBEBUILDER_ASSETS`.
// A program appears in the folder only when its build is complete. Where nothing can be found or built, the error says
// in one line what is missing: a suite that cannot run must not look like one that passed.
//
// `node test/cluster/binaries.ts` builds what is missing (about six minutes the first time) and prints the paths.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { accessSync, constants, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Absolute paths of the programs. */
export type Binaries = {
  readonly etcd: string;
  readonly kubeApiserver: string;
  readonly kubeControllerManager: string;
};

type Program = { readonly name: string; readonly goPackage: string; readonly inAssets: boolean };

const ETCD: Program = { name: 'etcd', goPackage: 'go.etcd.io/etcd/server/v3', inAssets: true };
const API_SERVER: Program = {
  name: 'kube-apiserver',
  goPackage: 'k8s.io/kubernetes/cmd/kube-apiserver',
  inAssets: true,
};
const CONTROLLER_MANAGER: Program = {
  name: 'kube-controller-manager',
  goPackage: 'k8s.io/kubernetes/cmd/kube-controller-manager',
  inAssets: false,
};

/** The folder of the Go module that pins the versions. */
const MODULE_DIRECTORY = fileURLToPath(new URL('./control-plane/', import.meta.url));

/** Finds every program, building what is missing; throws an `Error` of one line when that is not possible. */
export function findOrBuildBinaries(env: NodeJS.ProcessEnv = process.env): Binaries {
  const cache = cacheDirectory(env);
  return {
    etcd: findOrBuild(ETCD, cache, env),
    kubeApiserver: findOrBuild(API_SERVER, cache, env),
    kubeControllerManager: findOrBuild(CONTROLLER_MANAGER, cache, env),
  };
}

/** Where builds of the pinned versions are kept. */
export function cacheDirectory(env: NodeJS.ProcessEnv): string {
  const root = env['DIGGER_TEST_CACHE'] ?? join(env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'digger');
  const sums = readFileSync(join(MODULE_DIRECTORY, 'go.sum'));
  const hash = createHash('sha256').update(sums).digest('hex').slice(0, 16);
  return join(root, `control-plane-${hash}`);
}

function findOrBuild(program: Program, cache: string, env: NodeJS.ProcessEnv): string {
  const assets = env['KUBEBUILDER_ASSETS'];
  if (program.inAssets && assets) {
    const given = join(assets, program.name);
    if (isExecutable(given)) return given;
    // Named on purpose and not there: building another version in silence would test something else than was asked for.
    throw new Error(`KUBEBUILDER_ASSETS=${assets} has no executable ${program.name}`);
  }
  const cached = join(cache, program.name);
  if (isExecutable(cached)) return cached;
  if (spawnSync('go', ['version']).status !== 0) {
    throw new Error(
      `the cluster tests need ${program.name}: install Go to build it, or set KUBEBUILDER_ASSETS ` +
        `(etcd, kube-apiserver), or put it into ${cache}`,
    );
  }
  build(program, cache);
  return cached;
}

/** Builds aside and renames, so that a build that was cut is never taken for a program. */
function build(program: Program, cache: string): void {
  mkdirSync(cache, { recursive: true });
  const aside = mkdtempSync(join(cache, '.build-'));
  try {
    const output = join(aside, program.name);
    process.stderr.write(`building ${program.name} from ${program.goPackage}, once per version\n`);
    const version = kubernetesVersion();
    const [major, minor] = version.slice(1).split('.');
    const flag = (name: string, value: string | undefined): string => `-X k8s.io/component-base/version.${name}=${value}`;
    const ldflags = ['-s', '-w', flag('gitVersion', version), flag('gitMajor', major), flag('gitMinor', minor)].join(' ');
    const built = spawnSync('go', ['build', '-trimpath', '-ldflags', ldflags, '-o', output, program.goPackage], {
      cwd: MODULE_DIRECTORY,
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    if (built.status !== 0) throw new Error(`go build ${program.goPackage} failed in ${MODULE_DIRECTORY}`);
    renameSync(output, join(cache, program.name));
  } finally {
    rmSync(aside, { recursive: true, force: true });
  }
}

/** An API server built without it calls itself v0.0.0-master, which the controllers and clients gate features by. */
function kubernetesVersion(): string {
  const found = /^\s*k8s\.io\/kubernetes (v\d+\.\d+\.\d+)$/m.exec(readFileSync(join(MODULE_DIRECTORY, 'go.mod'), 'utf8'));
  if (!found?.[1]) throw new Error(`${MODULE_DIRECTORY}go.mod does not pin k8s.io/kubernetes`);
  return found[1];
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    // Not there, or not executable: for the caller the same.
    return false;
  }
}

if (import.meta.main) {
  try {
    for (const path of Object.values(findOrBuildBinaries())) process.stdout.write(`${path}\n`);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
