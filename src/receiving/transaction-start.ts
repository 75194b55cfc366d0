/** What a transaction begins with, and what its recipients were answered. */
import type { MailParameters } from '../mail/envelope.ts';
import type { InboundDecision, InboundSession } from '../policy/inbound-session.ts';
import type { ReceivingServices } from './services.ts';
import type { ListenerSettings } from './settings.ts';

export interface TransactionContext {
  readonly settings: ListenerSettings;
  readonly services: ReceivingServices;
}

/** What MAIL declared, and how the client introduced itself. */
export interface TransactionStart {
  readonly session: InboundSession;
  readonly isExtended: boolean;
  readonly parameters: MailParameters;
  readonly declaredBytes: number | null;
  /** Handed over inside, and bound to TLS where it came from. Absent is false. */
  readonly isForced?: boolean;
}

export type AcceptedDecision = InboundDecision & { readonly kind: 'accept' };
