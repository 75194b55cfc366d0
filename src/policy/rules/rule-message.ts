/** What mail-flow rules look at: the envelope, the header, and answers about the content. */
import type { ReversePath } from '../../mail/address.ts';
import type { Recipient } from '../../mail/recipient.ts';
import type { HeaderFrom } from '../judge-sender.ts';

/** One header field; `name` lower-case, `value` unfolded and decoded. */
export interface RuleField {
  readonly name: string;
  readonly value: string;
}

/** The header as it is kept: after the firewall, with what was added. */
export interface RuleHeader {
  readonly fields: readonly RuleField[];
  readonly from: HeaderFrom;
  /** How often rules of ours have sent the message elsewhere before. */
  readonly passes: number;
}

/** `recipients` as the sender named them, before aliases. */
export interface RuleMessage {
  readonly reversePath: ReversePath;
  readonly recipients: readonly Recipient[];
  /** Signed in, or from a server that a connector proves to be the organization's own. */
  readonly isAuthenticated: boolean;
  /** Null where no connection brought it. */
  readonly clientAddress: string | null;
  /** Over TLS, or on a way that crosses no network: it was in clear nowhere so far. */
  readonly isOverTls: boolean;
  readonly sizeBytes: number;
  readonly header: RuleHeader;
}

/** What is asked of the content; equal questions have equal keys. Plain data. */
export type ContentQuestion = { readonly key: string } & (
  | { readonly kind: 'body-contains-words'; readonly words: readonly string[] }
  | { readonly kind: 'body-matches-patterns'; readonly patterns: readonly string[] }
  | { readonly kind: 'attachment-name-contains-words'; readonly words: readonly string[] }
  | { readonly kind: 'attachment-name-matches-patterns'; readonly patterns: readonly string[] }
  | { readonly kind: 'attachment-extension-is'; readonly extensions: readonly string[] }
  | { readonly kind: 'attachment-type-is'; readonly types: readonly string[] }
);

/** `reason` completes "it cannot be known, because …". */
export type Answer =
  | { readonly kind: 'yes' | 'no' }
  | {
      readonly kind: 'unknown';
      readonly reason: string;
      /** The gateway was busy or hindered: at another time it may be known. */
      readonly isPassing?: boolean;
    };

/** By the key of the question. A question without an answer is unknown. */
export type MessageFacts = ReadonlyMap<string, Answer>;

/** For messages of which no rule asks for content. */
export const noFacts: MessageFacts = new Map();
