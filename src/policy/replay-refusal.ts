/** Another policy over a recorded refusal: would the sender or recipient have been accepted. */
import { formatAddress } from '../mail/address.ts';
import { findOrganization } from './directory.ts';
import type { InboundSession } from './inbound-session.ts';
import { judgeRecipient } from './judge-recipient.ts';
import { judgeMailFrom } from './judge-sender.ts';
import type { Policy } from './policy.ts';
import type { RecordedRefusal } from './recorded.ts';
import type { Change, Replayed, Undecidable } from './replayed.ts';
import { clockAt, partnerOf } from './replay-arrival.ts';
import { whatIsUnexamined } from './replay-unexamined.ts';

const same: Replayed = { changes: [], undecided: [] };

/** What was refused for rates, size, form or content would be refused again. */
export function replayRefusal(policy: Policy, refusal: RecordedRefusal): Replayed {
  const { session, recipient, status } = refusal;
  if (session === null) return refusal.isPartial ? undecided('partial') : same;
  if (session.listener === 'submission' || session.account !== null) {
    return replaySubmitted(policy, refusal, session);
  }
  if (recipient !== null) return isByPolicy(refusal) ? replayRecipient(policy, refusal) : same;
  const isByHeader = status === '5.7.51' || status === '4.7.5';
  if (!isByHeader || refusal.policyRevision === policy.revision) return same;
  return undecided('header-from');
}

/** What `judgeRecipient` answers, and the server that keeps a mailbox. */
const statusesByPolicy: ReadonlySet<string> = new Set([
  '4.7.0',
  '4.7.5',
  '5.1.1',
  '4.4.1',
  '5.4.1',
  '5.7.1',
  '5.7.10',
  '5.7.51',
  '5.7.64',
  '5.7.68',
]);
const statusesByServer: ReadonlySet<string> = new Set(['5.1.1', '4.4.1']);

/** 4.7.1 is a rate limit's too, which belongs to no organization. */
function isByPolicy({ status, organization }: RecordedRefusal): boolean {
  if (status === '4.7.1') return organization !== null;
  return status !== null && statusesByPolicy.has(status);
}

function replaySubmitted(
  policy: Policy,
  refusal: RecordedRefusal,
  session: InboundSession,
): Replayed {
  if (session.account === null) return same;
  const { organization } = session.account;
  if (findOrganization(policy, organization) === null) {
    return undecided('no-organization', organization);
  }
  if (judgeMailFrom(policy, session) !== null) return same;
  if (refusal.recipient !== null) {
    const isByRate = refusal.status === '4.7.1';
    return isByPolicy(refusal) && !isByRate ? replayRecipient(policy, refusal) : same;
  }
  if (refusal.status !== '5.7.60' || refusal.policyRevision === policy.revision) return same;
  return undecided('header-from');
}

function replayRecipient(policy: Policy, refusal: RecordedRefusal): Replayed {
  const { atMs, status } = refusal;
  const [session, recipient] = [refusal.session!, refusal.recipient!];
  const decision = judgeRecipient(policy, session, recipient, clockAt(atMs));
  const unexamined = whatIsUnexamined(policy, session, decision, atMs);
  if (unexamined !== null) return { changes: [], undecided: [unexamined] };
  if (decision.kind === 'refuse') return same;
  if (decision.mustVerify) {
    const wasAsked = status !== null && statusesByServer.has(status);
    return wasAsked ? same : undecided('verification', formatAddress(recipient));
  }
  const by = refusal.connector === null ? '' : ` by the connector "${refusal.connector}"`;
  const isSubmitted = session.account !== null;
  const change: Change = {
    kind: 'accepted',
    direction: isSubmitted ? 'outbound' : 'inbound',
    partner: isSubmitted ? recipient.domain : partnerOf(session, '<>'),
    recipient: formatAddress(recipient),
    because: `was refused with ${refusal.code} ${status ?? ''}${by}`,
    reason: refusal.reason,
  };
  return { changes: [change], undecided: [] };
}

function undecided(why: Undecidable, detail = ''): Replayed {
  return { changes: [], undecided: [{ why, detail }] };
}
