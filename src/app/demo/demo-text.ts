/** The demo's result as a table for people. */
import { join } from 'node:path';
import type { Column, Row } from '../../cli/table.ts';
import { formatTable } from '../../cli/table.ts';
import type { DemoResult, RunningDemo } from './demo.ts';
import { partnerKinds } from './demo-partners.ts';
import type { DemoRow } from './demo-row.ts';

const columns: readonly Column[] = [
  { title: 'MESSAGE', mayShrink: true },
  { title: 'REQUIRED' },
  { title: 'SEEN', mayShrink: true },
  { title: 'OUTCOME' },
];

const outcomeWords: Readonly<Record<DemoRow['outcome'], string>> = {
  delivered: 'delivered',
  waits: 'waits',
  accepted: 'accepted',
  refused: 'refused',
  'not-sent': 'not accepted',
};

/** `width` null is unlimited. */
export function formatDemo(result: DemoResult, width: number | null): string {
  const parts = partnerKinds.flatMap(({ name, describes }) => {
    const rows = result.rows.filter(({ partner }) => partner === name);
    return [`\n${name}.test: ${describes}\n`, formatTable(columns, rows.map(toRow), width)];
  });
  return `${parts.join('')}\n${summarize(result)}`;
}

function toRow(row: DemoRow): Row {
  const isOut = row.direction === 'outbound';
  const how = row.isEncrypted ? 'under TLS' : 'in clear';
  const isThere = row.outcome === 'delivered' || row.outcome === 'accepted';
  const outcome = outcomeWords[row.outcome];
  const cells = [
    `${isOut ? 'to' : 'from'} ${row.address}`,
    row.requirement,
    row.evidence,
    isThere ? `${outcome} ${how}` : outcome,
  ];
  return isThere ? { cells } : { cells, note: row.reason };
}

function summarize({ rows, leaks }: DemoResult): string {
  const forced = rows.filter(({ direction, isForced }) => direction === 'outbound' && isForced);
  const delivered = forced.filter(({ outcome }) => outcome === 'delivered').length;
  const lines = [
    `${rows.length} messages. Of ${forced.length} that had to be sent under TLS ${delivered} were delivered so, the others wait.`,
    leaks.length === 0
      ? 'None of them, and no address of theirs, is among the bytes that the partners received in clear.'
      : `IN CLEAR AGAINST POLICY: ${leaks.join(', ')}. Please report this.`,
  ];
  return lines.map((line) => `${line}\n`).join('');
}

/** What to try while the demo keeps running. */
export function formatStay(demo: RunningDemo, commandName: string): string {
  const [mx] = demo.gateway.listeners;
  return [
    '',
    `The gateway keeps running: MX on ${mx!.host} port ${mx!.port}, its files in ${demo.folder}. In another terminal:`,
    '',
    `  export POSTERN_CONFIG=${join(demo.folder, 'postern.yaml')}`,
    `  ${commandName} queue list`,
    `  ${commandName} send --to clerk@domainvalidation.wrong-name.test --subject "Try" --wait`,
    '',
    'Ctrl-C ends it and removes its files.',
    '',
  ].join('\n');
}
