/**
 * What a message needs of the next hop, found in its content: for messages that declared more than a
 * hop offers, and so never on the ordinary path.
 *
 * @see RFC 6152 §3 (8BITMIME), RFC 6531 §3.4, §3.6 (SMTPUTF8)
 */
import { isAscii } from 'node:buffer';
import { headerEnd } from '../content/header-block.ts';
import { needsSmtpUtf8 } from '../mail/address.ts';
import type { Content } from '../mail/content.ts';
import type { MailParameters } from '../mail/envelope.ts';
import { mailParametersOf } from '../mail/envelope.ts';
import type { Recipient } from '../mail/recipient.ts';
import type { Delivery } from '../policy/delivery.ts';
import { bodyOf } from './body.ts';

/** What was declared, less what is not needed. Content that cannot be read keeps what it declared. */
export async function findNeeded(
  delivery: Delivery,
  recipients: readonly Recipient[],
): Promise<MailParameters> {
  const declared = mailParametersOf(delivery);
  const seen = await lookAt(delivery.content);
  if (seen === null) return declared;
  const { reversePath } = delivery;
  const addresses = reversePath === null ? recipients : [reversePath, ...recipients];
  return {
    ...declared,
    bodyType: seen.isAscii ? '7bit' : declared.bodyType,
    smtpUtf8: !seen.isHeaderAscii || addresses.some(needsSmtpUtf8),
  };
}

interface Seen {
  readonly isAscii: boolean;
  readonly isHeaderAscii: boolean;
}

async function lookAt(content: Content): Promise<Seen | null> {
  const body = bodyOf(content);
  if (body.kind === 'memory') {
    const { bytes } = body;
    return { isAscii: isAscii(bytes), isHeaderAscii: isAscii(bytes.subarray(0, headerEnd(bytes))) };
  }
  let isHeader = true;
  const seen = { isAscii: true, isHeaderAscii: true };
  let tail = Buffer.alloc(0);
  try {
    for await (const chunk of body.open()) {
      if (isHeader) {
        // The empty line may lie across two chunks.
        const joined = Buffer.concat([tail, chunk]);
        const end = headerEnd(joined);
        if (!isAscii(joined.subarray(0, end))) seen.isHeaderAscii = false;
        isHeader = end === joined.length;
        tail = Buffer.from(joined.subarray(-3));
      }
      if (!isAscii(chunk)) seen.isAscii = false;
    }
  } catch {
    // The transaction that follows, if any, says what is wrong with the file.
    return null;
  }
  return seen;
}
