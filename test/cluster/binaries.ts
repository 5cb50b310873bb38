// Finds the programs that the cluster tests need, or builds them from the pinned Go modules in `control-plane/`,
// `control-plane-1.NN/` (older minor versions of Kubernetes), `kustomize/` and `helm/`.
//
// They are kept in `${CONTROL_PLANE_CACHE ?? (XDG_CACHE_HOME ?? ~/.cache)/digger}/<module>-<hash of go.sum>`, so that
// another set of versions never meets an old build. KUBERNETES=1.33 chooses an older version. etcd and kube-apiserver
// of the newest may come ready from `KUBEBUILDER_ASSETS`. A program appears in the folder only when its build is
// complete. Where nothing can be found or built, the error says in one line what is missing: a suite that cannot run
// must not look like one that passed.
//
// `node test/cluster/binaries.ts` builds what is missing (about six minutes the first time) and prints the paths.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
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
  readonly module: string;
  readonly goPackage: string;
  /** May come from KUBEBUILDER_ASSETS. */
  readonly inAssets: boolean;
};

const NEWEST = 'control-plane';

const CONTROL_PLANE_PACKAGES = {
  etcd: 'go.etcd.io/etcd/server/v3',
  'kube-apiserver': 'k8s.io/kubernetes/cmd/kube-apiserver',
  'kube-controller-manager': 'k8s.io/kubernetes/cmd/kube-controller-manager',
} as const;

const KUSTOMIZE: Program = {
  name: 'kustomize',
  module: 'kustomize',
  goPackage: 'sigs.k8s.io/kustomize/kustomize/v5',
  inAssets: false,
};

const HELM: Program = {
  name: 'helm',
  module: 'helm',
  goPackage: 'helm.sh/helm/v4/cmd/helm',
  inAssets: false,
};

/**
 * Finds every program of a control plane, building what is missing; rejects with an `Error` of one line when that is
 * not possible.
 */
export async function findOrBuildBinaries(env: NodeJS.ProcessEnv = process.env): Promise<Binaries> {
  const module = controlPlaneModule(env);
  const find = (name: keyof typeof CONTROL_PLANE_PACKAGES) => {
    const inAssets = module === NEWEST && name !== 'kube-controller-manager';
    return findOrBuild({ name, module, goPackage: CONTROL_PLANE_PACKAGES[name], inAssets }, env);
  };
  return {
    etcd: await find('etcd'),
    kubeApiserver: await find('kube-apiserver'),
    kubeControllerManager: await find('kube-controller-manager'),
  };
}

/** Finds or builds kustomize; rejects as `findOrBuildBinaries` does. */
export async function findOrBuildKustomize(env: NodeJS.ProcessEnv = process.env): Promise<string> {
  return findOrBuild(KUSTOMIZE, env);
}

/** Finds or builds helm; rejects as `findOrBuildBinaries` does. */
export async function findOrBuildHelm(env: NodeJS.ProcessEnv = process.env): Promise<string> {
  return findOrBuild(HELM, env);
}

/** Minor versions of Kubernetes that are pinned here, oldest first: `1.33`. */
export function pinnedMinors(): readonly string[] {
  const modules = readdirSync(fileURLToPath(new URL('.', import.meta.url))).filter((name) => name.startsWith(NEWEST));
  return modules
    .filter((name) => existsSync(join(moduleDirectory(name), 'go.mod')))
    .map((module) => minorOf(kubernetesVersion(module)))
    .toSorted((a, b) => Number(a.split('.')[1]) - Number(b.split('.')[1]));
}

/** `v1.37.2`: the version that is run with this environment. */
export function chosenVersion(env: NodeJS.ProcessEnv = process.env): string {
  return kubernetesVersion(controlPlaneModule(env));
}

/** The folder of the version that KUBERNETES names; without it, of the newest. */
function controlPlaneModule(env: NodeJS.ProcessEnv): string {
  const minor = env['KUBERNETES'];
  if (!minor || minor === minorOf(kubernetesVersion(NEWEST))) return NEWEST;
  if (!pinnedMinors().includes(minor)) {
    throw new Error(`KUBERNETES=${minor} is not pinned in test/cluster; there are ${pinnedMinors().join(', ')}`);
  }
  return `${NEWEST}-${minor}`;
}

