/** Building blocks for inputs by grammar, and for those by none. */
import * as fc from 'fast-check';

/** Octets of any kind, and text of any kind as UTF-8. */
export const anyBytes: fc.Arbitrary<Buffer> = fc.oneof(
  fc.uint8Array({ maxLength: 400 }).map((array) => Buffer.from(array)),
  fc.string({ unit: 'binary', maxLength: 120 }).map((text) => Buffer.from(text)),
  fc.string({ maxLength: 200 }).map((text) => Buffer.from(text)),
);

/** The tokens in any order: the shape of the grammar without its sense. */
export function soup(tokens: readonly string[], lengthMax = 24): fc.Arbitrary<Buffer> {
  return fc
    .array(fc.constantFrom(...tokens), { maxLength: lengthMax })
    .map((words) => Buffer.from(words.join(''), 'latin1'));
}

/** Texts one after the other, as UTF-8. */
export function joined(...parts: (fc.Arbitrary<string> | string)[]): fc.Arbitrary<string> {
  const all = parts.map((part) => (typeof part === 'string' ? fc.constant(part) : part));
  return fc.tuple(...all).map((texts) => texts.join(''));
}

export function utf8(text: fc.Arbitrary<string>): fc.Arbitrary<Buffer> {
  return text.map((each) => Buffer.from(each));
}

export function latin1(text: fc.Arbitrary<string>): fc.Arbitrary<Buffer> {
  return text.map((each) => Buffer.from(each, 'latin1'));
}

/** 1 to `max` characters out of `units`. */
export function word(units: string, max = 12): fc.Arbitrary<string> {
  return fc.string({ unit: fc.constantFrom(...Array.from(units)), minLength: 1, maxLength: max });
}

export const atom = word("abcXYZ019!#$%&'*+-/=?^_`{|}~");

export const hostName = fc.oneof(
  fc.constantFrom(
    'example.test',
    'EXAMPLE.Test',
    'a.b.c.test',
    'xn--bcher-kva.example',
    'localhost',
  ),
  fc.domain(),
);

export const mailAddress = fc.oneof(
  joined(atom, '@', hostName),
  joined(atom, '.', atom, '@', hostName),
  joined('"', word('ab .,;:@<>()[]', 8), '"@', hostName),
  joined(atom, '@', fc.constantFrom('[192.0.2.1]', '[IPv6:2001:db8::1]', '[999.1.1.1]')),
  joined('b\u00fccher@b\u00fccher.', hostName),
);
