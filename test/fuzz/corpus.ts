/** The kept inputs of a target: `corpus/<target>/`, one file each, its bytes the input. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = join(import.meta.dirname, 'corpus');

/** An input with the name of its file. */
export interface Seed {
  readonly name: string;
  readonly bytes: Buffer;
}

/** In the order of their names, never empty. */
export function readCorpus(target: string): Seed[] {
  const path = join(folder, target);
  const names = existsSync(path) ? readdirSync(path).sort() : [];
  if (names.length === 0) throw new Error(`test/fuzz/corpus/${target} holds no seed`);
  return names.map((name) => ({ name, bytes: readFileSync(join(path, name)) }));
}

/** Names of the folders that are there. */
export function listCorpora(): string[] {
  return readdirSync(folder).sort();
}

/** Keeps an input, named by its hash; says under which path from the root of the checkout. */
export function keepInput(target: string, kind: 'found' | 'seen', bytes: Buffer): string {
  const hash = createHash('sha256').update(bytes).digest('hex').slice(0, 10);
  mkdirSync(join(folder, target), { recursive: true });
  writeFileSync(join(folder, target, `${kind}-${hash}`), bytes);
  return `test/fuzz/corpus/${target}/${kind}-${hash}`;
}
