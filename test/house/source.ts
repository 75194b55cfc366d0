/**
 * The project's own sources as the house rules read them: files, their code without comments and
 * texts, and their imports.
 *
 * A small scanner on purpose: the rules need no types, and Prettier keeps the forms few.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { join, posix, sep } from 'node:path';

/** The checkout's root. */
export const root = join(import.meta.dirname, '..', '..');

export interface SourceFile {
  /** From the root, with `/`. */
  readonly path: string;
  readonly text: string;
  readonly isTest: boolean;
}

const skippedFolders = new Set(['node_modules', '.git', 'data', 'coverage', '.work', 'dist']);

/** Every file below a folder of the checkout, as paths from the root, sorted. */
export function listFiles(folder: string): string[] {
  const found: string[] = [];
  const visit = (path: string): void => {
    for (const entry of readdirSync(join(root, path), { withFileTypes: true })) {
      const child = path === '' ? entry.name : `${path}/${entry.name}`;
      if (entry.isDirectory()) {
        if (!skippedFolders.has(entry.name)) visit(child);
      } else if (entry.isFile()) {
        found.push(child);
      }
    }
  };
  visit(folder);
  return found.map((path) => path.split(sep).join('/')).sort();
}

/** Every TypeScript file below the folders. */
export function readSources(...folders: string[]): SourceFile[] {
  return folders
    .flatMap(listFiles)
    .filter((path) => /\.tsx?$/.test(path))
    .map((path) => makeSource(path, readFileSync(join(root, path), 'utf8')));
}

export function makeSource(path: string, text: string): SourceFile {
  return { path, text, isTest: /\.test\.tsx?$/.test(path) };
}

/** `src/policy/x.ts` lies in `policy`; files directly in `src` and outside of it in none. */
export function roomOf(path: string): string | null {
  const parts = path.split('/');
  return parts[0] === 'src' && parts.length > 2 ? parts[1]! : null;
}

export interface Import {
  /** As written. */
  readonly specifier: string;
  /** From the root, for relative ones; null for packages and `node:`. */
  readonly path: string | null;
  readonly isTypeOnly: boolean;
  readonly isReExport: boolean;
}

const statement = /^(import|export)\s+(type\s)?(?:[^;'"]*?\sfrom\s+)?'([^'\n]+)';/gm;
const dynamic = /\bimport\(\s*(['"`])([^'"`]+)\1/g;

/** Every static and dynamic import and re-export. */
export function importsOf(source: SourceFile): Import[] {
  const found: Import[] = [];
  const text = withoutComments(source.text);
  const add = (specifier: string, isTypeOnly: boolean, isReExport: boolean): void => {
    const path = specifier.startsWith('.')
      ? posix.normalize(posix.join(posix.dirname(source.path), specifier))
      : null;
    found.push({ specifier, path, isTypeOnly, isReExport });
  };
  // What stands inside a string or a template is no import.
  const code = withoutComments(source.text, true);
  const isCode = (match: RegExpExecArray): boolean => code[match.index] !== ' ';
  for (const match of text.matchAll(statement)) {
    if (isCode(match)) add(match[3]!, match[2] !== undefined, match[1] === 'export');
  }
  for (const match of text.matchAll(dynamic)) if (isCode(match)) add(match[2]!, false, false);
  return found;
}

type Piece = 'code' | 'comment' | 'text';

/**
 * The text with its comments blanked, and with `blanksTexts` the insides of strings, templates and
 * regular expressions too. Lines and columns stay.
 */
export function withoutComments(text: string, blanksTexts = false): string {
  let result = '';
  for (const [piece, part] of splitPieces(text)) {
    const isKept = piece === 'code' || (piece === 'text' && !blanksTexts);
    result += isKept ? part : part.replace(/[^\n]/g, ' ');
  }
  return result;
}

function* splitPieces(text: string): Generator<readonly [Piece, string]> {
  let start = 0;
  let position = 0;
  // Depths of braces inside `${…}` of templates that are open.
  const templates: number[] = [];
  while (position < text.length) {
    const end = endOfPiece(text, position, templates);
    if (end === null) {
      position++;
      continue;
    }
    if (position > start) yield ['code', text.slice(start, position)];
    yield [end.piece, text.slice(position, end.index)];
    position = end.index;
    start = position;
  }
  if (position > start) yield ['code', text.slice(start)];
}

/** The comment or text that begins here, or null where code goes on. */
function endOfPiece(
  text: string,
  position: number,
  templates: number[],
): { readonly piece: Piece; readonly index: number } | null {
  const char = text[position]!;
  const next = text[position + 1];
  if (char === '/' && next === '/') return { piece: 'comment', index: endAt(text, '\n', position) };
  if (char === '/' && next === '*') {
    return { piece: 'comment', index: endAt(text, '*/', position + 2) + 2 };
  }
  if (char === "'" || char === '"')
    return { piece: 'text', index: endOfText(text, position, char) };
  if (char === '`') return endOfTemplate(text, position + 1, templates);
  if (char === '/' && isRegExpStart(text, position)) {
    return { piece: 'text', index: endOfRegExp(text, position) };
  }
  const depth = templates.length - 1;
  if (depth >= 0 && char === '{') templates[depth]!++;
  if (depth >= 0 && char === '}') {
    if (templates[depth] === 0) {
      templates.pop();
      return endOfTemplate(text, position + 1, templates);
    }
    templates[depth]!--;
  }
  return null;
}

function endAt(text: string, needle: string, from: number): number {
  const index = text.indexOf(needle, from);
  return index === -1 ? text.length : index;
}

function endOfText(text: string, start: number, quote: string): number {
  let index = start + 1;
  while (index < text.length && text[index] !== quote) index += text[index] === '\\' ? 2 : 1;
  return index + 1;
}

/** Ends after the closing backtick, or after the `${` that opens an expression. */
function endOfTemplate(
  text: string,
  from: number,
  templates: number[],
): { readonly piece: Piece; readonly index: number } {
  let index = from;
  while (index < text.length && text[index] !== '`') {
    if (text.startsWith('${', index)) {
      templates.push(0);
      return { piece: 'text', index: index + 2 };
    }
    index += text[index] === '\\' ? 2 : 1;
  }
  return { piece: 'text', index: index + 1 };
}

/** A slash is a division after a name, a number or a closing bracket. */
function isRegExpStart(text: string, position: number): boolean {
  const before = text.slice(Math.max(0, position - 80), position).trimEnd();
  if (/\b(?:return|typeof|case|of|in|yield|await)$/.test(before)) return true;
  return before === '' || /[(,=:[!&|?{};+\-*%~^<>]$/.test(before);
}

function endOfRegExp(text: string, start: number): number {
  let isInClass = false;
  for (let index = start + 1; index < text.length; index++) {
    const char = text[index];
    if (char === '\\') index++;
    else if (char === '[') isInClass = true;
    else if (char === ']') isInClass = false;
    else if (char === '/' && !isInClass) return index + 1;
  }
  return text.length;
}

/** Lines, from 1, that a pattern matches, as `path:line: what`. */
export function findLines(source: SourceFile, code: string, pattern: RegExp): string[] {
  return code
    .split('\n')
    .flatMap((line, index) =>
      pattern.test(line) ? [`${source.path}:${index + 1}: ${line.trim().slice(0, 100)}`] : [],
    );
}
