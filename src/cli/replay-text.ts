/** What a replay found, for people. */
import type { Change, ChangeKind } from '../policy/replayed.ts';
import { undecidableTexts } from '../policy/replayed.ts';
import type { ReadSoFar } from '../api/contract/records.ts';
import { countOf, formatCount } from './read-recorded-mail.ts';
import type { ChangeGroup, KindCount, ReplaySummaryView } from '../policy/replay-summary.ts';
import { formatTable } from './table.ts';

export interface ReplayedBy {
  readonly file: string;
  readonly policyRevision: string;
  readonly days: number;
}

const groupsShownMax = 20;
const idsShownMax = 3;

export function formatReplay(
  summary: ReplaySummaryView,
  read: ReadSoFar,
  by: ReplayedBy,
  width: number | null,
): string {
  const { file, policyRevision, days } = by;
  const what = `${countOf(read.messages, 'message')} and ${countOf(read.refusals, 'refusal')}`;
  const oldest = read.oldestAt === null ? '' : `, the oldest of ${read.oldestAt.slice(0, 10)}`;
  const head = `${what} of the last ${countOf(days, 'day')}${oldest}\njudged by ${file} (policy ${policyRevision})\n`;
  const sections = summary.kinds.map((kind) => formatKind(kind, summary.groups, width));
  const rest =
    summary.groupsLeftOut === 0 ? '' : '\nMore groups than can be kept are counted only.\n';
  return [head, ...sections, rest, formatUndecided(summary), formatSame(summary, read)].join('');
}

function formatKind(
  count: KindCount,
  groups: readonly ChangeGroup[],
  width: number | null,
): string {
  const { kind, direction } = count;
  const own = groups.filter((group) => group.kind === kind && group.direction === direction);
  const shown = own.slice(0, groupsShownMax);
  const columns = [
    { title: 'COUNT', align: 'right' as const },
    { title: 'PARTNER', mayShrink: true },
    { title: 'WHY', mayShrink: true },
    { title: 'FIRST' },
  ];
  const rows = shown.map(({ messages, partner, because, reason, ids }) => ({
    cells: [formatCount(messages), partner, because, ids.slice(0, idsShownMax).join(' ')],
    note: reason === because ? '' : reason,
  }));
  const left = own.length - shown.length;
  const more = left > 0 ? `and ${countOf(left, 'more group')}; --json has them\n` : '';
  return `\n${headlineOf(count)}\n${formatTable(columns, rows, width)}${more}`;
}

function headlineOf({ kind, direction, messages, partners }: KindCount): string {
  const mail = countOf(messages, 'message');
  const whom = `${direction === 'inbound' ? 'from' : 'to'} ${countOf(partners, 'partner')}`;
  return `would have ${did[kind](mail, whom, direction)}`;
}

type Words = (mail: string, whom: string, direction: Change['direction']) => string;

const did: Readonly<Record<ChangeKind, Words>> = {
  refused: (mail, whom) => `refused ${mail} ${whom}`,
  accepted: (mail, whom) => `accepted ${mail} ${whom} that were refused`,
  attributed: (mail, whom) => `given ${mail} ${whom} to another organization`,
  routed: (mail, whom, direction) =>
    direction === 'inbound'
      ? `delivered ${mail} ${whom} to other recipients`
      : `sent ${mail} ${whom} another way`,
  weaker: (mail, whom, direction) =>
    direction === 'inbound'
      ? `restricted ${mail} ${whom} less`
      : `sent ${mail} ${whom} under a weaker requirement`,
  stricter: (mail, whom, direction) =>
    direction === 'inbound'
      ? `restricted ${mail} ${whom} more, which they met`
      : `sent ${mail} ${whom} under a stricter requirement`,
  deferred: (mail, whom) => `stopped ${mail} ${whom}`,
  passed: (mail, whom) => `sent ${mail} ${whom} that waited for TLS`,
  returned: (mail, whom) => `returned ${mail} ${whom} to their senders`,
};

function formatUndecided({ undecided }: ReplaySummaryView): string {
  if (undecided.length === 0) return '';
  const lines = undecided.map(
    ({ why, messages, ids }) =>
      `  ${formatCount(messages)}  ${undecidableTexts[why]} (${ids.slice(0, idsShownMax).join(' ')})\n`,
  );
  return `\ncannot be told from the record, for so many:\n${lines.join('')}`;
}

function formatSame({ changed, undecidedOnly }: ReplaySummaryView, read: ReadSoFar): string {
  const all = read.messages + read.refusals;
  if (all === 0) return '\nNothing is recorded in this time, so nothing can be said.\n';
  const same = formatCount(all - changed - undecidedOnly);
  if (changed === 0 && undecidedOnly === 0) return `\nNothing would change for any of them.\n`;
  const open = undecidedOnly === 0 ? '' : `, ${formatCount(undecidedOnly)} cannot be told`;
  return `\n${formatCount(changed)} would change${open}, ${same} would stay as they were.\n`;
}
