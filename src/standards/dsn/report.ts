/**
 * The multipart/report container: a text for people, a part for programs, and what is returned of
 * the original.
 *
 * @see RFC 6522 §3, RFC 3462, RFC 2046 §5.1.1
 */

/** All texts are 7-bit with CRLF line ends; `boundary` occurs in none of them. */
export interface Report {
  readonly boundary: string;
  /** For people. */
  readonly text: string;
  /** message/delivery-status. */
  readonly deliveryStatus: string;
  /** Header of the original for text/rfc822-headers; null leaves the part out. */
  readonly returnedHeaders: string | null;
}

/** The value of the message's Content-Type field, folded. */
export function formatReportType(boundary: string): string {
  return `multipart/report; report-type=delivery-status;\r\n boundary="${boundary}"`;
}

/** The body of the message, from the first boundary to the CRLF after the last. */
export function formatReportBody(report: Report): string {
  const parts = [
    formatPart('Notification', 'text/plain; charset=us-ascii', report.text),
    formatPart('Delivery report', 'message/delivery-status', report.deliveryStatus),
  ];
  if (report.returnedHeaders !== null) {
    const type = 'text/rfc822-headers; charset=us-ascii';
    parts.push(formatPart('Header of the undelivered message', type, report.returnedHeaders));
  }
  const delimiter = `--${report.boundary}`;
  return parts.map((part) => `${delimiter}\r\n${part}\r\n`).join('') + `${delimiter}--\r\n`;
}

function formatPart(description: string, type: string, body: string): string {
  return (
    `Content-Description: ${description}\r\n` +
    `Content-Type: ${type}\r\n` +
    `Content-Transfer-Encoding: 7bit\r\n\r\n${body}`
  );
}
