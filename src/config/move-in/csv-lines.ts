/** What Export-Csv writes, with the line of each record. */

export interface CsvRecord {
  /** Of its first field; a field may hold line breaks. */
  readonly line: number;
  readonly fields: readonly string[];
  /** A quote in it is never closed, so that whatever follows is in it too. */
  readonly isOpen: boolean;
}

export interface CsvTable {
  /** What stands after `#TYPE`; null where there is no such line. */
  readonly type: string | null;
  readonly header: readonly string[];
  readonly records: readonly CsvRecord[];
}

/** Null where the text has no header with at least two columns. Never throws. */
export function readCsv(text: string): CsvTable | null {
  const typeLine = /^#TYPE ([^\n]*)\n?/.exec(text);
  const body = typeLine === null ? text : text.slice(typeLine[0].length);
  const firstLine = typeLine === null ? 1 : 2;
  const records = readRecords(body, { line: firstLine, delimiter: delimiterOf(body) });
  const [header, ...rest] = records;
  if (header === undefined || header.isOpen || header.fields.length < 2) return null;
  return { type: typeLine?.[1]?.trim() ?? null, header: header.fields, records: rest };
}

/** `-UseCulture` writes semicolons where a comma is the decimal sign. */
function delimiterOf(text: string): string {
  const [head = ''] = text.split('\n', 1);
  const counts = [',', ';', '\t'].map((sign) => [sign, head.split(sign).length] as const);
  return counts.reduce((best, each) => (each[1] > best[1] ? each : best))[0];
}

interface Start {
  readonly line: number;
  readonly delimiter: string;
}

function readRecords(text: string, { line: firstLine, delimiter }: Start): CsvRecord[] {
  const records: CsvRecord[] = [];
  let line = firstLine;
  let start = line;
  let fields: string[] = [];
  let isOpen = false;
  for (let at = 0; at < text.length;) {
    const field = readField(text, at, delimiter);
    fields.push(field.value);
    isOpen ||= field.isOpen;
    line += field.value.split('\n').length - 1;
    at = field.end;
    const sign = text[at];
    at++;
    if (sign === delimiter) {
      if (at < text.length) continue;
      fields.push('');
    }
    if (fields.some((value) => value !== '')) records.push({ line: start, fields, isOpen });
    fields = [];
    isOpen = false;
    line++;
    start = line;
  }
  return records;
}

/** In quotes, where `""` is a quote, or up to the next delimiter; what follows quotes is added. */
function readField(
  text: string,
  from: number,
  delimiter: string,
): { readonly value: string; readonly end: number; readonly isOpen: boolean } {
  let value = '';
  let at = from;
  let isOpen = text[at] === '"';
  if (isOpen) {
    for (at++; at < text.length; at++) {
      if (text[at] !== '"') value += text[at];
      else if (text[at + 1] === '"') {
        value += '"';
        at++;
      } else {
        at++;
        isOpen = false;
        break;
      }
    }
  }
  const rest = at;
  while (at < text.length && text[at] !== delimiter && text[at] !== '\n') at++;
  return { value: value + text.slice(rest, at), end: at, isOpen };
}
