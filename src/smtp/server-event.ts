/** What a server session is told at its start, and the events that it asks its driver to act on. */
import type { Address, ReversePath } from '../mail/address.ts';
import type { MailParameters } from '../mail/envelope.ts';
import type { RecipientRequest } from '../mail/recipient.ts';
import type { Reply } from '../mail/reply.ts';
import type { ContentRules } from './content-reader.ts';
import type { AuthMechanism } from './server-auth.ts';

export interface ServerSessionOptions extends ContentRules {
  /** Our name in greeting and EHLO reply. */
  readonly hostName: string;
  /** From the first byte on: implicit TLS. */
  readonly isUnderTls: boolean;
  readonly offersStartTls: boolean;
  /** AUTH is announced and accepted under TLS only. */
  readonly offersAuth: boolean;
  readonly recipientsMax: number;
  /** Refused commands (syntax, sequence) until the session is closed. */
  readonly errorsMax: number;
  /** Commands other than RCPT, DATA and BDAT with octets since the last accepted content until it is closed. */
  readonly commandsMax: number;
}

/**
 * What the driver must act on. All but `content` and `reset` want an `answer` before `next` goes on:
 * `starttls` 220, then the handshake and `secured`; `auth` 235; `mail` and `recipient` 250; `data`
 * 354, before the first BDAT too; `content-end` 250, or where there is a `problem` never a positive
 * reply. Anything else refuses.
 * A `recipient` of null is the bare `<Postmaster>`. `content` shares memory with what was fed.
 */
export type ServerEvent =
  | { readonly kind: 'starttls' }
  | {
      readonly kind: 'auth';
      readonly mechanism: AuthMechanism;
      readonly username: string;
      readonly password: string;
    }
  | {
      readonly kind: 'mail';
      readonly reversePath: ReversePath;
      readonly sizeBytes: number | null;
      readonly parameters: MailParameters;
    }
  | {
      readonly kind: 'recipient';
      readonly recipient: Address | null;
      readonly request: RecipientRequest;
    }
  | { readonly kind: 'data' }
  | { readonly kind: 'content'; readonly bytes: Buffer }
  | { readonly kind: 'content-end'; readonly sizeBytes: number; readonly problem: Reply | null }
  | { readonly kind: 'reset' };

/** Those that want an answer. */
export type AskingKind = Exclude<ServerEvent['kind'], 'content' | 'reset'>;
