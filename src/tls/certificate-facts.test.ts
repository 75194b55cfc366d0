/** Names that may match: odd ones never do. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { makeCa, makeCertificate, makeLeaf, makeSelfSigned } from '../testing/certificates.ts';
import type { Overrides } from '../testing/certificates.ts';
import * as der from '../testing/der-writer.ts';
import { certificateFacts } from './certificate-facts.ts';

const ca = makeCa('Facts CA');
const facts = (dnsNames: readonly string[], overrides: Overrides = {}) =>
  certificateFacts(makeLeaf(ca, dnsNames, { subject: 'O=x', ...overrides }).der);

describe('names that are left out', () => {
  const odd: readonly (readonly [string, string])[] = [
    ['an embedded NUL', 'mx.partner.test\0.evil.test'],
    ['a trailing dot', 'mx.partner.test.'],
    ['a space', 'mx.partner.test '],
    ['a star inside', 'mx.*.partner.test'],
    ['a star in a label', 'm*.partner.test'],
    ['a star alone', '*'],
    ['a double star', '*.*.partner.test'],
    ['an address', '192.0.2.1'],
    ['a URL', 'https://mx.partner.test'],
    ['a percent sign', 'mx%2epartner.test'],
    ['nothing', ''],
  ];
  for (const [name, text] of odd) {
    test(name, () => {
      const { dnsNames, commonName } = facts([text, 'good.test'], {
        subject: 'CN=mx.partner.test',
      });
      assert.deepEqual(dnsNames, ['good.test']);
      assert.equal(commonName, null);
    });
  }

  test('octets beyond ASCII make the whole certificate malformed', () => {
    const found = facts(['m\u00fcller.test', 'good.test']);
    assert.deepEqual(found.dnsNames, []);
    assert.equal(found.spki256, '');
    assert.equal(found.notAfter, '');
  });
});

test('names are lower case, each once, with their wildcard', () => {
  const { dnsNames } = facts(['MX.Partner.TEST', 'mx.partner.test', '*.Partner.test']);
  assert.deepEqual(dnsNames, ['mx.partner.test', '*.partner.test']);
});

describe('the common name', () => {
  const commonNameOf = (subject: string, overrides: Overrides = {}) =>
    facts([], { subject, ...overrides }).commonName;

  test('counts where there is no DNS name', () => {
    assert.equal(commonNameOf('O=x,CN=MX.partner.test'), 'mx.partner.test');
    assert.equal(commonNameOf('CN=mx.partner.test', { emails: ['a@b.test'] }), 'mx.partner.test');
  });

  test('does not count beside a DNS name, not even an odd one', () => {
    assert.equal(facts(['a.test'], { subject: 'CN=mx.partner.test' }).commonName, null);
    assert.equal(facts(['odd name'], { subject: 'CN=mx.partner.test' }).commonName, null);
  });

  test('does not count twice, in parts, or with anything odd', () => {
    assert.equal(commonNameOf('CN=mx.partner.test,CN=mx.bank.test'), null);
    for (const text of [
      'partner',
      'mx.partner.test\0.evil.test',
      'mx.partner\u3002test',
      'm\u00fcller.test',
      'mx.partner.test.',
      'Partner Ltd.',
    ]) {
      assert.equal(commonNameOf(`CN=${text}`), null, text);
    }
  });
});

test('texts of the peer are sanitized', () => {
  const { subject, issuer } = facts(['a.test'], {
    subject: 'O=a\r\nSubject: \u001b[2J\u202e,OU=b',
  });
  assert.equal(subject, 'O=a??Subject: ?[2J?, OU=b');
  assert.equal(issuer, 'CN=Facts CA');
});

test('a comma in a value does not look like another attribute', () => {
  const subject = der.sequence(
    der.set(der.sequence(der.oid('2.5.4.10'), der.utf8String('x, CN=mx.bank.test'))),
  );
  const issuer = { ...ca, subject };
  const found = certificateFacts(makeLeaf(issuer, ['a.test']).der);
  assert.equal(found.issuer, 'O=x\\, CN=mx.bank.test');
});

test('fingerprint, key, serial number, dates', () => {
  const made = makeCertificate({
    subject: 'x',
    serial: 0xabcdefn,
    notBefore: new Date('2026-01-02T03:04:05Z'),
    notAfter: new Date('2056-01-02T03:04:05Z'),
  });
  const found = certificateFacts(made.der);
  assert.equal(found.fingerprint256, made.fingerprint256);
  assert.equal(found.spki256, made.spki256);
  assert.equal(found.serialNumber, '00ABCDEF');
  assert.equal(found.notBefore, '2026-01-02T03:04:05.000Z');
  assert.equal(found.notAfter, '2056-01-02T03:04:05.000Z');
  assert.equal(found.isSelfSigned, true);
  assert.equal(certificateFacts(makeLeaf(ca).der).isSelfSigned, false);
  assert.equal(certificateFacts(makeSelfSigned().der).isSelfSigned, true);
});

test('of garbage only the fingerprint is told', () => {
  const found = certificateFacts(Buffer.from('garbage'));
  assert.equal(found.fingerprint256.length, 44);
  assert.deepEqual([found.spki256, found.dnsNames, found.commonName], ['', [], null]);
});

test('facts are remembered, but not those of a certificate that is full of names', () => {
  const usual = makeLeaf(ca, ['mx.partner.test']);
  assert.equal(certificateFacts(usual.der), certificateFacts(usual.der));
  const many = Array.from({ length: 300 }, (_, i) => `host-${i}.partner.test`);
  const huge = makeLeaf(ca, many);
  assert.equal(certificateFacts(huge.der).dnsNames.length, 300);
  assert.notEqual(certificateFacts(huge.der), certificateFacts(huge.der));
});