/** Where builds of a module's pinned versions are kept. */
function cacheDirectory(module: string, env: NodeJS.ProcessEnv): string {
  const root = env['CONTROL_PLANE_CACHE'] ?? join(env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'digger');
  const sums = readFileSync(join(moduleDirectory(module), 'go.sum'));
  const hash = createHash('sha256').update(sums).digest('hex').slice(0, 16);
  return join(root, `${module}-${hash}`);
}

function moduleDirectory(module: string): string {
  return fileURLToPath(new URL(`./${module}/`, import.meta.url));
}

async function findOrBuild(program: Program, env: NodeJS.ProcessEnv): Promise<string> {
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
  await build(program, cache);
  return cached;
}

/** Builds aside and renames, so that a build that was cut is never taken for a program. */
async function build(program: Program, cache: string): Promise<void> {
  mkdirSync(cache, { recursive: true });
  const aside = mkdtempSync(join(cache, '.build-'));
  try {
    const output = join(aside, program.name);
    const version = program.module.startsWith(NEWEST) ? kubernetesVersion(program.module) : undefined;
    const [major, minor] = (version ?? '').slice(1).split('.');
    const flag = (name: string, value: string | undefined): string =>
      `-X k8s.io/component-base/version.${name}=${value}`;
    // An API server built without it calls itself v0.0.0-master, which the controllers and clients gate features by.
    const stamp = [flag('gitVersion', version), flag('gitMajor', major), flag('gitMinor', minor)];
    const ldflags = ['-s', '-w', ...(version === undefined ? [] : stamp)].join(' ');
    await goBuild(program, ['-trimpath', '-ldflags', ldflags, '-o', output], version);
    renameSync(output, join(cache, program.name));
  } finally {
    rmSync(aside, { recursive: true, force: true });
  }
}

const PROGRESS_MS = 15_000;
/** Of what Go says, for the error. */
const LAST_LINES = 20;

/** Says on stderr how far it is: a build takes minutes, and a person may be waiting. */
async function goBuild({ name, module, goPackage }: Program, args: readonly string[], version = ''): Promise<void> {
  const what = [name, version].join(' ').trim();
  const startMs = performance.now();
  const say = (words: string): void => void process.stderr.write(`${what}: ${words}\n`);
  const seconds = (): string => `${Math.round((performance.now() - startMs) / 1_000)} s`;
  say(`building ${goPackage}, once per version; some minutes`);
  const child = spawn('go', ['build', '-v', ...args, goPackage], {
    cwd: moduleDirectory(module),
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const counts = { downloads: 0, packages: 0 };
  const last: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => {
    if (line.startsWith('go: downloading ')) counts.downloads++;
    else counts.packages++;
    last.push(line);
    if (last.length > LAST_LINES) last.shift();
  });
  const progress = setInterval(
    () => say(`${counts.downloads} modules fetched, ${counts.packages} packages compiled, ${seconds()}`),
    PROGRESS_MS,
  );
  try {
    const code = await new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve));
    if (code !== 0) {
      throw new Error(`go build ${goPackage} failed in test/cluster/${module}:\n${last.join('\n')}`);
    }
    say(`built in ${seconds()}`);
  } finally {
    clearInterval(progress);
  }
}

/** What a module of a control plane pins: `v1.37.2`. */
function kubernetesVersion(module: string): string {
  const goMod = readFileSync(join(moduleDirectory(module), 'go.mod'), 'utf8');
  const found = /^\s*k8s\.io\/kubernetes (v\d+\.\d+\.\d+)$/m.exec(goMod);
  if (!found?.[1]) throw new Error(`test/cluster/${module}/go.mod does not pin k8s.io/kubernetes`);
  return found[1];
}

/** `1.37` of `v1.37.2`. */
function minorOf(version: string): string {
  return version.slice(1).split('.').slice(0, 2).join('.');
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
    const tools = [await findOrBuildKustomize(), await findOrBuildHelm()];
    for (const path of [...Object.values(await findOrBuildBinaries()), ...tools]) process.stdout.write(`${path}\n`);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
