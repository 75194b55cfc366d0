/** The answer of `explain` for people: what would happen, what is required, and why the others lost. */
import type { ExplainAnswer } from '../api/contract.ts';
import { sanitizePeerText } from '../mail/peer-text.ts';
import { describeDemand } from '../policy/tls-requirement.ts';
import { gradeTarget } from './connector-grade.ts';
import { describePart, describeRules } from './explain-rules-text.ts';
import { describeTargetPlace } from './recipient-rule.ts';
import { formatTable } from './table.ts';
import { wrapToWidth } from './text-width.ts';

type Inbound = NonNullable<ExplainAnswer['inbound']>;
type Outbound = NonNullable<ExplainAnswer['outbound']>;
type Rules = NonNullable<ExplainAnswer['rules']>;

/** `judge` says whose policy decided: `the running gateway`. `width` null is unlimited. */
export function formatExplanation(
  answer: ExplainAnswer,
  judge: string,
  width: number | null,
): string {
  const { from, to } = answer.question;
  const title = `From ${from ?? '<>'} to ${to}, judged by ${judge} (policy ${answer.policyRevision})`;
  const parts = [
    lines([title], width),
    ...(answer.inbound === null ? [] : [formatInbound(answer, answer.inbound, width)]),
    ...(answer.rules === null ? [] : formatRules(answer.rules, width)),
    // With rules each part shows its own way.
    ...(answer.outbound === null || answer.rules !== null
      ? []
      : [formatOutbound(answer.outbound, width)]),
    ...(answer.expansion === null || answer.rules !== null
      ? []
      : formatExpansion(answer.expansion, width)),
    ...(answer.notes.length === 0 ? [] : [lines(['Note', ...answer.notes.map(indent)], width)]),
  ];
  return parts.join('\n');
}

function formatInbound(answer: ExplainAnswer, inbound: Inbound, width: number | null): string {
  const { clientAddress, heloName, encryption } = answer.question;
  const tls = encryption === 'none' ? 'in clear' : `over ${encryption.replace('v', ' ')}`;
  const taken = (answer.rules?.result ?? 'pass') === 'pass' ? 'ACCEPTED' : 'ACCEPTED at RCPT TO';
  const verdict = inbound.kind === 'accept' ? taken : 'REFUSED';
  const met = inbound.connectors.map((name) => `"${name}"`).join(', ');
  const text = [
    `Inbound: ${verdict}`,
    indent(`session of ${clientAddress} (${heloName}) ${tls}, ${describeCertificate(inbound)}`),
    ...(inbound.reply === null
      ? []
      : [indent(`answer ${answeredTo[inbound.repliedAt ?? 'rcpt']}: ${inbound.reply}`)]),
    ...(inbound.reason === null ? [] : [indent(`because ${inbound.reason}`)]),
    ...describeOrigin(inbound),
    ...(met === '' ? [] : [indent(`inbound connectors met: ${met}`)]),
    ...(inbound.kind === 'accept'
      ? [indent(`the recipient ${existences[inbound.existence]}`)]
      : []),
  ];
  return (
    lines([...text, ...formatShadow(inbound)], width) + formatConsidered(inbound.considered, width)
  );
}

const answeredTo = { rcpt: 'at RCPT TO', content: 'after the content' } as const;

function describeOrigin({ origin, organization }: Inbound): string[] {
  if (origin === null || origin.connector === null) return [];
  const how = origin.by === 'certificate' ? 'its certificate' : 'its address';
  const may = origin.kind === 'originating' ? 'may send to anywhere' : 'may not relay';
  return [
    indent(
      `"${origin.connector}" knows it by ${how} as a server of ${organization ?? '?'}: it ${may}`,
    ),
  ];
}

function formatShadow({ shadow }: Inbound): string[] {
  return shadow.map(({ connector, mode, isMet, reason }) => {
    const would = isMet === null ? 'cannot tell' : isMet ? 'would be met' : 'would refuse it';
    return indent(`"${connector}" (${mode} only) ${would}: ${reason}`);
  });
}

const existences: Readonly<Record<Inbound['existence'], string>> = {
  mailbox: 'is a mailbox here',
  alias: 'stands for other addresses',
  listed: 'is listed, and kept by another server',
  postmaster: 'is postmaster, whom every domain has',
  any: 'may or may not exist: this domain takes every address',
  verify: 'is asked of the server that keeps it, and refused where it is unknown there',
  unknown: 'does not exist',
  'not-ours': 'is in no domain of ours',
};

function formatExpansion(
  { via, name, to }: NonNullable<ExplainAnswer['expansion']>,
  width: number | null,
): string[] {
  const what = {
    alias: `the alias ${name}`,
    'catch-all': `the catch-all, since ${name} does not exist,`,
    postmaster: `${name}, which has no mailbox of its own,`,
  }[via];
  const title = `${what[0]!.toUpperCase()}${what.slice(1)} leads to: ${to.map(({ address }) => address).join(', ')}`;
  return [
    lines([title], width),
    ...to.map(({ address, outbound }) => formatOutbound(outbound, width, ` of ${address}`)),
  ];
}

