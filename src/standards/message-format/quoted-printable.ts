/**
 * Text beyond ASCII as 7-bit lines of at most 76.
 *
 * @see RFC 2045 §6.7
 */

const lineLengthMax = 76;

/** UTF-8, CRLF line ends kept. */
export function formatQuotedPrintable(text: string): string {
  return text.split('\r\n').map(formatLine).join('\r\n');
}

function formatLine(text: string): string {
  const octets = new TextEncoder().encode(text);
  let lines = '';
  let line = '';
  octets.forEach((octet, i) => {
    const unit = formatOctet(octet, i === octets.length - 1);
    if (line.length + unit.length >= lineLengthMax) {
      lines += `${line}=\r\n`;
      line = '';
    }
    line += unit;
  });
  return lines + line;
}

/** A blank that ends a line would be lost on the way. */
function formatOctet(octet: number, isLast: boolean): string {
  const isBlank = octet === 0x20 || octet === 0x09;
  const isLiteral = octet > 0x20 && octet < 0x7f && octet !== 0x3d;
  if (isLiteral || (isBlank && !isLast)) return String.fromCharCode(octet);
  return `=${octet.toString(16).toUpperCase().padStart(2, '0')}`;
}
