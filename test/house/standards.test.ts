/** docs/standards.md and the code name the same RFCs. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { SourceFile } from './source.ts';
import { findLines, makeSource, readSources, root } from './source.ts';

interface Row {
  readonly rfc: string;
  readonly level: string;
  readonly files: readonly string[];
}

/** `| RFC 5321 | SMTP | Partial | [a](../src/a.ts), [b](../src/b.ts) | note |` */
function readRows(markdown: string): Row[] {
  return markdown
    .split('\n')
    .filter((line) => /^\| RFC \d+/.test(line))
    .map((line) => {
      const [, rfc = '', , level = '', links = ''] = line.split('|').map((cell) => cell.trim());
      const files = [...links.matchAll(/\]\(\.\.\/([^)]+)\)/g)].map((match) => match[1]!);
      return { rfc, level, files };
    });
}

/** All RFCs that a source names. */
function citedIn(source: SourceFile): string[] {
  return [...source.text.matchAll(/\bRFC (\d{3,5})\b/g)].map((match) => `RFC ${match[1]!}`);
}

function judgeRows(rows: readonly Row[], read: (path: string) => string | null): string[] {
  return rows.flatMap(({ rfc, level, files }) => {
    const problems: string[] = [];
    if (!['Yes', 'Partial', 'No'].includes(level)) problems.push(`${rfc}: level ${level}`);
    if (level === 'No' && files.length > 0) problems.push(`${rfc}: No, and yet has files`);
    if (level !== 'No' && files.length === 0) problems.push(`${rfc}: names no file`);
    for (const path of files) {
      const text = read(path);
      if (text === null) problems.push(`${rfc}: ${path} does not exist`);
      else if (!citedIn(makeSource(path, text)).includes(rfc)) {
        problems.push(`${rfc}: ${path} does not cite it`);
      }
    }
    return problems;
  });
}

const rows = readRows(readFileSync(join(root, 'docs/standards.md'), 'utf8'));
const readFile = (path: string): string | null => {
  const file = join(root, path);
  return existsSync(file) ? readFileSync(file, 'utf8') : null;
};

test('every file that docs/standards.md lists exists and cites the RFC', () => {
  assert.ok(rows.length > 20);
  assert.deepEqual(judgeRows(rows, readFile), []);
});

test('docs/standards.md lists every RFC that the code cites', () => {
  const listed = new Set(rows.map(({ rfc }) => rfc));
  const missing = readSources('src').flatMap((source) =>
    citedIn(source)
      .filter((rfc) => !listed.has(rfc))
      .map((rfc) => `${source.path}: ${rfc}`),
  );
  assert.deepEqual([...new Set(missing)], []);
});

test('docs/standards.md lists each RFC once, in order', () => {
  const numbers = rows.map(({ rfc }) => Number(rfc.slice(4)));
  assert.deepEqual(
    numbers,
    [...new Set(numbers)].sort((a, b) => a - b),
  );
});

const oddCitation = /\bRFC[ -]?\d{3,5},? (?:section|sec\.|chapter|§ )|\bRFC-\d/i;

test('sources cite sections as `RFC nnnn §x.y`', () => {
  const odd = readSources('src').flatMap((source) => findLines(source, source.text, oddCitation));
  assert.deepEqual(odd, []);
  assert.match('@see RFC 5321, section 4.5', oddCitation);
});

for (const [name, row] of [
  ['a file that is gone', '| RFC 5321 | SMTP | Yes | [x](../src/gone.ts) | |'],
  ['a file that does not cite it', '| RFC 9999 | x | Yes | [x](../src/a.ts) | |'],
  ['another level', '| RFC 5321 | SMTP | Mostly | [x](../src/a.ts) | |'],
  ['Yes without a file', '| RFC 5321 | SMTP | Yes | | |'],
] as const) {
  test(`the rule sees ${name}`, () => {
    const read = (path: string): string | null => (path === 'src/a.ts' ? '// RFC 5321' : null);
    assert.equal(judgeRows(readRows(row), read).length, 1);
  });
}
