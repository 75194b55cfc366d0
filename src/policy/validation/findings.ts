/** From what delivery makes of a failure to the finding that an administrator reads. Pure. */
import { formatEnhancedStatus } from '../../mail/enhanced-status.ts';
import type { Trouble } from '../classify.ts';
import { classifyTrouble } from '../classify.ts';
import type { RemoteMta } from '../outcome.ts';
import type { TlsRefusal } from '../tls-verdict.ts';
import type { ValidationCause } from './causes.ts';
import { exchangeTextOf, mends } from './causes.ts';
import type { Finding } from './run.ts';

/** What a finding is about; what is left out is null. */
export interface About {
  readonly host?: string;
  readonly address?: string | null;
  readonly recipient?: string;
  readonly status?: string;
}

export function findingOf(cause: ValidationCause, what: string, about: About = {}): Finding {
  const { host = null, address = null, recipient = null, status = null } = about;
  const exchangeText = exchangeTextOf(cause);
  return { cause, host, address, recipient, status, what, mend: mends[cause], exchangeText };
}

/** Of a host that could not be asked, or did not answer as it should; with delivery's own words. */
export function findingOfTrouble(
  trouble: Trouble,
  remoteMta: RemoteMta | null,
  about: About = {},
): Finding {
  const { reason, status } = classifyTrouble(trouble, { remoteMta, at: '' });
  const place =
    remoteMta === null ? {} : { host: remoteMta.hostName, address: remoteMta.address ?? null };
  return findingOf(causeOfTrouble(trouble), reason, {
    ...place,
    status: formatEnhancedStatus(status),
    ...about,
  });
}

/** Of a verdict that refused. `failureCode` is the handshake's own, null where it did not fail. */
export function findingOfRefusal(
  refusal: TlsRefusal,
  failureCode: string | null,
  about: About,
): Finding {
  const status = formatEnhancedStatus(refusal.status);
  return findingOf(causeOfRefusal(refusal, failureCode), refusal.reason, { ...about, status });
}

function causeOfTrouble(trouble: Trouble): ValidationCause {
  switch (trouble.kind) {
    case 'dns':
      return 'dns-failed';
    case 'no-such-host':
      return 'no-such-host';
    case 'null-mx':
      return 'null-mx';
    case 'loop':
      return 'mail-loop';
    case 'unroutable':
      return 'no-usable-host';
    case 'connect':
      return connectCauses[trouble.code] ?? 'connection-failed';
    case 'reply':
      return causeOfReply(trouble);
    case 'lost':
      return causeOfLoss(trouble);
    case 'unsendable':
      return 'message-refused';
    case 'tls':
      return tlsCauses[trouble.problem] ?? 'certificate-invalid';
    case 'policy':
      return 'broken-policy';
    case 'local':
      return 'gateway-trouble';
  }
}

const connectCauses: Readonly<Record<string, ValidationCause>> = {
  ECONNREFUSED: 'connection-refused',
  ETIMEDOUT: 'connection-timed-out',
  ECONNRESET: 'connection-closed',
  EPIPE: 'connection-closed',
};

function causeOfReply(trouble: Trouble & { readonly kind: 'reply' }): ValidationCause {
  const { stage, reply } = trouble;
  const isLater = reply.code < 500;
  // In clear some servers demand STARTTLS that they do not offer, or that somebody hides.
  const outcome = classifyTrouble(trouble, { remoteMta: null, at: '' });
  if (outcome.kind === 'deferred' && outcome.cause === 'tls-not-offered') return 'tls-demanded';
  switch (stage) {
    case 'connect':
    case 'greeting':
      return 'greeting-refused';
    case 'ehlo':
      return 'hello-refused';
    case 'starttls':
      return 'starttls-refused';
    case 'mail':
      return isLater ? 'recipient-deferred' : 'sender-refused';
    case 'rcpt':
      return isLater ? 'recipient-deferred' : 'recipient-refused';
    case 'data':
    case 'content':
      return isLater ? 'message-deferred' : 'message-refused';
  }
}

function causeOfLoss({ stage, loss }: Trouble & { readonly kind: 'lost' }): ValidationCause {
  const isSilent = loss.cause === 'timeout' || loss.cause === 'protocol';
  if (stage === 'greeting' && isSilent) return 'greeting-missing';
  if (loss.cause === 'timeout') return 'took-too-long';
  return loss.cause === 'local' ? 'gateway-trouble' : 'connection-closed';
}

function causeOfRefusal({ problem }: TlsRefusal, failureCode: string | null): ValidationCause {
  if (problem === 'HandshakeFailed') {
    if (failureCode === 'certificate-refused') return 'client-certificate-refused';
    if (failureCode === 'own-certificate-missing') return 'client-certificate-missing';
  }
  return tlsCauses[problem] ?? 'certificate-invalid';
}

/** By the verdict's word for the problem. */
const tlsCauses: Readonly<Record<string, ValidationCause>> = {
  NoStartTls: 'no-starttls',
  NoTls: 'no-starttls',
  StartTlsRefused: 'starttls-refused',
  HandshakeFailed: 'handshake-failed',
  OldVersion: 'version-too-old',
  GroupMismatch: 'group-mismatch',
  TwoAnchorSets: 'broken-policy',
  BrokenPolicy: 'broken-policy',
  NoCertificate: 'no-certificate',
  UntrustedRoot: 'untrusted-root',
  Expired: 'expired',
  NotYetValid: 'not-yet-valid',
  PinMismatch: 'pin-mismatch',
  SubjectMismatch: 'name-mismatch',
  AnchorsUnavailable: 'anchors-unavailable',
};
