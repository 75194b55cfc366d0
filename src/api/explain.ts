/**
 * What would happen to a hypothetical message: the decisions of `policy`, unchanged, with the
 * evidence that was supposed.
 *
 * One function for the running gateway and for `postern explain` on a file; `app` hands it to both.
 */
import type { Address } from '../mail/address.ts';
import { formatAddress, parseAddress } from '../mail/address.ts';
import { Failure } from '../mail/failure.ts';
import { findDomainOwner, findUnprovenClaim } from '../policy/directory.ts';
import type { Evidence, TlsEvidence } from '../policy/evidence.ts';
import { findRecipient } from '../policy/find-recipient.ts';
import type { InboundSession } from '../policy/inbound-session.ts';
import { judgeAsMailbox, judgeRecipient } from '../policy/judge-recipient.ts';
import type { Policy } from '../policy/policy.ts';
import { isRehearsalAddress } from '../policy/rehearsal-address.ts';
import type { ExplainAnswer, ExplainQuestion } from './contract.ts';
import type { ExplainTools } from './explain-content.ts';
import { judgeContent } from './explain-content.ts';
import { formatReplyLine, formatTime } from './queue-view.ts';

/** An address of documentation (RFC 5737): no connector should name it. */
export const unnamedClientAddress = '192.0.2.1';

/** Throws a Failure `api-request-invalid` for addresses that are none. */
export async function explainMail(
  policy: Policy,
  question: ExplainQuestion,
  tools: ExplainTools,
): Promise<ExplainAnswer> {
  const recipient = readAddress(question.to, 'to');
  const sender = question.from === null ? null : readAddress(question.from, 'from');
  const owner = findDomainOwner(policy, recipient.domain)?.organization ?? null;
  const session: InboundSession = {
    listener: 'mx',
    clientAddress: question.clientAddress ?? unnamedClientAddress,
    heloName: question.heloName ?? sender?.domain ?? 'unknown.invalid',
    evidence: await supposeEvidence(policy, question, tools),
    account: null,
    reversePath: sender,
  };
  const isSession = question.clientAddress !== null || question.clientCertificate !== null;
  const isClaimed = findUnprovenClaim(policy, recipient.domain) !== null;
  const isInbound = owner !== null || isClaimed || isSession;
  const atRcpt = isInbound ? judgeInbound(policy, session, recipient, tools.nowMs) : null;
  const organization = atRcpt?.organization ?? findSendingOrganization(policy, sender);
  const supposed = { policy, question, session, recipient, tools };
  const content =
    organization === null || atRcpt?.kind === 'refuse'
      ? null
      : judgeContent(supposed, atRcpt, organization);
  const inbound = content === null ? atRcpt : content.inbound;
  return {
    formatVersion: 1,
    policyRevision: policy.revision,
    question: {
      from: sender === null ? null : formatAddress(sender),
      to: formatAddress(recipient),
      clientAddress: session.clientAddress,
      heloName: session.heloName,
      encryption: question.encryption,
      headers: question.headers,
      sizeBytes: question.sizeBytes,
    },
    direction: isInbound ? 'inbound' : 'outbound',
    inbound,
    rules: content?.rules ?? null,
    outbound: content?.outbound ?? null,
    expansion: content?.expansion ?? null,
    notes: [
      ...noteSuppositions(policy, question, sender, isInbound),
      ...(content?.notes ?? []),
      ...(isRehearsalAddress(policy, recipient) ? [rehearsed] : []),
      ...(inbound?.existence === 'verify' && inbound.kind === 'accept' ? [asked] : []),
    ],
  };
}

const rehearsed =
  'it is a rehearsal address: other mail of this session is judged so; what is sent to it is taken, answered with this verdict, and thrown away';
const asked =
  'whether the recipient exists is asked of the server that keeps it, at RCPT; that was not done here';

function existenceOf(
  policy: Policy,
  recipient: Address,
): NonNullable<ExplainAnswer['inbound']>['existence'] {
  const found = findRecipient(policy, recipient);
  if (found.kind === 'elsewhere') return found.existence;
  return found.kind === 'foreign' ? 'not-ours' : found.kind;
}

function readAddress(text: string, field: string): Address {
  const address = parseAddress(text);
  if (address !== null) return address;
  const message = `${field}: "${text}" is not a mail address`;
  throw new Failure('api-request-invalid', message, { wireText: message });
}

