// Links between the documents of this repository lead somewhere: to a file, and to a heading of it.

import assert from 'node:assert/strict';
import { existsSync, statSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { test } from 'node:test';
import { ROOT, readText, repositoryFiles } from './repository.ts';

test('every link from one document to another leads to a file that exists, and to a heading that it has', () => {
  const documents = repositoryFiles().filter((file) => file.endsWith('.md') && !file.startsWith('test/fixtures/'));
  assert.ok(documents.length > 20, documents.join(', '));
  const broken: string[] = [];
  let links = 0;
  for (const document of documents) {
    for (const [, target = ''] of withoutCode(readText(document)).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target)) continue;
      links++;
      const [path = '', heading] = target.split('#');
      const file = path === '' ? document : normalize(join(dirname(document), path));
      if (!existsSync(join(ROOT, file))) broken.push(`${document}: ${target}: no such file`);
      else if (heading !== undefined && !headings(file).has(heading))
        broken.push(`${document}: ${target}: no such heading`);
    }
  }
  assert.ok(links > 60, `only ${links} links found`);
  assert.deepEqual(broken, []);
});

function withoutCode(markdown: string): string {
  return markdown.replaceAll(/^```[\s\S]*?^```$/gm, '').replaceAll(/`[^`\n]*`/g, '`');
}

/** As anchors: lower case, punctuation left out, spaces as dashes. */
function headings(file: string): ReadonlySet<string> {
  if (statSync(join(ROOT, file)).isDirectory()) return new Set();
  const found = [...readText(file).matchAll(/^#{1,6} (.+)$/gm)].map(([, text = '']) => text);
  return new Set(
    found.map((text) =>
      text
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}
