/** What became of each line of what was moved in: for people in a terminal and for programs. */
import { sanitizePeerText } from '../../mail/peer-text.ts';

/**
 * `taken-over`: it acts as before. `changed`: it acts, otherwise than before, never less strictly.
 * `not-possible`: it does not act; `text` says why and what to do. `left-out`: it says nothing that
 * would not be so anyway.
 */
export type MoveOutcome = 'taken-over' | 'changed' | 'not-possible' | 'left-out';

/** Where something stands. `line` counts from 1. */
export interface MovePlace {
  readonly file: string;
  readonly line: number;
}

/** One property of one thing that was read. */
export interface MoveLine extends MovePlace {
  /** `inbound connector "From Contoso"`; empty where the file itself is meant. */
  readonly subject: string;
  /** `RequireTls`, `smtp_tls_security_level`, or the key of a line in a table. */
  readonly property: string;
  readonly outcome: MoveOutcome;
  readonly text: string;
}

export interface MoveReport {
  readonly formatVersion: 1;
  readonly source: 'exchange' | 'postfix';
  /** In the order of the files and of their lines. */
  readonly lines: readonly MoveLine[];
  readonly counts: Readonly<Record<MoveOutcome, number>>;
  /** What was protected in the source and is not yet here, each once: `mail to contoso.com`. */
  readonly unprotected: readonly string[];
}

/** Sorts the lines by place; what is on one line stays in the order in which it was said. */
export function makeReport(
  source: MoveReport['source'],
  { files, lines, unprotected }: ReportParts,
): MoveReport {
  const order = new Map(files.map((file, place) => [file, place]));
  const placeOf = ({ file }: MoveLine): number => order.get(file) ?? files.length;
  const sorted = lines.toSorted((a, b) => placeOf(a) - placeOf(b) || a.line - b.line);
  const count = (outcome: MoveOutcome): number =>
    sorted.filter((line) => line.outcome === outcome).length;
  return {
    formatVersion: 1,
    source,
    lines: sorted,
    counts: {
      'taken-over': count('taken-over'),
      changed: count('changed'),
      'not-possible': count('not-possible'),
      'left-out': count('left-out'),
    },
    unprotected: [...new Set(unprotected)],
  };
}

interface ReportParts {
  /** Names of the files in their order. */
  readonly files: readonly string[];
  readonly lines: readonly MoveLine[];
  readonly unprotected: readonly string[];
}

const words: Readonly<Record<MoveOutcome, string>> = {
  'taken-over': 'taken over',
  changed: 'changed',
  'not-possible': 'NOT POSSIBLE',
  'left-out': 'left out',
};

/**
 * The report as text: one line for each property, but what is left out of one thing for one reason
 * stands together; then what is unprotected, then the counts.
 */
export function formatReport(report: MoveReport): string {
  const lines = gather(report.lines).flatMap(formatGroup);
  return `${[...lines, ...formatUnprotected(report), formatCounts(report)].join('\n')}\n`;
}

/** Lines that say the same of other properties of one thing; never empty. */
type LineGroup = readonly MoveLine[];

function gather(lines: readonly MoveLine[]): readonly LineGroup[] {
  const groups = new Map<string, MoveLine[]>();
  lines.forEach((line, place) => {
    const { file, subject, outcome, text } = line;
    const key = outcome === 'left-out' ? JSON.stringify([file, subject, text]) : String(place);
    groups.set(key, [...(groups.get(key) ?? []), line]);
  });
  return [...groups.values()];
}

/** Names on one line at most, since a line that is too long is cut. */
const namesLengthMax = 160;

function formatGroup(group: LineGroup): string[] {
  const pieces: MoveLine[][] = [];
  let length = 0;
  for (const line of group) {
    length += line.property.length + 2;
    if (pieces.length === 0 || length > namesLengthMax) {
      pieces.push([]);
      length = line.property.length;
    }
    pieces.at(-1)!.push(line);
  }
  return pieces.map(formatLines);
}

function formatLines(group: LineGroup): string {
  const [{ file, line, subject, outcome, text }] = group as [MoveLine];
  const properties = group.map(({ property }) => property).filter((name) => name !== '');
  const what = [subject, properties.join(', ')].filter((part) => part !== '');
  const about = what.map((part) => `${part}: `).join('');
  return sanitizePeerText(`${file}:${line}: ${about}${words[outcome]}: ${text}`);
}

function formatUnprotected({ unprotected }: MoveReport): string[] {
  if (unprotected.length === 0) return [];
  const head =
    'Protected where it comes from and not here, until what is not possible above is settled:';
  return ['', head, ...unprotected.map((what) => sanitizePeerText(`  ${what}`))];
}

function formatCounts({ counts }: MoveReport): string {
  const parts = Object.entries(words).map(
    ([outcome, word]) => `${counts[outcome as MoveOutcome]} ${word.toLowerCase()}`,
  );
  return `\n${parts.join(', ')}`;
}
