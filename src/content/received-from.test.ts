/** Whom a Received field names: what the server saw, not what its client said. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { readReceivedFrom } from './received-from.ts';

const real = '203.0.113.9';
/** As servers write them; the client says that it is 198.51.100.7. */
const forms: Readonly<Record<string, string>> = {
  Postfix: `from mail.a.test (unknown [${real}]) by mx.b.test (Postfix) with ESMTPS id 1; now`,
  'Postfix, HELO an address': `from [198.51.100.7] (mail.a.test [${real}]) by mx.b.test (Postfix)`,
  'Postfix over TLS': `from a.test (a.test [${real}]) (using TLSv1.3 with cipher X (256/256 bits)) (Client CN "[198.51.100.7]", Issuer "x" (verified OK)) by b.test`,
  Sendmail: `from a.test (IDENT:[198.51.100.7]@a.test [${real}] (may be forged)) by b.test (8.14.4/8.14.4)`,
  Exchange: `from A.a.test (${real}) by B.b.test (192.0.2.1) with Microsoft SMTP Server id 15.1`,
  'Exchange, HELO an address': `from [198.51.100.7] (${real}) by B.b.test (192.0.2.1)`,
  Exim: `from a.test ([${real}] helo=[198.51.100.7]) by b.test with esmtp (Exim 4.96)`,
  'Exim without a name': `from [${real}] (helo=[198.51.100.7]) by b.test with esmtp`,
  'Exim with ports': `from [${real}] (port=4711 helo=198.51.100.7) by b.test with esmtp`,
  'Exim with an ident': `from a.test ([${real}]:4711 ident=[198.51.100.7]) by b.test`,
  qmail: `from unknown (HELO 198.51.100.7) (${real}) by b.test with SMTP; now`,
  'qmail with a name': `from a.test (HELO [198.51.100.7]) (${real})\r\n  by b.test`.replace(
    '\r\n',
    '',
  ),
  Postern: `from a.test ([${real}]) by mx.example.test (Postern) with ESMTPS (version=TLSv1.3) id X`,
};
for (const [server, value] of Object.entries(forms)) {
  test(`reads what ${server} saw`, () => assert.equal(readReceivedFrom(value)?.address, real));
}

test('reads IPv6 in both spellings', () => {
  for (const literal of ['[IPv6:2001:db8::1]', '[2001:db8::1]', '2001:db8::1']) {
    assert.equal(readReceivedFrom(`from a.test (${literal}) by b.test`)?.address, '2001:db8::1');
  }
});

test('the name that the client gave is kept, and cannot break a field', () => {
  assert.deepEqual(readReceivedFrom(`from a;b=c (x [${real}]) by b.test`), {
    address: real,
    heloName: 'a?b?c',
  });
});

const silent: Readonly<Record<string, string>> = {
  'an address that only the client said': 'from [198.51.100.7] by b.test with SMTP',
  'a comment without an address': 'from [198.51.100.7] (unknown) by b.test',
  'an empty comment': 'from [198.51.100.7] () by b.test',
  'a comment that does not end': `from a.test (b [${real}] by b.test`,
  'a local submission': 'by b.test (Postfix, from userid 0) id 1; now',
  'another word first': `for a.test (b [${real}]) by b.test`,
  'an address behind other words': `from a.test by b.test ([${real}])`,
  'no four-part decimal': 'from a.test (b [0x7f.1]) by b.test',
  'a scoped address': 'from a.test (b [fe80::1%eth0]) by b.test',
  'a second comment of the client': `from a.test (unknown) (x [198.51.100.7]) by b.test`,
  nothing: '',
};
for (const [what, value] of Object.entries(silent)) {
  test(`says nothing of ${what}`, () => assert.equal(readReceivedFrom(value), null));
}

test('never throws, and reads no more than the beginning of a long field', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
      readReceivedFrom(text);
      readReceivedFrom(`from ${text}`);
    }),
  );
  const before = process.cpuUsage();
  for (const part of ['(', 'from ', '\\(', 'helo=', '[', ' ']) {
    assert.equal(readReceivedFrom(`from ${part.repeat(262_144)}`), null);
  }
  assert.ok(process.cpuUsage(before).user < 1_000_000);
});
