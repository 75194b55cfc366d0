/** Texts that were read by people once and must stay as they are. */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';

const folder = new URL('./', import.meta.url);

/** POSTERN_WRITE_GOLDEN=1 writes what is there now; read every line of it before it is kept. */
export function assertGolden(name: string, text: string): void {
  const file = new URL(name, folder);
  if (process.env['POSTERN_WRITE_GOLDEN'] === '1') writeFileSync(file, text);
  assert.equal(text, readFileSync(file, 'utf8'));
}

/** The files of a folder of `test/support/move-in`, by name, as octets. */
export function readFixtures(name: string): readonly { name: string; content: Uint8Array }[] {
  const place = new URL(`${name}/`, folder);
  const names = readdirSync(place).filter((file) => !/^(?:report|flow)\b/.test(file));
  return names
    .toSorted()
    .map((file) => ({ name: file, content: readFileSync(new URL(file, place)) }));
}
