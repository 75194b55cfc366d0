/** Writes docs/errors.md from the rooms' tables: `node scripts/write-error-docs.ts`. */
import { existsSync } from 'node:fs';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FailureTable } from '../src/mail/failure.ts';

const root = join(import.meta.dirname, '..');

/** Every room's table by the room's name; rooms without one are left out. */
export async function readFailureTables(): Promise<ReadonlyMap<string, FailureTable>> {
  const tables = new Map<string, FailureTable>();
  for (const room of (await readdir(join(root, 'src'))).sort()) {
    const file = join(root, 'src', room, 'failures.ts');
    if (!existsSync(file)) continue;
    const exported = (await import(file)) as Readonly<Record<string, FailureTable>>;
    tables.set(room, exported[`${room}Failures`] ?? {});
  }
  return tables;
}

/** The whole document. */
export function renderErrorDocs(tables: ReadonlyMap<string, FailureTable>): string {
  const head = [
    '# Failures',
    '',
    'What can go wrong in the surroundings of the mail (disk, network, configuration, permissions). A',
    'failure has a stable code, which logs, the API (`code`) and the CLI show. The CLI ends with the',
    'exit code, the API answers with the HTTP status. What becomes of a message is no failure: see',
    '`postern trace`.',
    '',
    'This file is written by `node scripts/write-error-docs.ts` from `src/*/failures.ts`.',
  ];
  const sections = Array.from(tables).flatMap(([room, table]) => [
    '',
    `## ${room}`,
    '',
    ...renderTable([
      ['code', 'HTTP', 'exit', 'what to do'],
      ...Object.entries(table).map(([code, { httpStatus, exitCode, whatToDo }]) => [
        `\`${code}\``,
        `${httpStatus}`,
        `${exitCode}`,
        whatToDo.replaceAll('|', '\\|'),
      ]),
    ]),
  ]);
  return `${[...head, ...sections].join('\n')}\n`;
}

/** Columns padded as Prettier pads them, so that formatting changes nothing. */
function renderTable(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const lines = rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column]!)));
  lines.splice(
    1,
    0,
    widths.map((width) => '-'.repeat(width)),
  );
  return lines.map((cells) => `| ${cells.join(' | ')} |`);
}

if (import.meta.main) {
  await writeFile(join(root, 'docs', 'errors.md'), renderErrorDocs(await readFailureTables()));
}
