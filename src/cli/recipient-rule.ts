/** Who exists in an accepted domain, and where its delivery target is, in words; for `config check` and `explain`. */
import { formatAddress } from '../mail/address.ts';
import type { AcceptedDomain, DeliveryTarget } from '../policy/policy.ts';

export function describeRecipients(domain: AcceptedDomain): string {
  const { recipients, deliveryTarget, catchAll } = domain;
  const keeper = deliveryTarget === null ? 'its server' : `"${deliveryTarget}"`;
  const others = describeOthers(recipients, keeper);
  const rest = catchAll === null ? '' : `; unknown ones go to ${formatAddress(catchAll)}`;
  return `mailboxes and aliases here${others}${rest}`;
}

function describeOthers(recipients: AcceptedDomain['recipients'], keeper: string): string {
  switch (recipients.kind) {
    case 'none':
      return '';
    case 'list': {
      const count = recipients.localParts.length;
      return `, ${count} listed ${count === 1 ? 'one' : 'ones'} at ${keeper}`;
    }
    case 'verify':
      return `; others are asked of ${keeper} at RCPT`;
    case 'any':
      return `; every other address is taken unasked for ${keeper}`;
  }
}

/** `LMTP to unix:/run/lmtp`, `SMTP to mail.inner.test port 25`. */
export function describeTargetPlace({ protocol, address }: DeliveryTarget): string {
  const place =
    address.kind === 'unix' ? `unix:${address.path}` : `${address.host} port ${address.port}`;
  return `${protocol.toUpperCase()} to ${place}`;
}
