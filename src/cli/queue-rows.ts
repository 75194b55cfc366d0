/** Rows of the queue as people read them: when again, and why not yet. */
import type { QueueRowView } from '../api/contract.ts';
import type { CommandContext } from './command-context.ts';
import { formatSpan } from './format-span.ts';
import { formatTable } from './table.ts';

export function formatQueueRows(context: CommandContext, rows: readonly QueueRowView[]): string {
  if (rows.length === 0) return 'nothing waits\n';
  const nowMs = context.nowMs();
  const columns = [
    { title: 'ID' },
    { title: 'STATE' },
    { title: 'AGE', align: 'right' as const },
    { title: 'NEXT TRY' },
    { title: 'TLS' },
    { title: 'TO', mayShrink: true },
  ];
  const body = rows.map((row) => ({
    cells: [
      row.id,
      row.state,
      formatSpan(nowMs - Date.parse(row.receivedAt)),
      formatDue(row.dueAt, nowMs),
      row.clauses.length === 0 ? 'optional' : 'forced',
      formatRecipients(row.recipients),
    ],
    note: `from ${row.from ?? '<>'}; ${formatOutcome(row)}${formatNextStep(context, row)}`,
  }));
  return formatTable(columns, body, context.width);
}

/** Held mail waits for somebody: who looks at the list is told for what. */
function formatNextStep({ offline }: CommandContext, { id, state }: QueueRowView): string {
  if (state !== 'held') return '';
  return `; ${offline.commandName} queue release ${id} lets it go, or says under which weaker policy it would`;
}

export function formatDue(dueAt: string | null, nowMs: number): string {
  if (dueAt === null) return 'on release';
  const waitMs = Date.parse(dueAt) - nowMs;
  return waitMs <= 0 ? 'now' : `in ${formatSpan(waitMs)}`;
}

function formatRecipients(recipients: readonly string[]): string {
  const [first = '', ...others] = recipients;
  return others.length === 0 ? first : `${first} and ${others.length} more`;
}

export function formatOutcome(row: QueueRowView): string {
  if (row.lastOutcome === null) return 'not tried yet';
  const { status, cause, reason, reply, remoteMta } = row.lastOutcome;
  const where = remoteMta === null ? '' : ` at ${remoteMta.hostName}`;
  const answer = reply === null ? '' : `; it answered: ${reply}`;
  const word = cause === null ? '' : ` (${cause})`;
  return `try ${row.attempts}: ${status}${word} ${reason}${where}${answer}`;
}
