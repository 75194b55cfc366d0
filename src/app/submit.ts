/** A message that came in through the API: the same judgement and the same queue as by SMTP. */
import { isAscii } from 'node:buffer';
import { findHeaderFault, readArrivingHeader } from '../content/arriving-header.ts';
import type { ArrivingHeader } from '../content/arriving-header.ts';
import { headerEnd } from '../content/header-block.ts';
import type { FirewallRules } from '../content/header-firewall.ts';
import type { Submission } from '../content/missing-fields.ts';
import { composeReceived } from '../content/received.ts';
import { formatAddress, parseAddress } from '../mail/address.ts';
import type { Address } from '../mail/address.ts';
import type { Content } from '../mail/content.ts';
import { Failure } from '../mail/failure.ts';
import type { Recipient } from '../mail/recipient.ts';
import { submittedRecipientsMax } from '../api/contract.ts';
import type { HeaderChanges, IncomingMessage } from '../policy/delivery.ts';
import { findDomainOwner } from '../policy/directory.ts';
import { judgeSubmitted, refuseUnverified } from '../policy/judge-recipient.ts';
import type { Policy } from '../policy/policy.ts';
import type { VerifyRecipient } from '../policy/recipient-verification.ts';
import type { ArrivingPart } from '../receiving/arrival.ts';
import { rulesForParts, statePart } from '../receiving/arrival.ts';
import type { Ruled, RuledSession } from '../receiving/rule-parts.ts';
import { editPieces, rulePart } from '../receiving/rule-parts.ts';
import { defaultLimits, headerBytesMax } from '../receiving/settings.ts';
import type { Meter } from '../report/meter.ts';
import { envelopeIdLengthMax, isEnvelopeId } from '../smtp/dsn-parameters.ts';
import type { SpoolWriter } from '../store/spool.ts';
import { readHeaderRecipients } from './header-recipients.ts';
import type { LaneSubmission } from './messages.ts';

export interface SubmitServices {
  policy(): Policy;
  newId(): string;
  readonly verifyRecipient: VerifyRecipient;
  /** All of them or none. */
  accept(...messages: readonly IncomingMessage[]): Promise<void>;
  readonly examine: RuledSession['examine'];
  openSpool(organization: string): Promise<SpoolWriter>;
  /** Larger content is spooled. */
  readonly memoryContentBytes: number;
  now(): number;
  readonly meter: Meter;
}

/** Who a message through the API is from, in the trace: whoever may open the socket. */
const account = 'administrator (API)';
const sizeBytesMax = 25 * 1024 * 1024;
/** Contents of `memoryContentBytes` that the copies which rules make may fill together in memory. */
const memoryContentsMax = 16;

/**
 * Resolves when the message is durable. Throws `submission-refused`, `submission-deferred` or
 * `recipient-unverified`.
 */
export async function submitMessage(
  submission: LaneSubmission,
  services: SubmitServices,
): Promise<{ readonly id: string }> {
  const policy = services.policy();
  const sender = readSender(policy, submission.from);
  const { buffer, byteOffset, byteLength } = submission.content;
  const content = Buffer.from(buffer, byteOffset, byteLength);
  refuseContent(content);
  const dsn = readDsnRequest(submission);
  const recipients = readRecipients(submission, content);
  await refuseNobodies(services, policy, sender.organization, recipients);
  const id = services.newId();
  const nowMs = services.now();
  const { hostName } = policy;
  const submitted = { id, hostName, author: sender.reversePath, atMs: nowMs };
  const end = headerEnd(content);
  const part = partOf(sender, recipients);
  const arriving = readHeader(content.subarray(0, end), rulesForParts(policy, [part]), submitted);
  const header = statePart(policy, part, arriving);
  const headerPieces = [receivedOf(submitted, recipients), ...header.pieces];
  const ruled = await rule(services, policy, {
    sender,
    recipients,
    arriving,
    headerPieces,
    body: content.subarray(end),
  });
  const message = {
    organization: sender.organization,
    reversePath: sender.reversePath,
    bodyType: isAscii(content) ? '7bit' : '8bitmime',
    source: { kind: 'submission', account },
    receivedAtMs: nowMs,
    evidence: null,
    decision: {
      formatVersion: 1,
      kind: 'accept',
      listener: 'api',
      ...(ruled.record === null ? {} : { rules: ruled.record }),
    },
    ...(dsn === undefined ? {} : { dsn }),
    ...(header.changes === null ? {} : { headerChanges: header.changes }),
  } as const;
  const messages = ruled.parts.map((part, i) => {
    const { recipients: final, ruling, hold } = part;
    const own = { ...submitted, id: i === 0 ? id : services.newId() };
    return {
      message: {
        ...message,
        id: own.id,
        recipients: final,
        clauses: ruling?.clauses ?? [],
        ...(ruling === null ? {} : { ruling }),
        ...(hold === null ? {} : { hold }),
      },
      pieces: [
        ...editPieces([receivedOf(own, recipients), ...header.pieces], part),
        content.subarray(end),
      ],
    };
  });
  const { memoryContentBytes } = services;
  const isLarge =
    content.length > memoryContentBytes ||
    content.length * messages.length > memoryContentsMax * memoryContentBytes;
  await acceptAll(messages, isLarge, services);
  countTaken(services.meter, header.changes);
  return { id };
}

