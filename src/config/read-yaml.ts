/**
 * YAML text to plain values, with the place of each: bounded, strict, every complaint with its line.
 *
 * Duplicate keys, merge keys, tags and keys that are no text are refused; aliases are expanded up to
 * a bound, so that a small file cannot become a large one.
 * @see YAML 1.2.2, core schema
 */
import type { Alias, Document, Node, Pair, YAMLError } from 'yaml';
import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument } from 'yaml';
import type { ObjectKey } from './policy-object.ts';
import type { Finding, Path } from './problem.ts';
import { formatPath } from './problem.ts';

const nodesMax = 200_000;
const aliasesMax = 100;
const depthMax = 24;
const findingsMax = 1000;

/** `within`: an object that no file holds, and how many parts of the path lead to it; both numbers are 0. */
export interface Place {
  readonly line: number;
  readonly column: number;
  readonly within?: { readonly object: ObjectKey; readonly depth: number };
}

/** `value` is what stands in the file; `locate` finds the place of a path or of its nearest parent. */
export interface YamlFile {
  readonly value: unknown;
  readonly findings: readonly (Finding & { readonly place: Place })[];
  /** Whether `value` may be trusted to be all that stands there: no syntax error. */
  readonly isWhole: boolean;
  readonly locate: (path: Path, at: 'key' | 'value') => Place;
  /** The longest start of the path that stands in the file. */
  readonly existing: (path: Path) => Path;
}

export function readYaml(text: string): YamlFile {
  const lines = new LineCounter();
  const placeOf = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  const options = {
    lineCounter: lines,
    uniqueKeys: false,
    prettyErrors: false,
    logLevel: 'error',
  };
  let document: Document.Parsed;
  try {
    document = parseDocument(text, options as { lineCounter: LineCounter });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return broken('is nested too deeply to be read');
  }
  const complaints = [...document.errors, ...document.warnings].slice(0, 10);
  if (complaints.length > 0) {
    const findings = complaints.map((error) => ({
      ...wholeFile(explainSyntax(error)),
      place: placeOf(error.pos[0]),
    }));
    return { ...broken(''), findings };
  }
  const walk = new Walk();
  const value = walk.convert(document.contents, []);
  const locate = (path: Path, at: 'key' | 'value'): Place => {
    const found = walk.places.get(formatPath(walk.existing(path)));
    return found === undefined ? { line: 1, column: 1 } : placeOf(found[at]);
  };
  return {
    value,
    findings: walk.findings.map(({ offset, ...finding }) => ({
      ...finding,
      place: placeOf(offset),
    })),
    isWhole: !walk.isTooLarge,
    locate,
    existing: (path) => walk.existing(path),
  };
}

function broken(text: string): YamlFile {
  const place = { line: 1, column: 1 };
  const findings = [{ ...wholeFile(text), place }];
  return { value: undefined, findings, isWhole: false, locate: () => place, existing: () => [] };
}

function wholeFile(text: string): Finding {
  return { path: [], at: 'value', text };
}

/** What the parser says, in words that say what to do. */
function explainSyntax(error: YAMLError): string {
  const detail = firstLine(error.message);
  return syntaxTexts[error.code]?.(detail) ?? `not valid YAML: ${detail}`;
}

const syntaxTexts: Readonly<Record<string, (detail: string) => string>> = {
  TAB_AS_INDENT: () => 'a tab indents this line; YAML takes only spaces',
  MULTIPLE_DOCS: () => 'a second document starts here (---); the configuration is one document',
  TAG_RESOLVE_FAILED: (detail) => `tags are not supported: ${detail}`,
  BAD_INDENT: (detail) => `wrong indentation: ${detail}`,
};

function firstLine(text: string): string {
  return text.split('\n', 1)[0]!.slice(0, 200);
}

type Offsets = { readonly key: number; readonly value: number };

/** One pass over the nodes, in the order of the file. */
class Walk {
  readonly places = new Map<string, Offsets>();
  readonly findings: (Finding & { readonly offset: number })[] = [];
  isTooLarge = false;
  readonly #anchors = new Map<string, Node>();
  #nodes = 0;
  #aliases = 0;
  #isExpanding = false;

  convert(node: unknown, path: Path, keyOffset?: number): unknown {
    const value = node as Node | null;
    const offset = value?.range?.[0] ?? keyOffset ?? 0;
    const name = formatPath(path);
    if (!this.places.has(name)) this.places.set(name, { key: keyOffset ?? offset, value: offset });
    if (value === null || this.isTooLarge) return null;
    if (++this.#nodes > nodesMax || path.length > depthMax) return this.#tooLarge(path, offset);
    if (isAlias(value)) return this.#follow(value, path, offset);
    if (value.anchor !== undefined && !this.#isExpanding) this.#anchors.set(value.anchor, value);
    if (isMap(value)) return this.#mapping(value.items, path);
    if (isSeq(value)) return value.items.map((item, place) => this.convert(item, [...path, place]));
    return isScalar(value) ? this.#scalar(value, path, offset) : null;
  }

  /** The longest start of `path` that stands in the file. */
  existing(path: Path): Path {
    let length = path.length;
    while (length > 0 && !this.places.has(formatPath(path.slice(0, length)))) length--;
    return path.slice(0, length);
  }

  #mapping(items: readonly Pair[], path: Path): unknown {
    const result: Record<string, unknown> = Object.create(null);
    const firstLines = new Set<string>();
    for (const pair of items) {
      const keyNode = pair.key as Node | null;
      const offset = keyNode?.range?.[0] ?? 0;
      const key = isScalar(keyNode) && typeof keyNode.value === 'string' ? keyNode.value : null;
      if (key === null) {
        this.#report({ path, at: 'key', text: 'keys must be text; put it in quotes' }, offset);
        continue;
      }
      const here = [...path, key];
      if (firstLines.has(key)) {
        const text = 'is written twice in the same section; keep one of them';
        this.#report({ path: here, at: 'key', text }, offset);
        continue;
      }
      firstLines.add(key);
      result[key] = this.convert(pair.value, here, offset);
    }
    return result;
  }

  /** YAML's core schema also reads `True` and `TRUE`; the file is held to one spelling. */
  #scalar(node: { value: unknown; source?: string }, path: Path, offset: number): unknown {
    if (typeof node.value === 'boolean' && node.source !== String(node.value)) {
      const text = `must be written ${String(node.value)}, not ${node.source ?? ''}`;
      this.#report({ path, at: 'value', text }, offset);
    }
    return node.value;
  }

  #follow(alias: Alias, path: Path, offset: number): unknown {
    const target = this.#anchors.get(alias.source);
    if (target === undefined) {
      const text = `*${alias.source} has no anchor &${alias.source} before it`;
      this.#report({ path, at: 'value', text }, offset);
      return null;
    }
    if (++this.#aliases > aliasesMax) return this.#tooLarge(path, offset);
    const wasExpanding = this.#isExpanding;
    this.#isExpanding = true;
    const value = this.convert(target, path, offset);
    this.#isExpanding = wasExpanding;
    return value;
  }

  #tooLarge(path: Path, offset: number): null {
    if (!this.isTooLarge) {
      const text = `the file is too large or too deep here: at most ${nodesMax} values, ${aliasesMax} aliases and ${depthMax} levels`;
      this.#report({ path: path.slice(0, 4), at: 'value', text }, offset);
    }
    this.isTooLarge = true;
    return null;
  }

  #report(finding: Finding, offset: number): void {
    if (this.findings.length < findingsMax) this.findings.push({ ...finding, offset });
  }
}
