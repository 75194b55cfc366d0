import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { Reader } from './field.ts';
import {
  addressRange,
  anchors,
  certificateName,
  domainName,
  domainPattern,
  ipAddress,
  mailAddress,
  passwordHash,
  pin,
  smartHost,
} from './mail-readers.ts';

function accept<T>(reader: Reader<T>, raw: unknown): T {
  const read = reader.read(raw);
  assert.ok('value' in read, JSON.stringify(read));
  return read.value;
}

test('host bits of a range are dropped and a single address is its own range', () => {
  assert.equal(accept(addressRange(), '192.168.0.1/25'), '192.168.0.0/25');
  assert.equal(accept(addressRange(), '192.0.2.1'), '192.0.2.1/32');
  assert.equal(accept(addressRange(), '2001:DB8::1/32'), '2001:db8::/32');
  assert.equal(accept(addressRange(), '2001:db8::1'), '2001:db8::1/128');
  assert.equal(accept(addressRange(), '0.0.0.0/0'), '0.0.0.0/0');
});

test('a v4-mapped range is an IPv4 range', () => {
  assert.equal(accept(addressRange(), '::ffff:192.0.2.9/120'), '192.0.2.0/24');
});

test('smart hosts are names or addresses with a port', () => {
  assert.deepEqual(accept(smartHost(), 'Mail.Contoso.com'), { host: 'mail.contoso.com', port: 25 });
  assert.deepEqual(accept(smartHost(), 'mail.contoso.com:26'), {
    host: 'mail.contoso.com',
    port: 26,
  });
  assert.deepEqual(accept(smartHost(), '192.0.2.1'), { host: '192.0.2.1', port: 25 });
  assert.deepEqual(accept(smartHost(), '192.0.2.1:2525'), { host: '192.0.2.1', port: 2525 });
  assert.deepEqual(accept(smartHost(), '2001:DB8::1'), { host: '2001:db8::1', port: 25 });
  assert.deepEqual(accept(smartHost(), '[2001:db8::1]:26'), { host: '2001:db8::1', port: 26 });
});

test('a pin may be written as curl writes it', () => {
  const bare = Buffer.alloc(32, 9).toString('base64');
  assert.equal(accept(pin(), bare), bare);
  assert.equal(accept(pin(), `sha256//${bare}`), bare);
});

test('a pin has one spelling: other base64 of the same bytes is refused', () => {
  const bare = Buffer.alloc(32, 0xff).toString('base64');
  for (const other of [bare.replaceAll('/', '_'), bare.replace('=', ''), `${bare}\u00a0`]) {
    assert.ok('wrong' in pin().read(other), other);
  }
});

test('anchors are two words or a path', () => {
  assert.equal(accept(anchors(), 'system'), 'system');
  assert.equal(accept(anchors(), './ca.pem'), 'file:./ca.pem');
  assert.equal(accept(anchors(), 'file:/etc/ca.pem'), 'file:/etc/ca.pem');
  assert.ok('wrong' in anchors().read('Bundled'));
  assert.ok('wrong' in anchors().read('https://contoso.com/ca.pem'));
});

test('domains come out as lower-case A-labels', () => {
  assert.equal(accept(domainName(), 'Bücher.Example'), 'xn--bcher-kva.example');
  assert.deepEqual(accept(domainPattern(), '*.Bücher.example'), {
    kind: 'wildcard',
    domain: 'xn--bcher-kva.example',
  });
});

test('a certificate name under an internationalized public suffix is refused', () => {
  assert.ok('wrong' in certificateName().read('*.公司.cn'));
  assert.ok('wrong' in certificateName().read('*.xn--55qx5d.cn'));
});

test('a certificate wildcard is public even where a dot or capitals hide it', () => {
  for (const raw of ['*.CO.UK', '*.co.uk.', '*.local', '*.s3.amazonaws.com', '*.foo.ck']) {
    assert.ok('wrong' in certificateName().read(raw), raw);
  }
  for (const raw of ['*.contoso.co.uk', '*.contoso.local', '*.www.ck', 'localhost']) {
    accept(certificateName(), raw);
  }
});

const readers: readonly (readonly [string, Reader<unknown>])[] = [
  ['domainName', domainName()],
  ['domainPattern', domainPattern()],
  ['certificateName', certificateName()],
  ['mailAddress', mailAddress()],
  ['ipAddress', ipAddress()],
  ['addressRange', addressRange()],
  ['pin', pin()],
  ['smartHost', smartHost()],
  ['anchors', anchors()],
  ['passwordHash', passwordHash()],
];

for (const [name, reader] of readers) {
  test(`${name} answers anything with a value or with one line of words`, () => {
    const anything = fc.oneof(
      fc.anything(),
      fc.string(),
      fc.ipV4(),
      fc.ipV6(),
      fc.domain(),
      fc.emailAddress(),
    );
    fc.assert(
      fc.property(anything, (raw) => {
        const read = reader.read(raw);
        assert.ok('value' in read || /^[^\n]{5,400}$/.test(read.wrong), JSON.stringify(read));
      }),
    );
  });
}
