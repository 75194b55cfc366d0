/** Text of peers and of people on one line: for fields that are ASCII, and for text that need not be. */
import { sanitizePeerText } from '../mail/peer-text.ts';

/** Printable ASCII on one line; what is beyond it becomes `?`. */
export function toPlainText(text: string): string {
  return sanitizePeerText(text)
    .replaceAll('…', '...')
    .replace(/[^\x20-\x7e]/g, '?');
}

/** Whether every character is printable ASCII. */
export function isAscii(text: string): boolean {
  return /^[\x20-\x7e]*$/.test(text);
}

/** Words longer than a line are broken hard: no line may grow without bound. */
export function wrapText(text: string, indent: number, widthMax = 76): string[] {
  const width = widthMax - indent;
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    let rest = word;
    if (line.length > 0 && line.length + 1 + rest.length > width) {
      lines.push(line);
      line = '';
    }
    for (; rest.length > width; rest = rest.slice(width)) lines.push(rest.slice(0, width));
    line = line.length === 0 ? rest : `${line} ${rest}`;
  }
  lines.push(line);
  return lines.map((part) => `${' '.repeat(indent)}${part}`.trimEnd());
}
