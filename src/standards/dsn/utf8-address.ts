/**
 * Internationalized addresses in delivery reports, in the form that is plain ASCII: the `utf-8`
 * address type's `utf-8-addr-xtext`.
 *
 * @see RFC 6533 §3
 */

/** What is no printable ASCII, and space, `+`, `=` and `\`, become `\x{HEX}`. */
export function formatUtf8Address(text: string): string {
  return text.toWellFormed().replace(/[^!-*,-<>-[\]-~]/gu, (char) => {
    const hex = char.codePointAt(0)!.toString(16).toUpperCase().padStart(2, '0');
    return `\\x{${hex}}`;
  });
}

/** Null where the text has another form. */
export function parseUtf8Address(text: string): string | null {
  if (!/^(?:[!-*,-<>-[\]-~]|\\x\{[0-9A-F]{2,6}\})*$/.test(text)) return null;
  const codes = Array.from(text.matchAll(/\\x\{([0-9A-F]+)\}/g), ([, hex]) => parseInt(hex!, 16));
  if (codes.some((code) => code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))) return null;
  return text.replace(/\\x\{([0-9A-F]+)\}/g, (_, hex: string) =>
    String.fromCodePoint(parseInt(hex, 16)),
  );
}
