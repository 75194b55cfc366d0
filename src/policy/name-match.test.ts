/** Names on certificates that must not match what an administrator wrote, and the few that must. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { certificate, outboundConnector, patterns } from '../../test/support/policy.ts';
import { requirementOfOutbound } from './connector-clauses.ts';
import { findMatchingName, isPublicSuffix, presentedNames } from './name-match.ts';

function matches(presented: string, reference: string): boolean {
  return findMatchingName([presented], patterns(reference)) !== null;
}

describe('a reference without a star', () => {
  it('is met by the name itself and by a wildcard one label above it', () => {
    assert(matches('mail.contoso.com', 'mail.contoso.com'));
    assert(matches('*.contoso.com', 'mail.contoso.com'));
  });

  for (const presented of [
    'contoso.com',
    'x.mail.contoso.com',
    'mail.contoso.com.evil.test',
    'evilmail.contoso.com',
    '*.mail.contoso.com',
    '*.com',
    '*',
    '*.',
    'm*.contoso.com',
    '*.*.contoso.com',
    'mail.*.com',
    'mail.contoso.com\0.evil.test',
    'mail.contoso.com evil.test',
    'https://mail.contoso.com',
    '',
  ]) {
    it(`is not met by ${JSON.stringify(presented)}`, () => {
      assert.equal(matches(presented, 'mail.contoso.com'), false);
    });
  }

  it('that is directly under a public suffix is not met by a wildcard over that suffix', () => {
    for (const [presented, reference] of [
      ['*.com', 'contoso.com'],
      ['*.co.uk', 'contoso.co.uk'],
      ['*.github.io', 'contoso.github.io'],
      ['*.kobe.jp', 'contoso.kobe.jp'],
      ['*.sch.uk', 'county.sch.uk'],
      ['*.corp', 'mail.corp'],
    ] as const) {
      assert.equal(matches(presented, reference), false, presented);
    }
  });
});

describe('a reference with a star', () => {
  it('is met by the apex, by all below it and by wildcards there', () => {
    for (const presented of [
      'contoso.com',
      'a.b.contoso.com',
      '*.contoso.com',
      '*.a.contoso.com',
    ]) {
      assert(matches(presented, '*.contoso.com'), presented);
    }
  });

  it('is not met by names that only look like it', () => {
    for (const presented of ['evilcontoso.com', 'contoso.com.evil.test', '*.com', 'contoso.co']) {
      assert.equal(matches(presented, '*.contoso.com'), false, presented);
    }
  });

  it('over a public suffix is met by nothing, wherever it came from', () => {
    for (const suffix of ['com', 'co.uk', 'github.io', 'kobe.jp', 'sch.uk', 'xn--55qx5d.cn']) {
      assert(isPublicSuffix(suffix), suffix);
      assert.equal(matches(`mail.evil.${suffix}`, `*.${suffix}`), false, suffix);
      assert.equal(matches(`evil.${suffix}`, `*.${suffix}`), false, suffix);
    }
    assert.equal(matches('mail.contoso.com', '*'), false);
  });

  it('over a name that a suffix rule excepts is an ordinary one', () => {
    assert.equal(isPublicSuffix('city.kobe.jp'), false);
    assert(matches('mail.city.kobe.jp', '*.city.kobe.jp'));
  });
});

describe('the recipient domain in place of a name', () => {
  const connector = outboundConnector('c', { tlsSettings: 'DomainValidation' });
  const kinds = (domain: string) =>
    requirementOfOutbound(connector, domain).clauses.map(({ kind }) => kind);

  it('is no name where anybody may register under it', () => {
    for (const domain of ['com', 'co.uk', 'github.io', 'kobe.jp', 'x.kobe.jp', '[192.0.2.1]']) {
      assert(kinds(domain).includes('unsatisfiable'), domain);
    }
    assert(kinds('contoso.com').includes('name'));
  });
});

describe('the common name', () => {
  it('counts only where the certificate has no DNS name', () => {
    const both = certificate({ dnsNames: ['a.test'], commonName: 'mail.contoso.com' });
    assert.deepEqual(presentedNames(both), ['a.test']);
    assert.deepEqual(presentedNames(certificate({ dnsNames: [], commonName: 'b.test' })), [
      'b.test',
    ]);
    assert.deepEqual(presentedNames(certificate({ dnsNames: [], commonName: null })), []);
  });
});
