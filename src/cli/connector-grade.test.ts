import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDomainPattern } from '../mail/domain-pattern.ts';
import type { AcceptedDomain, InboundConnector, OutboundConnector } from '../policy/policy.ts';
import {
  acceptedDomain,
  deliveryTarget,
  inboundConnector,
  outboundConnector,
} from '../../test/support/policy.ts';
import { gradeInbound, gradeOutbound, gradeTarget } from './connector-grade.ts';
import { describeRecipients } from './recipient-rule.ts';

const domain = parseDomainPattern('contoso.com')!;

const outbound = outboundConnector('x', { recipientDomains: [domain] });

const inbound = inboundConnector('x', {
  senderDomains: [domain],
  senderIPAddresses: ['192.0.2.0/24'],
});

function out(fields: Partial<OutboundConnector>): string {
  return gradeOutbound({ ...outbound, ...fields }).words;
}

test('only a name or a pin is said to prove the partner', () => {
  const claims = (words: string): boolean => words.includes('only the partner');
  assert.equal(claims(out({})), false);
  assert.equal(claims(out({ tlsSettings: 'EncryptionOnly' })), false);
  assert.equal(claims(out({ tlsSettings: 'CertificateValidation' })), false);
  assert.equal(claims(out({ tlsSettings: 'DomainValidation', enabled: false })), false);
  assert.equal(claims(out({ tlsSettings: 'DomainValidation' })), true);
  assert.equal(claims(out({ tlsSettings: 'Pinned', pins: ['a'] })), true);
  assert.equal(claims(out({ tlsSettings: 'CertificateValidation', pins: ['a'] })), true);
});

test('the grades in words', () => {
  assert.equal(out({ tlsSettings: 'EncryptionOnly' }), 'encrypted (anyone may answer)');
  assert.equal(
    out({ tlsSettings: 'CertificateValidation' }),
    'CA-signed (anyone with a certificate may answer)',
  );
  assert.equal(
    out({ tlsSettings: 'CertificateValidation', anchors: 'file:/ca.pem' }),
    'CA-signed (anyone with a certificate of /ca.pem may answer)',
  );
  assert.equal(
    out({ tlsSettings: 'DomainValidation', tlsDomains: [domain] }),
    'named contoso.com (only the partner)',
  );
  assert.equal(out({ enabled: false }), 'off: it does nothing');
});

test('a post-quantum group that is required is never said to go in clear', () => {
  const words = 'encrypted (anyone may answer), with a post-quantum key exchange';
  assert.equal(out({ tlsSettings: null, postQuantum: 'require' }), words);
  assert.equal(gradeInbound({ ...inbound, postQuantum: 'require' }).words, words);
  assert.match(
    out({ tlsSettings: 'DomainValidation', postQuantum: 'require' }),
    /only the partner\), with a post-quantum key exchange$/,
  );
});

test('inbound: addresses without TLS are said to be in clear', () => {
  const words = (fields: Partial<InboundConnector>): string =>
    gradeInbound({ ...inbound, ...fields }).words;
  assert.equal(words({}), 'nothing is required');
  assert.equal(
    words({ restrictDomainsToIPAddresses: true }),
    'in clear too, only from its addresses',
  );
  assert.equal(words({ requireTls: true }), 'encrypted (anyone may answer)');
  assert.equal(
    words({ restrictDomainsToCertificate: true, tlsSenderCertificateNames: [domain] }),
    'named contoso.com (only the partner)',
  );
  assert.equal(
    words({ restrictDomainsToCertificate: true, pins: ['a'], restrictDomainsToIPAddresses: true }),
    'pinned (only the partner), only from its addresses',
  );
});

test('what is only observed is said to require nothing', () => {
  for (const mode of ['observe', 'warn'] as const) {
    const grade = gradeOutbound({ ...outbound, mode, tlsSettings: 'EncryptionOnly' });
    assert.equal(grade.grade, 'observed');
    assert.match(
      grade.words,
      new RegExp(`in mode ${mode}, nothing is required; would be encrypted`),
    );
  }
});

test('own servers: by what they are known, and whether in clear too', () => {
  const grade = (fields: Partial<InboundConnector>) =>
    gradeInbound({ ...inbound, connectorType: 'OnPremises', ...fields });
  const byName = { tlsSenderCertificateNames: [domain] };
  assert.deepEqual(grade({}), {
    grade: 'addresses',
    words: 'your own servers by their addresses, in clear too',
  });
  assert.equal(
    grade({ requireTls: true, ...byName }).words,
    'your own servers by their addresses, or named contoso.com, always encrypted',
  );
  assert.deepEqual(grade({ senderIPAddresses: [], ...byName }), {
    grade: 'named',
    words: 'named contoso.com (only your own servers)',
  });
  assert.equal(grade({ restrictDomainsToCertificate: true, pins: ['a'] }).grade, 'pinned');
});

test('delivery targets: what stays inside, and what may cross a network in clear and why', () => {
  assert.equal(gradeTarget(deliveryTarget('a')).words, 'inside: it never leaves this machine');
  const elsewhere = { address: { kind: 'host', host: '10.0.0.7', port: 24 } } as const;
  const old = deliveryTarget('a', { ...elsewhere, clearTextReason: 'it knows no TLS' });
  assert.match(gradeTarget(old).words, /in clear.*reason given: it knows no TLS/);
  const named = deliveryTarget('a', {
    ...elsewhere,
    tlsSettings: 'DomainValidation',
    tlsDomains: [domain],
  });
  assert.equal(gradeTarget(named).words, 'named contoso.com (only this server)');
});

test('who exists in a domain, in words', () => {
  const words = (part: Partial<AcceptedDomain>): string =>
    describeRecipients(acceptedDomain('example.test', part));
  assert.equal(words({}), 'mailboxes and aliases here');
  assert.match(words({ deliveryTarget: 's', recipients: { kind: 'verify' } }), /asked of "s"/);
  assert.match(words({ deliveryTarget: 's', recipients: { kind: 'any' } }), /taken unasked/);
  const listed = { kind: 'list', localParts: ['a', 'b'] } as const;
  const catchAll = { localPart: 'c', domain: 'example.test' };
  assert.equal(
    words({ deliveryTarget: 's', recipients: listed, catchAll }),
    'mailboxes and aliases here, 2 listed ones at "s"; unknown ones go to c@example.test',
  );
});
