/**
 * Fields that a submitted message lacks and that we add; never to mail of other servers.
 *
 * The author may leave the clock and the numbering to us, not the name: SMTP clients write From, else
 * they are refused. Through the API it is written as sendmail(1) always did.
 * @see RFC 6409 §8.2 (Date), §8.3 (Message-ID), RFC 5322 §3.6
 */
import type { Address } from '../mail/address.ts';
import { formatAddress } from '../mail/address.ts';
import { formatDateTime } from '../standards/message-format/date-time.ts';
import type { HeaderFacts } from './header-facts.ts';

/** When, and our queue id and host name for a Message-ID. */
export interface Submission {
  readonly id: string;
  readonly hostName: string;
  /** Who stands in From where the message has none; null: it stays without. */
  readonly author: Address | null;
  readonly atMs: number;
}

/** `bytes` are whole fields; both are empty where nothing was missing. */
export interface MissingFields {
  readonly names: readonly string[];
  readonly bytes: Buffer;
}

export function composeMissingFields(facts: HeaderFacts, submission: Submission): MissingFields {
  const { id, hostName, author, atMs } = submission;
  const fields: [string, string][] = [];
  // In a header that readers may see in different ways, From may be there after all.
  if (facts.from.kind === 'none' && !facts.isMalformed && author !== null) {
    fields.push(['From', formatAddress(author)]);
  }
  if (!facts.hasDate) fields.push(['Date', formatDateTime(atMs)]);
  if (!facts.hasMessageId) fields.push(['Message-ID', `<${id}@${hostName}>`]);
  const text = fields.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  return { names: fields.map(([name]) => name), bytes: Buffer.from(text, 'latin1') };
}
