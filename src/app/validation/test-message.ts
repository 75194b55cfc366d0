/** The message that a validation sends: short, plain, and clearly a test. */
import { composeMessage } from '../../cli/compose-message.ts';
import type { Address } from '../../mail/address.ts';
import { formatAddress } from '../../mail/address.ts';

/** Exchange's, so that it is recognized. */
export const defaultSubject = 'Test email for connector validation';

/** `id` is that of the run. */
export interface TestMessageParts {
  readonly id: string;
  readonly from: Address;
  readonly to: readonly Address[];
  readonly subject: string;
  readonly connector: string;
  readonly hostName: string;
  readonly nowMs: number;
}

/** Nobody shall answer it automatically. @see RFC 3834 §5 */
const automatic = 'Auto-Submitted: auto-generated\r\n';

/** The whole content, ASCII with CRLF line ends. */
export function composeTestMessage(parts: TestMessageParts): Uint8Array {
  const { id, from, to, subject, connector, hostName, nowMs } = parts;
  const body = [
    `This message tests the outbound connector "${connector}" of ${from.domain}.`,
    '',
    'It was sent on order of an administrator there, by the way that mail to you takes, and it says',
    'nothing else. If it reached a person: thank you, nothing is to be done.',
    '',
    `Gateway: ${hostName}`,
    `Run: ${id}`,
    `To: ${to.map(formatAddress).join(', ')}`,
    '',
  ].join('\n');
  const message = composeMessage({ from, to, subject, body, nowMs, uniqueText: id });
  return Buffer.concat([Buffer.from(automatic), message]);
}
