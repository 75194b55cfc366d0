import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDomainPattern } from '../mail/domain-pattern.ts';
import type { InboundConnector, OutboundConnector } from '../policy/policy.ts';
import { gradeInbound, gradeOutbound } from './connector-grade.ts';

const domain = parseDomainPattern('contoso.com')!;

const outbound: OutboundConnector = {
  name: 'x',
  enabled: true,
  comment: '',
  connectorType: 'Partner',
  recipientDomains: [domain],
  allAcceptedDomains: false,
  isTransportRuleScoped: false,
  route: { kind: 'mx' },
  tlsSettings: null,
  tlsDomains: [],
  pins: [],
  minVersion: 'TLSv1.2',
  anchors: 'bundled',
  clientCertificate: null,
  clearTextAfterFailedTls: false,
};

const inbound: InboundConnector = {
  name: 'x',
  enabled: true,
  comment: '',
  connectorType: 'Partner',
  senderDomains: [domain],
  exceptDomains: [],
  senderIPAddresses: ['192.0.2.0/24'],
  restrictDomainsToIPAddresses: false,
  requireTls: false,
  restrictDomainsToCertificate: false,
  tlsSenderCertificateNames: [],
  pins: [],
  anchors: 'bundled',
  minVersion: 'TLSv1.2',
  acceptServerAuthOnly: false,
  associatedAcceptedDomains: [],
  requireTlsTemporaryMs: 0,
};

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