function receivedOf({ id, hostName, atMs }: Submission, recipients: readonly Recipient[]): Buffer {
  return composeReceived({
    heloName: 'localhost',
    clientAddress: '127.0.0.1',
    clientName: null,
    byHost: hostName,
    protocol: 'ESMTPA',
    tls: null,
    id,
    recipient: recipients.length === 1 ? recipients[0]! : null,
    atMs,
  });
}

function countTaken(meter: Meter, changes: HeaderChanges | null): void {
  meter.count('messagesAccepted', { listener: 'api', encryption: 'inside' });
  for (const [field, count] of Object.entries(changes?.removed ?? {})) {
    meter.count('headerFieldsRemoved', { field }, count);
  }
}

/** Each once; what the sender asked of DSNs goes with it. */
function readRecipients(submission: LaneSubmission, content: Buffer): readonly Recipient[] {
  const { to, recipientsFromHeader, defaultDomain = null, notify } = submission;
  const named = to.map((text) => readAddress(text, 'recipient'));
  const inHeader =
    recipientsFromHeader === true ? readHeaderRecipients(content, defaultDomain) : [];
  const all = [...named, ...inHeader];
  const byText = new Map(all.map((address) => [formatAddress(address), address]));
  if (byText.size === 0) throw refusal('the message has no recipient');
  if (byText.size > submittedRecipientsMax) {
    throw refusal(`the message has more than ${submittedRecipientsMax} recipients`);
  }
  return [...byText.values()].map((address) =>
    notify === undefined ? address : { ...address, notify: [...new Set(notify)] },
  );
}

/** Only what MAIL can say to the next hop: else every attempt would fail on it. */
function readDsnRequest({ dsn }: LaneSubmission): LaneSubmission['dsn'] {
  const id = dsn?.envelopeId ?? null;
  if (id === null || isEnvelopeId(id)) return dsn;
  throw refusal(
    `the envelope id must be printable ASCII, at most ${envelopeIdLengthMax} characters as xtext`,
  );
}

/** As an account's, whatever sent it here. */
function partOf(
  sender: Pick<ArrivingPart, 'organization' | 'reversePath'>,
  recipients: readonly Recipient[],
): ArrivingPart {
  const origin = { kind: 'originating', connector: null, by: 'account' } as const;
  return { ...sender, origin, connectors: [], recipients, clientAddress: '' };
}

/** As by SMTP: the firewall, what is missing, loops. */
function readHeader(header: Buffer, rules: FirewallRules, submitted: Submission): ArrivingHeader {
  if (header.length > headerBytesMax) throw refusal('the header is larger than 256 KB');
  const arriving = readArrivingHeader(header, rules, submitted);
  const fault = findHeaderFault(arriving, defaultLimits);
  if (fault !== null) throw refusal(fault.lines[0]!);
  return arriving;
}

interface Ruling {
  readonly sender: { readonly organization: string; readonly reversePath: Address };
  readonly recipients: readonly Recipient[];
  readonly arriving: ArrivingHeader;
  readonly headerPieces: readonly Buffer[];
  readonly body: Buffer;
}

/** The mail-flow rules of the sender's organization, as by SMTP. */
async function rule(
  services: SubmitServices,
  policy: Policy,
  { sender, recipients, arriving, headerPieces, body }: Ruling,
): Promise<Ruled & { readonly kind: 'ruled' }> {
  const { organization, reversePath } = sender;
  const session: RuledSession = {
    policy,
    reversePath,
    clientAddress: '',
    isOverTls: true,
    from: arriving.facts.from,
    content: { kind: 'memory', bytes: Buffer.concat([...headerPieces, body]) },
    nowMs: services.now(),
    examine: (...asked) => services.examine(...asked),
  };
  const part = { organization, recipients, isOriginating: true, header: () => headerPieces };
  const ruled = await rulePart(session, part);
  if (ruled.kind === 'ruled') return ruled;
  const text = ruled.reply.lines.join(' ');
  throw ruled.reply.code < 500 ? deferred(text) : refusal(text);
}

