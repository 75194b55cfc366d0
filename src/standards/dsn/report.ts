/**
 * The multipart/report container: a text for people, a part for programs, and what is returned of
 * the original.
 *
 * Everything in it is 7-bit, so that it passes every server.
 * @see RFC 6522 §3, RFC 3462, RFC 2046 §5.1.1, RFC 2046 §5.2.1 (message/rfc822)
 */
import { formatQuotedPrintable } from '../message-format/quoted-printable.ts';

/** What is returned, 7-bit with CRLF line ends: the header, or the whole message. */
export interface Returned {
  readonly kind: 'headers' | 'message';
  readonly text: string;
}

/** CRLF line ends; `boundary` occurs in none of the texts. */
export interface Report {
  readonly boundary: string;
  /** For people; may hold any character. */
  readonly text: string;
  /** message/delivery-status, 7-bit. */
  readonly deliveryStatus: string;
  /** Null leaves the part out. */
  readonly returned: Returned | null;
}

/** The value of the message's Content-Type field, folded. */
export function formatReportType(boundary: string): string {
  return `multipart/report; report-type=delivery-status;\r\n boundary="${boundary}"`;
}

/** The body of the message, from the first boundary to the CRLF after the last. */
export function formatReportBody(report: Report): string {
  const parts = [
    formatText(report.text),
    formatPart('Delivery report', 'message/delivery-status', report.deliveryStatus),
  ];
  if (report.returned !== null) parts.push(formatReturned(report.returned));
  const delimiter = `--${report.boundary}`;
  return parts.map((part) => `${delimiter}\r\n${part}\r\n`).join('') + `${delimiter}--\r\n`;
}

function formatText(text: string): string {
  if (/^[\t\r\n -~]*$/.test(text)) {
    return formatPart('Notification', 'text/plain; charset=us-ascii', text);
  }
  const fields = { type: 'text/plain; charset=utf-8', encoding: 'quoted-printable' };
  return formatPart('Notification', fields.type, formatQuotedPrintable(text), fields.encoding);
}

function formatReturned({ kind, text }: Returned): string {
  if (kind === 'message') return formatPart('Your mail', 'message/rfc822', text);
  return formatPart('Header of your mail', 'text/rfc822-headers; charset=us-ascii', text);
}

function formatPart(description: string, type: string, body: string, encoding = '7bit'): string {
  return (
    `Content-Description: ${description}\r\n` +
    `Content-Type: ${type}\r\n` +
    `Content-Transfer-Encoding: ${encoding}\r\n\r\n${body}`
  );
}
