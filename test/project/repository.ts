// The repository as the gates see it: which files git knows or would add, and what a source file imports.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

export const ROOT: string = join(import.meta.dirname, '..', '..');

/** Tracked files and new ones that are not ignored, relative to ROOT; without those that are deleted. */
export function repositoryFiles(): readonly string[] {
  const list = (...args: string[]) =>
    execFileSync('git', ['ls-files', '-z', ...args], { cwd: ROOT, encoding: 'utf8' })
      .split('\0')
      .filter(Boolean);
  const deleted = new Set(list('--deleted'));
  const files = new Set(list('--cached', '--others', '--exclude-standard').filter((file) => !deleted.has(file)));
  return [...files].sort();
}

export function readText(file: string): string {
  return readFileSync(join(ROOT, file), 'utf8');
}

export function isGenerated(file: string): boolean {
  return file.includes('/generated/');
}

/** Relative imports of a file, as paths relative to ROOT: static, type-only, re-exported and dynamic ones alike. */
export function localImports(file: string): readonly string[] {
  return importSpecifiers(readText(file))
    .filter((specifier) => specifier.startsWith('.'))
    .map((specifier) => relative(ROOT, join(ROOT, dirname(file), specifier)));
}

/** What stands in quotes behind `from`, `import` or `import(`, outside comments. */
export function importSpecifiers(source: string): readonly string[] {
  // Comments go first. A `//` inside a string would end the line too early, but never hides an import that begins a
  // line.
  const code = source.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/(^|[^:'"`])\/\/.*$/gm, '$1');
  const pattern = /(?:\bfrom\s*|\bimport\s*\(\s*|\bimport\s+)(['"])([^'"\n]+)\1/g;
  return [...code.matchAll(pattern)].flatMap((match) => (match[2] === undefined ? [] : [match[2]]));
}
