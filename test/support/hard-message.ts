/** Messages that are hard to carry unchanged: dots, line ends, 8-bit text, size. */
import { createHash } from 'node:crypto';

/** Lines that begin with dots, end in blanks, hold 8-bit bytes and look like the wire's own words. */
export function hardBody(): Buffer {
  const lines = [
    '.',
    '..',
    '.a line that begins with a dot',
    '...and three',
    '',
    '.',
    'From here a mailbox format would change the line',
    'MAIL FROM:<x@y.test>',
    'QUIT',
    'blanks at the end  \t ',
    'Grüße, naïve café, 日本語, \u{1f512}',
    `${'long '.repeat(190)}line`,
    '',
    '',
    '.',
    '',
  ];
  return Buffer.from(`${lines.join('\r\n')}\r\n`, 'utf8');
}

/** About as many bytes of base64 lines and lines with dots; deterministic. */
export function largeBody(sizeBytes: number): Buffer {
  const block = createHash('sha512').update('large body').digest();
  const text = Buffer.concat(Array.from({ length: 12 }, () => block)).toString('base64');
  const lines = text.match(/.{1,76}/g)!.map((line, index) => (index % 5 === 0 ? `.${line}` : line));
  const page = Buffer.from(`${lines.join('\r\n')}\r\n`);
  const count = Math.ceil(sizeBytes / page.length);
  return Buffer.concat(Array.from({ length: count }, () => page));
}

/** The message around a body, with a Subject by which it is found again. */
export function messageWith(subject: string, body: Buffer, from = 'user@example.test'): Buffer {
  const header = [
    `From: <${from}>`,
    'To: <somebody@anywhere.test>',
    `Subject: ${subject}`,
    `Message-ID: <${subject}@test>`,
    'Date: Sun, 22 Nov 2026 10:00:00 +0000',
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=utf-8',
    'Content-Transfer-Encoding: 8bit',
    '',
    '',
  ];
  return Buffer.concat([Buffer.from(header.join('\r\n')), body]);
}

/** SHA-256 of the body behind the header, with line ends of either kind counted as CRLF. */
export function bodyHash(message: Buffer | string): string {
  const text = typeof message === 'string' ? message : message.toString('latin1');
  const end = /\r?\n\r?\n/.exec(text);
  if (end === null) throw new Error('the message has no body');
  const body = text.slice(end.index + end[0].length).replaceAll(/\r?\n/g, '\r\n');
  return createHash('sha256').update(body, 'latin1').digest('hex');
}
