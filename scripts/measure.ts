/**
 * Prints the sizes of the house against their aims: `npm run measure`.
 *
 * Lines are lines of the file, comments and blank ones included.
 */
import { dirname } from 'node:path';
import type { SourceFile } from '../test/house/source.ts';
import { importsOf, readSources, withoutComments } from '../test/house/source.ts';

interface Measure {
  readonly what: string;
  readonly value: number;
  readonly aim: string;
  /** Which ones, where that helps. */
  readonly examples: readonly string[];
}

function lineCount(text: string): number {
  return text.trimEnd().split('\n').length;
}

/** The value below which the share of all lies; 0 for none. */
function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
}

const opening =
  /\bfunction\b.*\{$|=> \{$|^\s*\)(?:: .+)? (?:=> )?\{$|^\s+(?:(?:static|async|get|set|override|private) )*[#\w]+\(.*\)(?:: .+)? \{$/;
const notFunction = /^\s*(?:\} )?(?:if|for|while|switch|catch|else|try|do|return)\b/;

/** Lengths of function bodies, from the line of the opening brace to that of the closing one. */
function functionLengths(source: SourceFile): { readonly at: string; readonly lines: number }[] {
  const lines = withoutComments(source.text, true).split('\n');
  return lines.flatMap((line, index) => {
    const text = line.trimEnd();
    if (!opening.test(text) || (notFunction.test(text) && !text.includes('=>'))) return [];
    const indent = text.search(/\S/);
    const length = lines
      .slice(index + 1)
      .findIndex((later) => later.search(/\S/) === indent && later.trim().startsWith('}'));
    return length === -1 ? [] : [{ at: `${source.path}:${index + 1}`, lines: length + 2 }];
  });
}

type Graph = ReadonlyMap<string, ReadonlySet<string>>;

function importGraph(sources: readonly SourceFile[], nameOf: (path: string) => string): Graph {
  const graph = new Map<string, Set<string>>();
  for (const source of sources) {
    const from = nameOf(source.path);
    const targets = graph.get(from) ?? new Set();
    for (const { path } of importsOf(source)) {
      if (path !== null && nameOf(path) !== from) targets.add(nameOf(path));
    }
    graph.set(from, targets);
  }
  return graph;
}

/** Groups of nodes that reach each other, by Tarjan's algorithm; single nodes are left out. */
function findCycles(graph: Graph): string[][] {
  const order = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const cycles: string[][] = [];
  const visit = (node: string): void => {
    order.set(node, order.size);
    low.set(node, order.get(node)!);
    stack.push(node);
    for (const next of graph.get(node) ?? []) {
      if (!order.has(next)) visit(next);
      if (stack.includes(next)) low.set(node, Math.min(low.get(node)!, low.get(next)!));
    }
    if (low.get(node) !== order.get(node)) return;
    const group = stack.splice(stack.indexOf(node));
    if (group.length > 1) cycles.push(group);
  };
  for (const node of graph.keys()) if (!order.has(node)) visit(node);
  return cycles;
}

function findMutual(graph: Graph): string[] {
  return Array.from(graph).flatMap(([from, targets]) =>
    [...targets]
      .filter((to) => from < to && graph.get(to)?.has(from) === true)
      .map((to) => `${from} <-> ${to}`),
  );
}

function measure(): Measure[] {
  const sources = readSources('src');
  const code = sources.filter(({ isTest }) => !isTest);
  const tests = [...sources.filter(({ isTest }) => isTest), ...readSources('test')];
  const sum = (files: readonly SourceFile[]): number =>
    files.reduce((total, { text }) => total + lineCount(text), 0);
  const lengths = code.map(({ path, text }) => ({ at: path, lines: lineCount(text) }));
  const functions = code.flatMap(functionLengths);
  const longest = (of: readonly { readonly at: string; readonly lines: number }[]): string[] =>
    [...of]
      .sort((a, b) => b.lines - a.lines)
      .slice(0, 5)
      .map(({ at, lines }) => `${lines} ${at}`);
  const cycles = findCycles(importGraph(code, (path) => path));
  const mutual = findMutual(importGraph(code, dirname));
  const fileMedian = quantile(
    lengths.map(({ lines }) => lines),
    0.5,
  );
  const functionP95 = quantile(
    functions.map(({ lines }) => lines),
    0.95,
  );
  const ratio = Number((sum(tests) / sum(code)).toFixed(2));
  return [
    { what: 'files', value: code.length, aim: '', examples: [] },
    { what: 'lines of code', value: sum(code), aim: '', examples: [] },
    { what: 'median file', value: fileMedian, aim: '<= 150', examples: longest(lengths) },
    { what: 'function p95', value: functionP95, aim: '<= 30', examples: longest(functions) },
    { what: 'test:code', value: ratio, aim: '>= 1.2', examples: [] },
    {
      what: 'import cycles',
      value: cycles.length,
      aim: '0',
      examples: cycles.map((group) => group.join(' -> ')),
    },
    { what: 'folders that import each other', value: mutual.length, aim: '0', examples: mutual },
  ];
}

for (const { what, value, aim, examples } of measure()) {
  const aimed = aim === '' ? '' : `   aim ${aim}`;
  console.log(`${what.padEnd(32)}${String(value).padStart(7)}${aimed}`);
  for (const example of examples) console.log(`    ${example}`);
}
