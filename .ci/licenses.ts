// What digger depends on, why, and under which licence: writes docs/dependencies.md from the lock file, or with `check`
// fails when that file is not up to date, a direct dependency has no reason, or a licence is not among the accepted.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

process.chdir(join(import.meta.dirname, '..'));

const DOCUMENT = 'docs/dependencies.md';

// Licences that let a service under Apache-2.0 be passed on with them, without conditions beyond notices.
const ACCEPTED = new Set([
  'Apache-2.0',
  'MIT',
  'ISC',
  'BSD-2-Clause',
  'BSD-3-Clause',
  '0BSD',
  'Unlicense',
  'BlueOak-1.0.0',
  'PSF-2.0',
  'Python-2.0',
]);

const REASONS: Readonly<Record<string, string>> = {
  '@grpc/grpc-js': 'gRPC server and client',
  '@grpc/proto-loader': 'types of messages, by its generator; reads the schema of grpc-health-check',
  '@kubernetes/client-node':
    'auth providers of kubeconfigs; the tests’ second opinion on kubeconfigs and on the cluster',
  '@prometheus-io/client': 'metrics in the Prometheus text format',
  'grpc-health-check': 'the standard health service',
  'js-yaml': 'kubeconfigs; the copy that client-node uses',
  pino: 'structured logs',
  'pino-pretty': 'logs on a terminal',
  protobufjs: 'protobuf encoding and decoding; the copy that proto-loader uses',
  undici: 'HTTP/1.1 to the API server, where it offers no HTTP/2',
  '@biomejs/biome': 'formatting',
  '@bufbuild/buf': 'lint, format and breaking changes of the wire contract; the descriptor set',
  '@types/node': 'types of Node',
  esbuild: 'puts the modules of the program together into a few files, which start sooner',
  'fast-check': 'property tests',
  node: 'Node 24 for every npm script, whatever the machine has',
  oxlint: 'lint',
  typescript: 'type check and build',
};

interface LockedPackage {
  readonly version: string;
  readonly license?: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
}

interface PackageJson {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}

const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as PackageJson;
const locked = (JSON.parse(readFileSync('package-lock.json', 'utf8')) as { packages: Record<string, LockedPackage> })
  .packages;

const problems: string[] = [];
const document = `# Dependencies

Generated from package-lock.json by \`npm run licenses\`; \`npm run check\` fails when it is out of date.

## At run time

${table(manifest.dependencies)}

With what these bring along, ${count((entry) => !entry.dev)} packages are installed for production: ${byLicence()}.

## For development

${table(manifest.devDependencies)}
`;

for (const [path, entry] of Object.entries(locked)) {
  // Packages for other platforms are locked by name and version only; they carry their parent's licence.
  if (path === '' || entry.dev) continue;
  if (entry.license === undefined || !ACCEPTED.has(entry.license))
    problems.push(`${path}: licence ${entry.license} is not accepted`);
}

if (process.argv[2] === 'write') writeFileSync(DOCUMENT, document);
else if (readFileSync(DOCUMENT, 'utf8') !== document) problems.push(`${DOCUMENT} is out of date: npm run licenses`);
for (const problem of problems) console.error(problem);
process.exitCode = problems.length === 0 ? 0 : 1;

function table(dependencies: Readonly<Record<string, string>>): string {
  const rows = Object.keys(dependencies).map((name) => {
    const entry = locked[`node_modules/${name}`];
    const reason = REASONS[name];
    if (reason === undefined) problems.push(`${name}: no reason in .ci/licenses.ts`);
    return `| ${name} | ${entry?.version} | ${entry?.license} | ${reason} |`;
  });
  return ['| package | version | licence | for |', '|---|---|---|---|', ...rows].join('\n');
}

function count(matches: (entry: LockedPackage) => boolean): number {
  return Object.entries(locked).filter(([path, entry]) => path !== '' && matches(entry)).length;
}

function byLicence(): string {
  const licences = new Set(
    Object.entries(locked).flatMap(([path, entry]) => (path === '' || entry.dev ? [] : [`${entry.license}`])),
  );
  return [...licences]
    .map((licence) => ({ licence, packages: count((entry) => !entry.dev && entry.license === licence) }))
    .sort((a, b) => b.packages - a.packages || a.licence.localeCompare(b.licence))
    .map(({ licence, packages }) => `${packages} ${licence}`)
    .join(', ');
}
