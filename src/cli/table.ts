/** Tables for people: aligned, within the terminal's width, every cell sanitized. */
import { sanitizePeerText } from '../mail/peer-text.ts';
import { cutToWidth, padToWidth, widthOf, wrapToWidth } from './text-width.ts';

/** `mayShrink` columns give way when the terminal is narrow, down to eight columns. */
export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right';
  readonly mayShrink?: boolean;
}

/** `note` is shown below the row, indented and wrapped. */
export interface Row {
  readonly cells: readonly string[];
  readonly note?: string;
}

const gap = '  ';
const shrunkWidthMin = 8;
const noteIndent = '    ';

/** `width` null is unlimited, as for a pipe. Lines end in LF and have no trailing spaces. */
export function formatTable(
  columns: readonly Column[],
  rows: readonly Row[],
  width: number | null,
): string {
  const head = columns.map((column) => column.title);
  const body = rows.map((row) =>
    columns.map((_, place) => sanitizePeerText(row.cells[place] ?? '')),
  );
  const widths = fitWidths(columns, [head, ...body], width);
  const lines = [formatLine(columns, head, widths)];
  rows.forEach((row, place) => {
    lines.push(formatLine(columns, body[place]!, widths));
    if (row.note !== undefined && row.note !== '') lines.push(...formatNote(row.note, width));
  });
  return lines.map((line) => `${line}\n`).join('');
}

function fitWidths(
  columns: readonly Column[],
  lines: readonly (readonly string[])[],
  width: number | null,
): number[] {
  const widths = columns.map((_, place) =>
    Math.max(...lines.map((cells) => widthOf(cells[place]!))),
  );
  if (width === null) return widths;
  const available = width - gap.length * (columns.length - 1);
  for (;;) {
    const total = widths.reduce((sum, each) => sum + each, 0);
    const widest = findWidestShrinkable(columns, widths);
    if (total <= available || widest === null) return widths;
    const others = columns.map((column, place) =>
      place !== widest && column.mayShrink === true ? widths[place]! : 0,
    );
    const target = Math.max(shrunkWidthMin, Math.min(widths[widest]! - 1, Math.max(...others)));
    widths[widest] = Math.max(target, widths[widest]! - (total - available));
  }
}

function findWidestShrinkable(
  columns: readonly Column[],
  widths: readonly number[],
): number | null {
  let widest: number | null = null;
  columns.forEach((column, place) => {
    if (column.mayShrink !== true || widths[place]! <= shrunkWidthMin) return;
    if (widest === null || widths[place]! > widths[widest]!) widest = place;
  });
  return widest;
}

function formatLine(
  columns: readonly Column[],
  cells: readonly string[],
  widths: readonly number[],
): string {
  const parts = cells.map((cell, place) => {
    const width = Math.max(1, widths[place]!);
    return padToWidth(cutToWidth(cell, width), width, columns[place]!.align);
  });
  return parts.join(gap).trimEnd();
}

function formatNote(note: string, width: number | null): string[] {
  const text = sanitizePeerText(note);
  const lines =
    width === null ? [text] : wrapToWidth(text, Math.max(20, width - noteIndent.length));
  return lines.map((line) => noteIndent + line);
}
