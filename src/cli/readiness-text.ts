/** The readiness of a connector, for people. */
import { countOf, formatCount } from './read-recorded-mail.ts';
import type { ReadinessView } from '../policy/readiness-summary.ts';
import { formatTable } from './table.ts';

const failuresShownMax = 20;

interface Span {
  readonly days: number;
  readonly oldestAt: string | null;
}

export function formatReadiness(
  name: string,
  views: readonly ReadinessView[],
  span: Span,
  width: number | null,
): string {
  return views.map((view) => formatView(name, view, span, width)).join('\n');
}

function formatView(
  name: string,
  view: ReadinessView,
  { days, oldestAt }: Span,
  width: number | null,
): string {
  const { direction, organization, met, unmet } = view;
  const seen = met + unmet;
  const head = `${direction} connector ${name} of ${organization}: ${formatCount(met)} of ${formatCount(seen)} would have passed in ${countOf(days, 'day')}\n`;
  const oldest = oldestAt === null ? '' : ` The oldest record is of ${oldestAt.slice(0, 10)}.`;
  if (seen === 0) {
    const nothing =
      view.undecided === 0
        ? 'Nothing that it concerns was seen, so nobody can say whether it is ready.'
        : 'Nobody can say whether it is ready.';
    return `${head}${nothing}${oldest}${formatUndecided(view)}\n`;
  }
  const verdict = unmet === 0 ? 'Ready: everything that was seen met it.' : 'Not ready.';
  return `${head}${verdict}${oldest}${formatRemarks(view)}${formatUndecided(view)}\n${formatFailures(view, width)}`;
}

function formatRemarks({ modes, policyRevisions, met, unmet }: ReadinessView): string {
  const enforced =
    modes.enforce === 0 || modes.enforce === met + unmet
      ? ''
      : ` ${formatCount(modes.enforce)} of them were judged while it enforced.`;
  const revisions =
    policyRevisions < 2
      ? ''
      : `\nIt was judged as it was at the time, under ${policyRevisions} revisions of the policy; postern replay judges all by one.`;
  return `${enforced}${revisions}`;
}

function formatUndecided({ undecided }: ReadinessView): string {
  if (undecided === 0) return '';
  return `\n${countOf(undecided, 'more message')} cannot be judged: the connection was not examined for the trust anchors of this connector.`;
}

function formatFailures(view: ReadinessView, width: number | null): string {
  const { failures, unmet, direction } = view;
  if (failures.length === 0) return '';
  const shown = failures.slice(0, failuresShownMax);
  const columns = [
    { title: 'TIME' },
    { title: 'ID' },
    { title: 'FROM', mayShrink: true },
    { title: 'TO', mayShrink: true },
    { title: direction === 'inbound' ? 'CLIENT' : 'SERVER', mayShrink: true },
  ];
  const rows = shown.map(({ at, id, from, to, other, reason }) => ({
    cells: [at.replace(/\.\d+Z$/, 'Z'), id, from, to, other],
    note: reason,
  }));
  const left = unmet - shown.length;
  const more = left > 0 ? `and ${formatCount(left)} more; --json has them\n` : '';
  return `\n${formatTable(columns, rows, width)}${more}\n${whatToDo[direction]}\n`;
}

const whatToDo = {
  inbound:
    'What to do: postern trace ID shows what the session showed. Ask the partner to send from servers\nthat meet it, or correct what the connector demands; senders that it should not concern go to its\nexceptions.',
  outbound:
    'What to do: postern tls probe --mx DOMAIN shows what the servers do now, postern trace ID what they\ndid then. Ask the partner to mend them, or correct what the connector demands.',
} as const;
