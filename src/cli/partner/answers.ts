/** What the wizard for a partner knows: what was answered so far, and what stands around it. Plain data. */
import type { DomainPattern } from '../../mail/domain-pattern.ts';

/** In words, as people and options write them; flags are `true` and `false`. */
export type Answer = string | readonly string[];

export type AnswerKey =
  | 'organization'
  | 'direction'
  | 'name'
  | 'recipientDomains'
  | 'senderDomains'
  | 'smartHosts'
  | 'look'
  | 'tlsSettings'
  | 'anchors'
  | 'tlsDomain'
  | 'pins'
  | 'requireTls'
  | 'senderProof'
  | 'tlsSenderCertificateName'
  | 'acceptServerAuthOnly'
  | 'senderPins'
  | 'ip'
  | 'mode'
  | 'reason';

export type Answers = Readonly<Partial<Record<AnswerKey, Answer>>>;

export type ConnectorKind = 'inbound-connector' | 'outbound-connector';

/** A connector that is there; `domains` are those by which mail takes it. */
export interface Existing {
  readonly kind: ConnectorKind;
  readonly name: string;
  readonly isOn: boolean;
  readonly domains: readonly DomainPattern[];
}

/** One host at one address that showed a certificate. `notAfter` in RFC 3339; texts are sanitized. */
export interface SeenServer {
  readonly host: string;
  readonly address: string | null;
  readonly names: readonly string[];
  readonly issuer: string;
  readonly notAfter: string;
  readonly spki256: string;
  /** Whether the chain leads to a CA that is trusted. */
  readonly isTrusted: boolean;
}

/**
 * `pattern` is what the command was called with, `domain` without its star. `given` will be the answers of
 * questions that have not come yet. `connectors` are of the organization that was
 * answered; `seen` null where nobody looked.
 */
export interface Situation {
  readonly domain: string;
  readonly pattern: string;
  readonly answers: Answers;
  readonly given: Answers;
  readonly organizations: readonly string[];
  readonly connectors: readonly Existing[];
  readonly seen: readonly SeenServer[] | null;
}

/** Empty where it was not answered. */
export function wordOf({ answers }: Pick<Situation, 'answers'>, key: AnswerKey): string {
  const answer = answers[key];
  return typeof answer === 'string' ? answer : '';
}

/** Empty where it was not answered. */
export function listOf({ answers }: Pick<Situation, 'answers'>, key: AnswerKey): readonly string[] {
  const answer = answers[key] ?? [];
  return typeof answer === 'string' ? [answer] : answer;
}

export function isOutbound(situation: Pick<Situation, 'answers'>): boolean {
  return wordOf(situation, 'direction') !== 'inbound';
}

export function isInbound(situation: Pick<Situation, 'answers'>): boolean {
  return wordOf(situation, 'direction') !== 'outbound';
}

/** Whether a CA and names are looked at on the way out. */
export function isValidated(situation: Pick<Situation, 'answers'>): boolean {
  const settings = wordOf(situation, 'tlsSettings');
  return (
    isOutbound(situation) &&
    (settings === 'CertificateValidation' || settings === 'DomainValidation')
  );
}

/** Whether the partner's servers are known by a name on their certificate. */
export function hasSenderName(situation: Pick<Situation, 'answers'>): boolean {
  return isInbound(situation) && wordOf(situation, 'senderProof') === 'name';
}
