import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { formatAddress, formatPath, isSameMailbox, parseAddress } from './address.ts';

const atoms = "abcXYZ019!#$%&'*+-/=?^_`{|}~";
const quotable = `${atoms} .,;:@<>()[]"\\`;
const localPart = fc.oneof(
  fc.string({ unit: fc.constantFrom(...Array.from(atoms)), minLength: 1, maxLength: 20 }),
  fc.string({ unit: fc.constantFrom(...Array.from(quotable)), minLength: 1, maxLength: 20 }),
);
const domain = fc.constantFrom('example.test', 'a.b.c.test', '[192.0.2.1]', '[IPv6:2001:db8::1]');

describe('an address', () => {
  it('is read back as it was written, quoted where the grammar asks it', () => {
    fc.assert(
      fc.property(localPart, domain, (localPart, domain) => {
        const address = { localPart, domain };
        assert.deepEqual(parseAddress(formatAddress(address)), address);
      }),
    );
  });

  it('never throws, and what it takes is stable', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 80 }), (text) => {
        const address = parseAddress(text);
        if (address !== null) assert.deepEqual(parseAddress(formatAddress(address)), address);
      }),
    );
  });

  it('has a domain in lower-case A-labels', () => {
    assert.deepEqual(parseAddress('User@BÜCHER.example.'), {
      localPart: 'User',
      domain: 'xn--bcher-kva.example',
    });
  });

  const refused = [
    '',
    '@',
    'a@',
    '@b.test',
    'a b@c.test',
    'a..b@c.test',
    '.a@c.test',
    'a@b@c.test ',
    'a@b.test\r\nRCPT TO:<x@y.test>',
    'a\0@b.test',
    `${'a'.repeat(65)}@b.test`,
    'a@1.2.3.4',
    'a@[1.2.3.4',
    'a@-b.test',
    'a@b..test',
    `a@${'b'.repeat(64)}.test`,
    '"a@b.test',
    'ü@b.test',
  ];
  for (const text of refused) {
    it(`is not ${JSON.stringify(text)}`, () => {
      assert.equal(parseAddress(text), null);
    });
  }

  it('as a path has angle brackets, and none at all is <>', () => {
    assert.equal(formatPath(parseAddress('a@b.test')), '<a@b.test>');
    assert.equal(formatPath(null), '<>');
  });

  it('of our own mailboxes ignores case', () => {
    const [a, b] = [parseAddress('User@b.test')!, parseAddress('uSER@B.test')!];
    assert.ok(isSameMailbox(a, b));
    assert.ok(!isSameMailbox(a, parseAddress('user@c.test')!));
  });
});
