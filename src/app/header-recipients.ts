/** Recipients that stand in the header of a submission: `sendmail -t`. @see RFC 5322 §3.6.3, §3.6.6 */
import { headerEnd, parseHeaderBlock } from '../content/header-block.ts';
import { submittedRecipientsMax } from '../api/contract.ts';
import type { Address } from '../mail/address.ts';
import { Failure } from '../mail/failure.ts';
import { headerBytesMax } from '../receiving/settings.ts';
import { parseAddressList } from '../standards/message-format/address-list.ts';

const plain: ReadonlySet<string> = new Set(['to', 'cc', 'bcc']);
const resent: ReadonlySet<string> = new Set(['resent-to', 'resent-cc', 'resent-bcc']);

/** What a header may hold, as `receiving/settings.ts` bounds it. */
const bounds = {
  lengthMax: headerBytesMax,
  addressesMax: submittedRecipientsMax,
  mayBeEmpty: true,
};

/**
 * In the order of the fields; those of a message that is sent again where there are such, else To, Cc and
 * Bcc. Names without a domain get `defaultDomain`. Throws `submission-refused` for a field that cannot be
 * read, or such a name where there is none: half of the recipients is worse.
 */
export function readHeaderRecipients(
  content: Buffer,
  defaultDomain: string | null,
): readonly Address[] {
  const { fields } = parseHeaderBlock(content.subarray(0, headerEnd(content)));
  const named = (names: ReadonlySet<string>) =>
    fields.filter(({ name }) => names.has(name.toLowerCase()));
  const again = named(resent);
  return (again.length > 0 ? again : named(plain)).flatMap(({ name, value }) => {
    const list = parseAddressList(value, { ...bounds, defaultDomain });
    if (list.kind === 'addresses') return list.addresses;
    const text = `the field ${name} ${list.reason}; write each address as local-part@domain`;
    throw new Failure('submission-refused', text, { wireText: text });
  });
}