interface Submitted {
  readonly message: Omit<IncomingMessage, 'content'>;
  readonly pieces: readonly Buffer[];
}

/** All or none; spooled files are removed where the messages are not accepted. */
async function acceptAll(
  messages: readonly Submitted[],
  isLarge: boolean,
  services: SubmitServices,
): Promise<void> {
  const spools: SpoolWriter[] = [];
  const contentOf = async ({ message, pieces }: Submitted): Promise<Content> => {
    if (!isLarge) return { kind: 'memory', bytes: Buffer.concat(pieces) };
    const spool = await services.openSpool(message.organization);
    spools.push(spool);
    for (const piece of pieces) await spool.write(piece);
    return spool.finish();
  };
  try {
    const whole: IncomingMessage[] = [];
    for (const each of messages) whole.push({ ...each.message, content: await contentOf(each) });
    if (whole.length > 0) await services.accept(...whole);
  } catch (error) {
    // What stays behind is swept at the next start; the failure was another one.
    for (const spool of spools) await spool.abandon().catch(() => undefined);
    throw error;
  }
}

function readSender(
  policy: Policy,
  text: string | null,
): { reversePath: Address; organization: string } {
  if (text === null) throw refusal('a message through the API needs a sender of ours');
  const reversePath = readAddress(text, 'sender');
  const owner = findDomainOwner(policy, reversePath.domain);
  if (owner === null) throw refusal(`${reversePath.domain} is not an accepted domain of ours`);
  return { reversePath, organization: owner.organization.id };
}

function readAddress(text: string, what: string): Address {
  const address = parseAddress(text);
  if (address === null) throw refusal(`the ${what} "${text}" is not a mail address`);
  return address;
}

/** Recipients that are judged at the same time. */
const judgedAtOnce = 50;
/** When no more are begun with: a minute after the question nobody waits for its answer. */
const judgedWithinMs = 25_000;

/** Some at a time: one after the other could last so long that whoever asked has asked again. */
async function refuseNobodies(
  services: SubmitServices,
  policy: Policy,
  organization: string,
  recipients: readonly Recipient[],
): Promise<void> {
  const untilMs = services.now() + judgedWithinMs;
  for (let from = 0; from < recipients.length; from += judgedAtOnce) {
    if (services.now() > untilMs) throw unverified('the recipients could not be verified in time');
    const some = recipients.slice(from, from + judgedAtOnce);
    await Promise.all(
      some.map((recipient) => refuseUndeliverable(services, policy, organization, recipient)),
    );
  }
}

/** The rules of a signed-in account. */
async function refuseUndeliverable(
  services: SubmitServices,
  policy: Policy,
  organization: string,
  recipient: Address,
): Promise<void> {
  const decision = judgeSubmitted(policy, { organization }, recipient);
  if (decision.kind === 'refuse') throw refusal(decision.reason);
  if (!decision.mustVerify) return;
  const verification = await services.verifyRecipient(organization, recipient);
  if (verification.kind === 'exists') return;
  const text = refuseUnverified(recipient, verification).reply.lines.join(' ');
  throw verification.kind === 'silent' ? unverified(text) : refusal(text);
}

/** What SMTP could not carry is not queued: bare CR or LF, NUL, or too much. */
function refuseContent(content: Buffer): void {
  if (content.length > sizeBytesMax) throw refusal('the message is larger than 25 MB');
  const text = content.toString('latin1');
  if (/\0|\r(?!\n)|(?<!\r)\n/.test(text)) {
    throw refusal('lines of the message must end in CR LF, and it must not hold NUL');
  }
  if (!text.endsWith('\r\n')) throw refusal('the last line of the message must end in CR LF');
}

/** A rule cannot be decided now. */
function deferred(text: string): Failure {
  return new Failure('submission-deferred', text, { wireText: text });
}

/** Nothing is wrong with the message: it is to be sent again. */
function unverified(text: string): Failure {
  return new Failure('recipient-unverified', text, { wireText: text });
}

function refusal(text: string): Failure {
  return new Failure('submission-refused', text, { wireText: text });
}
