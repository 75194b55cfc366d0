/**
 * The answer to a rehearsal, for people: whether their mail would pass, what was seen of their server,
 * what is demanded of it, what to do.
 *
 * ASCII, lines of at most 76, bounded in all; nothing of the mail itself, and no text of a peer that
 * did not pass the sanitizer.
 */
import type { Address } from '../mail/address.ts';
import { formatAddress } from '../mail/address.ts';
import { formatEnhancedStatus } from '../mail/enhanced-status.ts';
import type { Reply } from '../mail/reply.ts';
import type { RehearsedConnector, RehearsalVerdict } from '../policy/rehearsal.ts';
import { formatDateTime } from '../standards/message-format/date-time.ts';
import { toPlainText, wrapText } from './plain-text.ts';
import type { RehearsedSession } from './rehearsal-seen.ts';
import { describeSession } from './rehearsal-seen.ts';
import { adviceFor } from './rehearsal-words.ts';

/** `messageId` null where it is none that may be shown. `address`: the rehearsal address. */
export interface RehearsalText {
  readonly about: {
    readonly id: string;
    readonly address: Address;
    readonly receivedAtMs: number;
    readonly messageId: string | null;
  };
  readonly organizationName: string;
  readonly hostName: string;
  readonly postmaster: Address;
  readonly session: RehearsedSession;
  readonly verdict: RehearsalVerdict;
}

const connectorsShownMax = 10;

/** What other mail of the session would be answered; null where it is taken. */
export function replyOf({ atRcpt, atContent }: RehearsalVerdict): Reply | null {
  return atRcpt.kind === 'refuse' ? atRcpt.reply : (atContent?.reply ?? null);
}

/** `550 5.7.51 TenantInboundAttribution; …`, on one line. */
export function formatRefusal({ code, status, lines }: Reply): string {
  const enhanced = status === null ? '' : `${formatEnhancedStatus(status)} `;
  return toPlainText(`${code} ${enhanced}${lines.join(' ')}`);
}

/** CRLF line ends, ends with one. */
export function writeRehearsalText(input: RehearsalText): string {
  const { about, hostName, organizationName } = input;
  const address = formatAddress(about.address);
  const lines = [
    ...paragraph(`This is the mail gateway ${hostName} of ${organizationName}.`),
    '',
    ...paragraph(
      `A mail from your address came to ${address}. With this address you can try how your mail server reaches us: the mail was judged as any other, is thrown away, and this is the verdict.`,
    ),
    '',
    ...describeVerdict(input.verdict),
    '',
    'What we saw',
    ...describeSession(input.session).flatMap((line) => item(line)),
    '',
    'What is demanded',
    ...describeConnectors(input.verdict.connectors),
    '',
    'What you can do',
    ...adviceFor(input.verdict, formatAddress(input.postmaster)).flatMap((line) => item(line)),
    '',
    'Which mail',
    ...item(`Taken: ${formatDateTime(about.receivedAtMs)}`),
    ...(about.messageId === null ? [] : item(`Message-ID: ${about.messageId}`)),
    ...item(`Reference: ${about.id}`),
    '',
    ...paragraph(
      'Not tried: whether a recipient exists, what a mail says, and how much mail you send.',
    ),
    '',
    ...paragraph(
      'If you did not send that mail, somebody used your address. You need do nothing; no more than a few such answers an hour go to your domain.',
    ),
  ];
  return lines.map((line) => `${line}\r\n`).join('');
}

function describeVerdict(verdict: RehearsalVerdict): string[] {
  const refusal = replyOf(verdict);
  const watching = verdict.connectors.filter(({ mode, isMet }) => mode !== 'enforce' && !isMet);
  if (refusal === null) {
    const later =
      watching.length === 0
        ? ''
        : ' But a connector that only watches so far is not met: once it is enforced, such mail is refused.';
    return paragraph(`Verdict: mail from this server is TAKEN.${later}`);
  }
  const isTemporary = refusal.code < 500;
  const willChange =
    verdict.atRcpt.kind === 'refuse' && verdict.atRcpt.temporaryKey !== null && isTemporary;
  const next = willChange
    ? ' Your server would try again, and after a while be refused for good.'
    : '';
  return [
    ...paragraph(`Verdict: mail from this server is REFUSED. It would be answered:`),
    ...item(formatRefusal(refusal)),
    ...(next === '' ? [] : paragraph(next.trim())),
  ];
}

const modeWords = {
  enforce: 'enforced',
  warn: 'only watched so far, and told to the administrator',
  observe: 'only watched so far',
} as const;

function describeConnectors(connectors: readonly RehearsedConnector[]): string[] {
  if (connectors.length === 0) {
    return item('No connector concerns your mail: nothing is demanded of it, not even encryption.');
  }
  const shown = connectors.slice(0, connectorsShownMax).flatMap((connector) => {
    const { name, mode, because, demands, isMet } = connector;
    const all = demands.length === 0 ? ['it demands nothing'] : [];
    return [
      ...item(`Connector "${name}" (${modeWords[mode]}; ${because}): ${isMet ? 'met' : 'NOT met'}`),
      ...all.flatMap((line) => item(line, 4)),
      ...demands.flatMap(({ demand, isMet: isOneMet, seen }) =>
        item(isOneMet ? `met: ${demand}` : `NOT met: ${demand}: ${seen}`, 4),
      ),
    ];
  });
  const others = connectors.length - connectorsShownMax;
  return others > 0 ? [...shown, ...item(`and ${others} more connectors`)] : shown;
}

function paragraph(text: string): string[] {
  return wrapText(toPlainText(text), 0);
}

function item(text: string, indent = 2): string[] {
  return wrapText(toPlainText(text), indent);
}
