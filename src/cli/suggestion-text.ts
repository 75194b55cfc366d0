/** Suggested connectors, for people: the drafts with their evidence, then what nearly is one. */
import type { SuggestionsView } from '../api/contract/suggestions.ts';
import { sanitizePeerText } from '../mail/peer-text.ts';
import { countOf, formatCount } from './read-recorded-mail.ts';
import { formatTable } from './table.ts';

type Draft = SuggestionsView['suggestions'][number];
type Near = SuggestionsView['near'][number];

const nearShownMax = 20;
const listShownMax = 5;

export interface SuggestedSpan {
  readonly days: number;
  readonly nowMs: number;
}

export function formatSuggestions(
  view: SuggestionsView,
  { days, nowMs }: SuggestedSpan,
  width: number | null,
): string {
  const { suggestions, oldestAt, messages } = view;
  const oldest = oldestAt === null ? '' : `, the oldest record of ${oldestAt.slice(0, 10)}`;
  const head = `${countOf(messages, 'message')} of the last ${countOf(days, 'day')}${oldest}\n`;
  return [
    head,
    formatDrafts(view, nowMs),
    formatNear(view, width),
    formatRest(view),
    suggestions.length === 0 ? '' : whatToDo,
  ].join('');
}

function formatDrafts({ suggestions, messages }: SuggestionsView, nowMs: number): string {
  if (messages === 0) return '\nNothing is recorded in this time.\n';
  if (suggestions.length === 0) return '\nNo domain is ready.\n';
  const drafts = suggestions.map((each) => formatDraft(each, nowMs));
  return `\n${countOf(suggestions.length, 'draft')}, each met by all mail of its domain:\n${drafts.join('')}`;
}

function formatDraft(draft: Draft, nowMs: number): string {
  const { direction, domain, organization, messages, days, connector } = draft;
  const key = direction === 'outbound' ? 'tlsDomain' : 'tlsSenderCertificateName';
  const way = direction === 'outbound' ? 'to' : 'from';
  const lines = [
    `${way} ${domain}, of ${organization} (connector "${connector.name}")`,
    `  mail         ${countOf(messages, 'message')} on ${countOf(days, 'day')}, ${dayOf(draft.firstAt)} to ${dayOf(draft.lastAt)}`,
    `  names        ${[connector.value[key]].flat().map(String).join(', ')}`,
    `  ${direction === 'outbound' ? 'hosts        ' : 'greeted as   '}${listSome(draft.hosts, draft.hostsLeftOut)}`,
    `  TLS          ${draft.versions.map((each) => each.replace('v', ' ')).join(', ')}`,
    ...draft.certificates
      .slice(0, listShownMax)
      .map((each) => `  certificate  ${describe(each, nowMs)}`),
    ...moreOf(draft.certificates.length - listShownMax, 'certificate'),
    ...draft.remarks.map((remark) => `  note         ${remark}`),
  ];
  return `\n${lines.map((line) => `${sanitizePeerText(line)}\n`).join('')}`;
}

function describe(
  { names, issuer, notAfter }: Draft['certificates'][number],
  nowMs: number,
): string {
  const until = Date.parse(notAfter) < nowMs ? 'EXPIRED' : 'until';
  return `${listSome(names, 0)}, issued by ${issuer}, ${until} ${dayOf(notAfter)}`;
}

function moreOf(count: number, noun: string): string[] {
  return count > 0 ? [`               and ${countOf(count, `more ${noun}`)}`] : [];
}

function formatNear({ near, nearLeftOut }: SuggestionsView, width: number | null): string {
  if (near.length === 0) return '';
  const columns = [
    { title: 'NEARLY', mayShrink: true },
    { title: 'ORGANIZATION', mayShrink: true },
    { title: 'MESSAGES', align: 'right' as const },
    { title: 'MET', align: 'right' as const },
  ];
  const rows = near.slice(0, nearShownMax).map((each) => ({
    cells: [
      `${each.direction === 'outbound' ? 'to' : 'from'} ${each.domain}`,
      each.organization,
      formatCount(each.messages),
      formatCount(each.met),
    ],
    note: missingIn(each),
  }));
  const left = near.length - rows.length + nearLeftOut;
  const more = left > 0 ? `and ${countOf(left, 'more domain')}; --json has more of them\n` : '';
  return `\n${formatTable(columns, rows, width)}${more}`;
}

/** What is missing, and one message by which it can be looked at. */
function missingIn({ tooFew, missing }: Near): string {
  const parts = missing.slice(0, 3).map(({ kind, reason, messages, id }) => {
    const doubt = kind === 'undecided' ? 'cannot be told: ' : '';
    const which = id === '' ? '' : ` (${id})`;
    return `${doubt}${reason}, ${countOf(messages, 'message')}${which}`;
  });
  return [...(tooFew === null ? [] : [`too little mail: ${tooFew}`]), ...parts].join('; ');
}

function formatRest(view: SuggestionsView): string {
  const { covered, others, domainsLeftOut, policyRevision, messages } = view;
  if (messages === 0) return '';
  const known =
    policyRevision === null
      ? 'Which connectors there are is not known here, so that none is left out.\n'
      : `Left out: ${countOf(covered, 'domain')} that a connector covers already.\n`;
  const rest = `Not even nearly: ${countOf(others, 'domain')}.\n`;
  const lost =
    domainsLeftOut === 0
      ? ''
      : `Too many domains to keep: ${countOf(domainsLeftOut, 'message')} of others are not judged.\n`;
  return `\n${known}${rest}${lost}`;
}

const whatToDo = `
Judged is what was recorded: servers and sessions that were not met may differ.
What to do: --yaml prints the drafts, for the configuration. They watch only (mode: observe): postern
connector readiness NAME says when one can enforce, postern tls probe --mx DOMAIN shows all hosts of a
domain.
`;

function listSome(texts: readonly string[], leftOut: number): string {
  const shown = texts.slice(0, listShownMax);
  const others = texts.length - shown.length + leftOut;
  return others > 0 ? `${shown.join(', ')} and ${others} more` : shown.join(', ');
}

function dayOf(time: string): string {
  return time.slice(0, 10);
}
