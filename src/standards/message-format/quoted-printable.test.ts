/** Quoted-printable: 7-bit, bounded lines, nothing lost. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { formatQuotedPrintable } from './quoted-printable.ts';

/** The inverse, by the words of the RFC. */
function read(text: string): string {
  const octets = text
    .replaceAll('=\r\n', '')
    .replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
  return Buffer.from(octets, 'latin1').toString('utf8');
}

test('writes octets beyond ASCII, the equals sign and a blank at the end by their number', () => {
  assert.equal(formatQuotedPrintable('j\u00fcrgen = a \r\nb'), 'j=C3=BCrgen =3D a=20\r\nb');
});

test('keeps every text, in lines of at most 76', () => {
  const line = fc.string({ unit: 'grapheme', maxLength: 200 }).filter((t) => !/[\r\n]/.test(t));
  fc.assert(
    fc.property(fc.array(line), (lines) => {
      const text = lines.join('\r\n');
      const written = formatQuotedPrintable(text);
      assert.ok(written.split('\r\n').every((one) => /^[ -~\t]{0,76}$/.test(one)));
      assert.equal(read(written), text.toWellFormed());
    }),
  );
});
