/**
 * What is kept about each message: a trace of records, and the content-addressed facts they cite.
 *
 * Records are canonical JSON with a format version. A decision or an evidence that a thousand
 * messages share is stored once, under the hash of its canonical form.
 */

/** `hash` is SHA-256 of `json` (canonical, UTF-8) in base64url. */
export interface Fact {
  readonly hash: string;
  readonly kind: 'decision' | 'evidence' | 'clauses';
  readonly json: string;
}

export type TraceKind =
  'received' | 'refused' | 'attempt' | 'retried' | 'held' | 'released' | 'expired' | 'dsn';

/** What a message or refusal can be searched by: addresses as text, the null reverse-path empty. */
export interface TraceIndex {
  readonly sender: string;
  readonly recipients: readonly string[];
}

/** `key` is the queue id's key (for refusals an id of their own); `json` canonical, versioned. */
export interface TraceRecord {
  readonly key: number;
  readonly atMs: number;
  readonly kind: TraceKind;
  readonly json: string;
  /** Of the first record of a message or refusal; is not read back. */
  readonly index?: TraceIndex;
  /** Somebody was given up; absent where nobody was, and is not read back. */
  readonly hasBounced?: boolean;
}