function formatRules(rules: Rules, width: number | null): string[] {
  return [
    lines(describeRules(rules), width),
    ...rules.parts.flatMap((part) => [
      lines(describePart(part), width),
      ...part.to.map(({ address, outbound }) => formatOutbound(outbound, width, ` of ${address}`)),
    ]),
  ];
}

function describeCertificate(inbound: Inbound): string {
  const chain = inbound.evidence.tls?.chain ?? [];
  const leaf = chain[0];
  if (leaf === undefined) return 'without a client certificate';
  const names =
    leaf.dnsNames.length > 0 ? leaf.dnsNames.join(', ') : (leaf.commonName ?? 'no name');
  const paths = (inbound.evidence.tls?.paths ?? []).map((path) =>
    path.kind === 'reached'
      ? `leads to a CA of ${path.anchors}`
      : `leads to no CA of ${path.anchors} (${path.problem}: ${path.detail})`,
  );
  return [`client certificate for ${names}`, ...paths].join('; ');
}

function formatOutbound(outbound: Outbound, width: number | null, whose = ''): string {
  const { clauses } = outbound.requirement;
  const required =
    clauses.length === 0
      ? [indent(describeOpportunistic(outbound))]
      : [
          indent('TLS is required; all of this must hold, or the mail waits:'),
          ...clauses.map((clause) => {
            const { kind, name } = clause.origin;
            return indent(indent(`${describeDemand(clause)} (${kind} "${name}")`));
          }),
        ];
  const own =
    outbound.clientCertificate === null
      ? []
      : [indent(`we present our certificate "${outbound.clientCertificate}"`)];
  const small =
    outbound.postQuantum === 'off' ? [indent('no post-quantum key exchange is offered')] : [];
  const isSent = outbound.destination.kind !== 'mailbox' && outbound.destination.kind !== 'none';
  const text = [
    `Outbound${whose}: ${describeDestination(outbound)}`,
    ...(isSent
      ? [...required, ...own, ...small, ...outbound.shadow.map(describeShadowDemand)]
      : []),
  ];
  return lines(text, width) + formatConsidered(outbound.considered, width);
}

function describeShadowDemand({
  connector,
  mode,
  requirement,
}: Outbound['shadow'][number]): string {
  const demands = requirement.clauses.map(describeDemand).join(', ');
  return indent(`"${connector}" (${mode} only) would demand ${demands}`);
}

function describeOpportunistic(outbound: Outbound): string {
  const { destination } = outbound;
  if (destination.kind === 'organization') return 'nothing is required: it crosses no network';
  if (destination.kind === 'hand-over') return `TLS: ${gradeTarget(destination.target).words}`;
  const then = outbound.clearTextAfterFailedTls ? ', or where TLS failed twice' : '';
  return `TLS is opportunistic: in clear where the other side offers none${then}`;
}

function describeDestination(outbound: Outbound): string {
  const { connector, destination, recipientDomain } = outbound;
  const by = connector === null ? 'no connector' : `connector "${connector}"`;
  switch (destination.kind) {
    case 'mx':
      return `by ${by}, to the MX hosts of ${recipientDomain}`;
    case 'smart-hosts': {
      const hosts = destination.hosts.map(({ host, port }) => `${host} port ${port}`);
      return `by ${by}, to smart host ${hosts.join(', then ')}`;
    }
    case 'hand-over':
      return `to the delivery target "${destination.target.name}", ${describeTargetPlace(destination.target)}`;
    case 'organization':
      return `by ${by}, inside this gateway to the organization ${destination.organization}`;
    case 'mailbox':
      return 'into a mailbox here';
    case 'none':
      return `nowhere${destination.isPermanent ? '' : ' for now'}: ${destination.reason}`;
  }
}

function formatConsidered(
  considered: Inbound['considered'] | Outbound['considered'],
  width: number | null,
): string {
  if (considered.length === 0) return '';
  const columns = [
    { title: '  CONNECTOR', mayShrink: true },
    { title: 'RESULT' },
    { title: 'WHY', mayShrink: false },
  ];
  const isWide = width === null || width >= 100;
  const rows = considered.map(({ connector, result, reason }) => ({
    cells: [`  ${connector}`, result, ...(isWide ? [reason] : [])],
    ...(isWide ? {} : { note: reason }),
  }));
  return formatTable(isWide ? columns : columns.slice(0, 2), rows, width);
}

function indent(text: string): string {
  return `  ${text}`;
}

/** Each text sanitized and wrapped; what is broken keeps its indentation and two more. */
function lines(texts: readonly string[], width: number | null): string {
  return texts
    .flatMap((text) => {
      const clean = sanitizePeerText(text);
      if (width === null) return [clean];
      const margin = ' '.repeat(clean.length - clean.trimStart().length);
      const room = Math.max(20, width - margin.length - 2);
      const [first = '', ...rest] = wrapToWidth(clean.trimStart(), room);
      return [margin + first, ...rest.map((line) => `${margin}  ${line}`)];
    })
    .map((line) => `${line}\n`)
    .join('');
}
