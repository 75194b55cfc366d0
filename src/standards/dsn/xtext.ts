/** xtext, the encoding of ORCPT and ENVID values on the wire. @see RFC 3461 §4 */

/** Octets `!` to `~` but `+` and `=` stay; the others become `+XX`. Characters are octets 0..255. */
export function formatXtext(text: string): string {
  return text.replace(/[^!-*,-<>-~]/g, (char) => {
    const code = char.charCodeAt(0);
    if (code > 0xff) throw new RangeError('xtext holds octets only');
    return `+${code.toString(16).toUpperCase().padStart(2, '0')}`;
  });
}

/** Null where the text is no xtext; hexadecimal digits must be upper-case. */
export function parseXtext(text: string): string | null {
  if (!/^(?:[!-*,-<>-~]|\+[0-9A-F]{2})*$/.test(text)) return null;
  return text.replace(/\+(..)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}
