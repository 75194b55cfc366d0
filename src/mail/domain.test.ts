import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import {
  formatDomainPattern,
  matchesDomainPattern,
  parseDomainPattern,
  specificityOf,
} from './domain-pattern.ts';
import { isUnderDomain, parseDomain } from './domain.ts';

describe('a domain name', () => {
  it('is kept in one form: what was parsed is parsed to itself', () => {
    fc.assert(
      fc.property(fc.oneof(fc.domain(), fc.string({ maxLength: 40 })), (text) => {
        const domain = parseDomain(text);
        if (domain === null) return;
        assert.equal(parseDomain(domain), domain);
        assert.match(domain, /^[a-z0-9_.-]+$/);
      }),
    );
  });

  for (const [text, domain] of [
    ['Example.TEST', 'example.test'],
    ['example.test.', 'example.test'],
    ['faß.example', 'xn--fa-hia.example'],
    ['_dmarc.example.test', '_dmarc.example.test'],
    ['1.2.3.4', null],
    ['1.2', null],
    ['a..b', null],
    ['-a.test', null],
    ['a/b.test', null],
    ['a b.test', null],
    ['ü/x.test', null],
    ['', null],
    ['.', null],
  ] as const) {
    it(`${JSON.stringify(text)} is ${domain ?? 'none'}`, () => {
      assert.equal(parseDomain(text), domain);
    });
  }

  it('lies under itself and its parents, not under a name that only ends alike', () => {
    assert.ok(isUnderDomain('a.contoso.com', 'contoso.com'));
    assert.ok(isUnderDomain('contoso.com', 'contoso.com'));
    assert.ok(!isUnderDomain('evilcontoso.com', 'contoso.com'));
    assert.ok(!isUnderDomain('com', 'contoso.com'));
  });
});

describe('a domain pattern', () => {
  it('with a star is the apex and every subdomain', () => {
    const pattern = parseDomainPattern('*.contoso.com')!;
    for (const domain of ['contoso.com', 'a.contoso.com', 'a.b.contoso.com']) {
      assert.ok(matchesDomainPattern(pattern, domain), domain);
    }
    assert.ok(!matchesDomainPattern(pattern, 'evilcontoso.com'));
  });

  it('takes a star as the whole first label only', () => {
    for (const text of ['domain.*.contoso.com', '*contoso.com', '*.', '**', '*.*.com', 'a*.com']) {
      assert.equal(parseDomainPattern(text), null, text);
    }
  });

  it('is read back as it was written', () => {
    for (const text of ['*', '*.contoso.com', 'contoso.com']) {
      assert.equal(formatDomainPattern(parseDomainPattern(text)!), text);
    }
  });

  it('is more specific the closer it names a domain', () => {
    const ranks = ['*', '*.com', '*.contoso.com', 'contoso.com'].map((text) =>
      specificityOf(parseDomainPattern(text)!),
    );
    assert.deepEqual(
      ranks.toSorted((a, b) => a - b),
      ranks,
    );
    assert.equal(new Set(ranks).size, ranks.length);
  });
});
