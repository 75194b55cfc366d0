/** The result for people, as a Markdown table that is readable as it stands. */
import type { Cell, CellOfPeer } from './compare.ts';
import type { Machine } from './machine.ts';
import type { PeerName } from './options.ts';

export interface Result {
  readonly formatVersion: 1;
  readonly at: string;
  readonly command: string;
  readonly machine: Machine;
  readonly titles: Readonly<Partial<Record<PeerName, string>>>;
  readonly cells: readonly Cell[];
  /** Lost, doubled or refused mail; empty where all is well. */
  readonly problems: readonly string[];
}

/** Where anything else used more of the machine than this, the row is marked. */
const busyCpus = 0.2;

const heading = [
  'sessions × messages',
  'mail server',
  'accepted/s',
  'delivered/s',
  'CPU s per 1,000',
  'reply p50 / p99 ms',
  'delivered p50 / p99 ms',
  'PSS MB',
  'others CPU',
];

export function formatResult(result: Result): string {
  const { machine } = result;
  const rows = result.cells.flatMap((cell) => rowsOf(cell, result.titles));
  const isBusy = rows.some((row) => row.at(-1)?.endsWith('!'));
  const size = [...new Set(result.cells.map((cell) => cell.sizeBytes))].join(', ');
  return [
    `${result.at.slice(0, 10)}: ${machine.cpus} × ${machine.model}, ${machine.memoryGb} GB, ` +
      `Linux ${machine.kernel}, ${machine.filesystem}, Node ${machine.node}; ` +
      `messages of ${size} bytes; medians of ${result.cells[0]?.peers.postern?.runs.length ?? result.cells[0]?.peers.postfix?.runs.length ?? 0} runs`,
    '',
    ...formatTable([heading, ...rows]),
    '',
    ...(isBusy ? [`! something else used more than ${busyCpus} CPUs: take the ratios only`] : []),
    ...(result.problems.length === 0
      ? ['No message was lost, doubled, refused or damaged.']
      : ['ERRORS:', ...result.problems.map((problem) => `  ${problem}`)]),
  ].join('\n');
}

function rowsOf(cell: Cell, titles: Result['titles']): string[][] {
  const name = `${cell.sessions} × ${cell.perSession}`;
  const rows = (['postfix', 'postern'] as const).flatMap((peer) => {
    const found = cell.peers[peer];
    return found === undefined ? [] : [rowOf(name, titles[peer] ?? peer, found)];
  });
  const { ratios } = cell;
  if (ratios === null) return rows;
  const [low, high] = [Math.min(...ratios.deliveredOfPairs), Math.max(...ratios.deliveredOfPairs)];
  const range = `**${times(ratios.delivered)}** (${low.toFixed(1)}–${high.toFixed(1)})`;
  const cpu = `÷ ${(1 / Math.max(1e-9, ratios.cpu)).toFixed(1)}`;
  return [...rows, [name, 'ratio', times(ratios.accepted), range, cpu, '', '', '', '']];
}

function rowOf(name: string, title: string, { median }: CellOfPeer): string[] {
  return [
    name,
    title,
    median.acceptedRate.toFixed(0),
    median.deliveredRate.toFixed(0),
    median.cpuPer1000.toFixed(2),
    `${median.replyP50.toFixed(1)} / ${median.replyP99.toFixed(1)}`,
    `${median.deliveredP50.toFixed(0)} / ${median.deliveredP99.toFixed(0)}`,
    median.memoryMb.toFixed(0),
    `${median.others.toFixed(2)}${median.others > busyCpus ? ' !' : ''}`,
  ];
}

function times(ratio: number): string {
  return `× ${ratio.toFixed(1)}`;
}

/** Columns of equal width; the first two to the left, numbers to the right. */
function formatTable(rows: readonly (readonly string[])[]): string[] {
  const widths = heading.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const lines = rows.map((row) => {
    const cells = row.map((text, column) =>
      column < 2 ? text.padEnd(widths[column]!) : text.padStart(widths[column]!),
    );
    return `| ${cells.join(' | ')} |`;
  });
  const rule = widths.map((width, column) =>
    column < 2 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`,
  );
  return [lines[0]!, `| ${rule.join(' | ')} |`, ...lines.slice(1)];
}
