/** Received: what it says, and that no peer can break out of it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { TlsEvidence } from '../policy/evidence.ts';
import { scanHeaderFields } from '../standards/message-format/header-fields.ts';
import type { ReceivedFacts } from './received.ts';
import { composeReceived, countOwnReceived } from './received.ts';
import { composeReturnPath } from './return-path.ts';

const leaf = {
  fingerprint256: 'f',
  spki256: 's',
  subject: 'CN=mail.partner.example, O=Partner',
  issuer: 'CN=CA',
  serialNumber: '1',
  notBefore: '',
  notAfter: '',
  dnsNames: [],
  commonName: null,
  isSelfSigned: false,
};
const tls: TlsEvidence = {
  protocol: 'TLSv1.3',
  cipher: 'TLS_AES_256_GCM_SHA384',
  cipherStandardName: 'TLS_AES_256_GCM_SHA384',
  group: 'X25519MLKEM768',
  mode: 'starttls',
  sni: null,
  chain: [],
  paths: [],
  openssl: null,
  revocation: 'not-checked',
  ownCertificate: null,
  resumedFrom: null,
};
const facts: ReceivedFacts = {
  heloName: 'mail.partner.example',
  clientAddress: '192.0.2.1',
  clientName: null,
  byHost: 'mx.example.test',
  protocol: 'ESMTPS',
  tls,
  id: '0ABCDEFGHJKM',
  recipient: { localPart: 'bob', domain: 'example.test' },
  atMs: Date.UTC(2026, 10, 22, 3, 53, 43),
};

test('states protocol, TLS version, cipher and group', () => {
  assert.equal(
    composeReceived(facts).toString(),
    'Received: from mail.partner.example ([192.0.2.1]) by mx.example.test (Postern)\r\n' +
      '\twith ESMTPS (version=TLSv1.3 cipher=TLS_AES_256_GCM_SHA384\r\n' +
      '\tgroup=X25519MLKEM768; no client certificate) id 0ABCDEFGHJKM for\r\n' +
      '\t<bob@example.test>; Sun, 22 Nov 2026 03:53:43 +0000\r\n',
  );
});

test('states the client certificate without an opinion', () => {
  const text = compose({ tls: { ...tls, chain: [leaf], group: null } });
  assert.ok(
    text.includes(
      'cipher=TLS_AES_256_GCM_SHA384; client certificate CN=mail.partner.example, O=Partner)',
    ),
  );
});

test('writes a session in clear text without a TLS comment', () => {
  const text = compose({
    tls: null,
    protocol: 'ESMTP',
    recipient: null,
    clientName: 'mail.partner.example',
  });
  assert.equal(
    text,
    'Received: from mail.partner.example (mail.partner.example [192.0.2.1]) by mx.example.test' +
      ' (Postern) with ESMTP id 0ABCDEFGHJKM; Sun, 22 Nov 2026 03:53:43 +0000\r\n',
  );
});

test('leaves no hole where the client gave an empty name', () => {
  assert.ok(compose({ heloName: '' }).startsWith('Received: from ? ([192.0.2.1]) by '));
});

test('tags IPv6 addresses', () => {
  assert.ok(compose({ clientAddress: '2001:db8::1' }).includes('([IPv6:2001:db8::1])'));
});

function compose(changes: Partial<ReceivedFacts>): string {
  return composeReceived({ ...facts, ...changes })
    .toString('latin1')
    .replaceAll('\r\n\t', ' ');
}

test('keeps parentheses, backslashes, CR and LF of the peer out of its syntax', () => {
  const evil = 'a)\r\nX-Evil: yes\\\r\n\r\nbody(((\u202e\u00e9';
  const text = compose({
    heloName: evil,
    clientName: evil,
    tls: { ...tls, chain: [{ ...leaf, subject: evil }] },
  });
  assert.ok(!text.includes('\r\nX-Evil'));
  assert.match(text, /^[ -~]+\r\n$/);
  assert.ok(text.includes('client certificate a]??X-Evil: yes?????body[[[??)'));
});

test('is one field of bounded ASCII lines with balanced comments, whatever a peer says', () => {
  const any = fc.string({ unit: 'binary', maxLength: 2000 });
  fc.assert(
    fc.property(any, any, any, (heloName, clientName, subject) => {
      const chain = [{ ...leaf, subject }];
      const raw = composeReceived({ ...facts, heloName, clientName, tls: { ...tls, chain } });
      const lines = raw.toString('latin1').split('\r\n');
      assert.equal(lines.pop(), '');
      assert.ok(lines.every((line) => /^[ -~\t]{1,998}$/.test(line)));
      assert.ok(lines.slice(1).every((line) => /^\t\S/.test(line)));
      const all = lines.join(' ');
      assert.equal(all.split('(').length, 4);
      assert.equal(all.split(')').length, 4);
    }),
  );
});

function ownCount(header: string, host = 'mx.example.test'): number {
  return countOwnReceived(header, scanHeaderFields(header).fields, host);
}

test('finds our own Received fields among those of another gateway', () => {
  const ours = composeReceived(facts).toString();
  const theirs = composeReceived({ ...facts, byHost: 'mx.partner.test' }).toString();
  const both = ours + theirs + ours + theirs + theirs;
  assert.equal(ownCount(both), 2);
  assert.equal(ownCount(both, 'mx.partner.test'), 3);
  assert.equal(ownCount(both, 'example.test'), 0);
});

test('finds them after another server folded them anew or changed their case', () => {
  const ours = composeReceived(facts).toString().replaceAll('\r\n\t', ' ').trim();
  const refolded = `${ours.replaceAll(' ', '\r\n    ')}\r\n`;
  assert.equal(ownCount(refolded), 1);
  assert.equal(
    ownCount(`${ours.replace('Received', 'RECEIVED').replace('mx.ex', 'MX.Ex')}\r\n`),
    1,
  );
});

test('is not misled by fields of another server, nor by what a peer calls itself', () => {
  const plain = 'Received: from a by mx.example.test with ESMTP id 1; now\r\n';
  const postfix = 'Received: from a by mx.example.test (Postfix) with ESMTP id 1; now\r\n';
  const subject = 'Subject: by mx.example.test (Postern) with love\r\n';
  assert.equal(ownCount(plain + postfix + subject), 0);
  const heloName = 'by mx.example.test (Postern) with ';
  const posing = composeReceived({ ...facts, heloName, byHost: 'mx.other.test' }).toString();
  assert.equal(ownCount(posing), 0);
});

test('writes Return-Path, the null one too', () => {
  assert.equal(
    composeReturnPath({ localPart: 'a b', domain: 'a.example' }).toString(),
    'Return-Path: <"a b"@a.example>\r\n',
  );
  assert.equal(composeReturnPath(null).toString(), 'Return-Path: <>\r\n');
});