function judgeInbound(
  policy: Policy,
  session: InboundSession,
  recipient: Address,
  nowMs: number,
): NonNullable<ExplainAnswer['inbound']> {
  const clock = { nowMs, firstRefusedAtMs: () => null };
  const judge = isRehearsalAddress(policy, recipient) ? judgeAsMailbox : judgeRecipient;
  const decision = judge(policy, session, recipient, clock);
  const { evidence } = session;
  const considered = [...decision.considered];
  const existence = existenceOf(policy, recipient);
  if (decision.kind === 'accept') {
    const { kind, organization, origin, connectors, shadow } = decision;
    const accepted = {
      kind,
      organization,
      origin,
      connectors: [...connectors],
      shadow: [...shadow],
    };
    const answered = { reply: null, repliedAt: null, reason: null };
    return { ...accepted, ...answered, considered, evidence, existence };
  }
  const owner = findDomainOwner(policy, recipient.domain);
  return {
    kind: 'refuse',
    organization: owner?.organization.id ?? null,
    origin: null,
    connectors: [],
    shadow: [],
    reply: formatReplyLine(decision.reply),
    repliedAt: 'rcpt',
    reason: decision.reason,
    considered,
    evidence,
    existence,
  };
}

/** The sender's organization; the only one where the sender is nobody's. */
function findSendingOrganization(policy: Policy, sender: Address | null): string | null {
  const owner = sender === null ? null : findDomainOwner(policy, sender.domain);
  if (owner !== null) return owner.organization.id;
  return policy.organizations.length === 1 ? policy.organizations[0]!.id : null;
}

function noteSuppositions(
  policy: Policy,
  question: ExplainQuestion,
  sender: Address | null,
  isInbound: boolean,
): string[] {
  const notes: string[] = [];
  const isOurs = sender !== null && findDomainOwner(policy, sender.domain) !== null;
  if (isInbound) {
    if (question.clientAddress === null) {
      notes.push(`no client address was given: ${unnamedClientAddress} is supposed`);
    }
    if (question.encryption !== 'none' && question.clientCertificate === null) {
      notes.push('a TLS session without a client certificate is supposed');
    }
    notes.push('whether a certificate was revoked is not checked');
  } else if (!isOurs) {
    notes.push(
      policy.organizations.length === 1
        ? 'the sender is in no accepted domain: only signed-in accounts may send, as themselves'
        : 'the sender is in no accepted domain, so no organization of ours would send this',
    );
  }
  return notes;
}

/** A session of the asked encryption; with a certificate, what examining it found. */
async function supposeEvidence(
  policy: Policy,
  question: ExplainQuestion,
  tools: ExplainTools,
): Promise<Evidence> {
  const evidence: Evidence = {
    formatVersion: 1,
    connectionId: 'explain',
    observedAt: formatTime(tools.nowMs),
    role: 'server',
    peer: {
      address: question.clientAddress ?? unnamedClientAddress,
      port: 0,
      hostName: question.heloName,
    },
    encryption: question.encryption === 'none' ? 'not-used' : 'established',
    failure: null,
    tls: null,
  };
  if (question.encryption === 'none') return evidence;
  const supposed = supposeTls(question.encryption);
  if (question.clientCertificate === null) return { ...evidence, tls: supposed };
  const examined = await tools.examineCertificate(question.clientCertificate, policy);
  const { chain, paths } = examined.tls ?? supposed;
  return { ...evidence, tls: { ...supposed, chain, paths } };
}

function supposeTls(protocol: 'TLSv1.2' | 'TLSv1.3'): TlsEvidence {
  const [cipher, cipherStandardName] =
    protocol === 'TLSv1.3'
      ? (['TLS_AES_256_GCM_SHA384', 'TLS_AES_256_GCM_SHA384'] as const)
      : (['ECDHE-ECDSA-AES256-GCM-SHA384', 'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384'] as const);
  return {
    protocol,
    cipher,
    cipherStandardName,
    group: 'X25519',
    mode: 'starttls',
    sni: null,
    chain: [],
    paths: [],
    openssl: null,
    revocation: 'not-checked',
    ownCertificate: null,
    resumedFrom: null,
  };
}
