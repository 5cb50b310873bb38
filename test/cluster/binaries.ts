// Finds the programs that the cluster tests need, or builds them from the pinned Go modules in `control-plane/` and
// `kustomize/`.
//
// They are kept in `${CONTROL_PLANE_CACHE ?? (XDG_CACHE_HOME ?? ~/.cache)/digger}/<module>-<hash of go.sum>`, so that
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

type Program = {
  readonly name: string;
  /** Folder of the Go module that pins its version. */
  readonly module: 'control-plane' | 'kustomize';
  readonly goPackage: string;
  /** May come from KUBEBUILDER_ASSETS. */
  readonly inAssets: boolean;
};

const ETCD: Program = {
  name: 'etcd',
  module: 'control-plane',
  goPackage: 'go.etcd.io/etcd/server/v3',
  inAssets: true,
};
const API_SERVER: Program = {
  name: 'kube-apiserver',
  module: 'control-plane',
  goPackage: 'k8s.io/kubernetes/cmd/kube-apiserver',
  inAssets: true,
};
const CONTROLLER_MANAGER: Program = {
  name: 'kube-controller-manager',
  module: 'control-plane',
  goPackage: 'k8s.io/kubernetes/cmd/kube-controller-manager',
  inAssets: false,
};

const KUSTOMIZE: Program = {
  name: 'kustomize',
  module: 'kustomize',
  goPackage: 'sigs.k8s.io/kustomize/kustomize/v5',
  inAssets: false,
};

/** Finds every program of a control plane, building what is missing; throws an `Error` of one line when that is not possible. */
export function findOrBuildBinaries(env: NodeJS.ProcessEnv = process.env): Binaries {
  return {
    etcd: findOrBuild(ETCD, env),
    kubeApiserver: findOrBuild(API_SERVER, env),
    kubeControllerManager: findOrBuild(CONTROLLER_MANAGER, env),
  };
}

/** Finds or builds kustomize; throws as `findOrBuildBinaries` does. */
export function findOrBuildKustomize(env: NodeJS.ProcessEnv = process.env): string {
  return findOrBuild(KUSTOMIZE, env);
}

/** Where builds of a module's pinned versions are kept. */
function cacheDirectory(module: Program['module'], env: NodeJS.ProcessEnv): string {
  const root = env['CONTROL_PLANE_CACHE'] ?? join(env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'digger');
  const sums = readFileSync(join(moduleDirectory(module), 'go.sum'));
  const hash = createHash('sha256').update(sums).digest('hex').slice(0, 16);
  return join(root, `${module}-${hash}`);
}

function moduleDirectory(module: Program['module']): string {
  return fileURLToPath(new URL(`./${module}/`, import.meta.url));
}

function findOrBuild(program: Program, env: NodeJS.ProcessEnv): string {
  const cache = cacheDirectory(program.module, env);
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
    const flag = (name: string, value: string | undefined): string =>
      `-X k8s.io/component-base/version.${name}=${value}`;
    const ldflags = ['-s', '-w', flag('gitVersion', version), flag('gitMajor', major), flag('gitMinor', minor)].join(
      ' ',
    );
    const built = spawnSync('go', ['build', '-trimpath', '-ldflags', ldflags, '-o', output, program.goPackage], {
      cwd: moduleDirectory(program.module),
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    if (built.status !== 0) throw new Error(`go build ${program.goPackage} failed in test/cluster/${program.module}`);
    renameSync(output, join(cache, program.name));
  } finally {
    rmSync(aside, { recursive: true, force: true });
  }
}

/** An API server built without it calls itself v0.0.0-master, which the controllers and clients gate features by. */
function kubernetesVersion(): string {
  const goMod = readFileSync(join(moduleDirectory('control-plane'), 'go.mod'), 'utf8');
  const found = /^\s*k8s\.io\/kubernetes (v\d+\.\d+\.\d+)$/m.exec(goMod);
  if (!found?.[1]) throw new Error('test/cluster/control-plane/go.mod does not pin k8s.io/kubernetes');
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
    for (const path of [...Object.values(findOrBuildBinaries()), findOrBuildKustomize()])
      process.stdout.write(`${path}\n`);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
