/** Facts about the verdict: what must never proceed comes first. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import {
  certificate,
  dayMs,
  evidence,
  noon,
  outboundConnector,
  patterns,
  reached,
  tlsEvidence,
} from '../../test/support/policy.ts';
import { formatEnhancedStatus } from '../mail/enhanced-status.ts';
import { requirementOfOutbound } from './connector-clauses.ts';
import type { Evidence, PathProblem, TlsEvidence } from './evidence.ts';
import type { OutboundConnector } from './policy.ts';
import type { Clause, Requirement } from './tls-requirement.ts';
import { joinRequirements, nothingRequired } from './tls-requirement.ts';
import { judgeTls } from './tls-verdict.ts';

function requirement(part: Partial<OutboundConnector>, domain = 'partner.test'): Requirement {
  return requirementOfOutbound(outboundConnector('partner', part), domain);
}

function judge(required: Requirement, seen: Evidence, nowMs = noon): string {
  const verdict = judgeTls(required, seen, nowMs, null);
  return verdict.kind === 'proceed'
    ? 'proceed'
    : `${formatEnhancedStatus(verdict.status)} ${verdict.problem}`;
}

function withTls(part: Partial<TlsEvidence>): Evidence {
  return evidence({ tls: tlsEvidence(part) });
}

function notReached(problem: PathProblem): Evidence {
  const detail = problem;
  const path = { kind: 'not-reached', anchors: 'bundled', purpose: 'serverAuth', problem, detail };
  return withTls({ paths: [path as TlsEvidence['paths'][number]] });
}

const encryption = requirement({ tlsSettings: 'EncryptionOnly' });
const trusted = requirement({ tlsSettings: 'CertificateValidation' });
const named = requirement({
  tlsSettings: 'DomainValidation',
  tlsDomains: patterns('mx.partner.test'),
});
const pinned = requirement({ tlsSettings: 'Pinned', pins: ['leaf-key'] });
const forced = [encryption, trusted, named, pinned];

describe('a forced requirement', () => {
  it('never proceeds on a connection without established TLS', () => {
    for (const required of forced) {
      for (const encryption of ['not-offered', 'not-used', 'refused', 'failed'] as const) {
        for (const role of ['client', 'server'] as const) {
          const seen = evidence({ encryption, role, tls: null });
          assert.notEqual(judge(required, seen), 'proceed', `${encryption} as ${role}`);
        }
      }
    }
  });

  it('is met inside this gateway as far as nothing but encryption is asked', () => {
    const seen = evidence({ encryption: 'internal', tls: null, fromOrganization: 'o' });
    assert.equal(judge(encryption, seen), 'proceed');
    for (const required of [trusted, named, pinned]) {
      assert.equal(judge(required, seen), '4.7.320 NoCertificate');
    }
    const broken = { kind: 'unsatisfiable', reason: 'x' } as const;
    const origin = { kind: 'connector', name: 'c' } as const;
    assert.equal(judge({ clauses: [{ ...broken, origin }] }, seen), '4.7.5 BrokenPolicy');
  });

  it('never proceeds in clear by a clear-text allowance', () => {
    const allowance = { kind: 'clear-text-after-failed-tls', failedAttempts: 9 } as const;
    const seen = evidence({ encryption: 'not-used', tls: null });
    for (const required of forced) {
      assert.equal(judgeTls(required, seen, noon, allowance).kind, 'refuse');
    }
  });

  it('refuses TLS 1.0 and 1.1 even where only encryption is asked', () => {
    for (const protocol of ['TLSv1', 'TLSv1.1', 'SSLv3', 'unknown']) {
      assert.equal(judge(encryption, withTls({ protocol })), '4.4.317 OldVersion');
      assert.equal(judge(nothingRequired, withTls({ protocol })), '4.4.317 OldVersion');
    }
  });

  it('refuses TLS 1.2 where the connector asks for 1.3', () => {
    const strict = requirement({ tlsSettings: 'EncryptionOnly', minVersion: 'TLSv1.3' });
    assert.equal(judge(strict, withTls({ protocol: 'TLSv1.2' })), '4.4.317 OldVersion');
    assert.equal(judge(strict, withTls({ protocol: 'TLSv1.3' })), 'proceed');
  });

  it('refuses established evidence without TLS facts', () => {
    for (const required of forced)
      assert.notEqual(judge(required, evidence({ tls: null })), 'proceed');
  });
});

describe('a trust clause', () => {
  const problems: readonly (readonly [PathProblem, string])[] = [
    ['untrusted-root', '4.4.317 UntrustedRoot'],
    ['self-signed', '4.4.317 UntrustedRoot'],
    ['expired', '4.7.320 Expired'],
    ['wrong-purpose', '4.7.320 WrongUsage'],
    ['bad-signature', '4.7.320 BadSignature'],
    ['anchors-unavailable', '4.7.5 AnchorsUnavailable'],
  ];
  for (const [problem, words] of problems) {
    it(`refuses a path that ends in ${problem}`, () => {
      assert.equal(judge(trusted, notReached(problem)), words);
    });
  }

  it('refuses where OpenSSL refuses the path that we found', () => {
    const openssl = { anchors: 'bundled', result: 'CERT_REVOKED' };
    assert.equal(judge(trusted, withTls({ openssl })), '4.7.320 Disagreement');
  });

  it('refuses where we refuse the path that OpenSSL found', () => {
    assert.equal(judge(trusted, notReached('name-constraint')), '4.7.320 NameConstraint');
  });

  it('does not use a connection that was examined for other anchors', () => {
    const own = requirement({ tlsSettings: 'CertificateValidation', anchors: 'file:/ca.pem' });
    assert.equal(judge(own, evidence()), '4.4.317 NotExamined');
    const openssl = { anchors: 'file:/ca.pem', result: 'ok' };
    assert.equal(judge(own, withTls({ openssl })), '4.4.317 NotExamined');
    const paths = [reached({ anchors: 'file:/ca.pem' })];
    assert.equal(judge(own, withTls({ paths })), '4.4.317 NotExamined');
    assert.equal(judge(own, withTls({ paths, openssl })), 'proceed');
  });

  it('does not take a path for another purpose', () => {
    const paths = [reached({ purpose: 'clientAuth' }), reached({ purpose: 'either' })];
    assert.equal(judge(trusted, withTls({ paths })), '4.4.317 NotExamined');
  });

  it('refuses a peer that showed no certificate', () => {
    assert.equal(judge(trusted, withTls({ chain: [] })), '4.7.320 NoCertificate');
    assert.equal(judge(named, withTls({ chain: [] })), '4.7.320 NoCertificate');
    assert.equal(judge(pinned, withTls({ chain: [] })), '4.7.320 NoCertificate');
  });

  it('judges a pooled connection at the present time, not at the handshake', () => {
    assert.equal(judge(trusted, evidence(), noon + 2 * dayMs), '4.7.320 Expired');
    assert.equal(judge(trusted, evidence(), noon - 2 * dayMs), '4.7.320 NotYetValid');
  });

  it('refuses dates that cannot be read', () => {
    const paths = [reached({ notAfter: 'whenever' })];
    assert.equal(judge(trusted, withTls({ paths })), '4.7.320 Malformed');
  });
});

describe('two sets of trust anchors in one requirement', () => {
  const settings = { tlsSettings: 'CertificateValidation' } as const;
  const demand = (name: string, anchors: string) =>
    requirementOfOutbound(outboundConnector(name, { ...settings, anchors }), 'partner.test');
  const central = demand('central', 'file:/own.pem');
  const both = joinRequirements(central, demand('all', 'bundled'));
  const paths = [reached(), reached({ anchors: 'file:/own.pem' })];

  it('are met by no connection, whichever of them OpenSSL was asked about', () => {
    for (const anchors of ['bundled', 'file:/own.pem']) {
      const seen = withTls({ paths, openssl: { anchors, result: 'ok' } });
      assert.equal(judge(both, seen), '4.7.5 TwoAnchorSets');
      assert.equal(judge(both, withTls({ paths: [reached()] })), '4.7.5 TwoAnchorSets');
    }
    assert.equal(judge(both, withTls({ paths, openssl: null })), '4.7.5 TwoAnchorSets');
  });

  it('are refused in words that name both sets and who demands them', () => {
    const verdict = judgeTls(both, withTls({ paths }), noon, null);
    assert(verdict.kind === 'refuse');
    assert.equal(verdict.cause, 'policy');
    assert.match(
      verdict.reason,
      /^two sets of trust anchors are demanded, file:\/own\.pem by connector "central" and bundled by connector "all", and one connection cannot be examined for both: /,
    );
    assert.equal(verdict.unmet?.origin.name, 'all');
  });

  it('hide nothing about a connection without TLS', () => {
    const clear = evidence({ encryption: 'not-offered', tls: null });
    assert.equal(judge(both, clear), '4.4.317 NoStartTls');
    const internal = evidence({ encryption: 'internal', tls: null, fromOrganization: 'o' });
    assert.equal(judge(both, internal), '4.7.320 NoCertificate');
  });

  it('are no matter where both connectors name the same', () => {
    const same = joinRequirements(central, demand('all', 'file:/own.pem'));
    const openssl = { anchors: 'file:/own.pem', result: 'ok' };
    assert.equal(judge(same, withTls({ paths, openssl })), 'proceed');
  });
});

describe('a pin', () => {
  it('stands in the place of CA and name', () => {
    assert.equal(judge(pinned, withTls({ paths: [], openssl: null })), 'proceed');
  });
  it('refuses another key', () => {
    const chain = [certificate({ spki256: 'other' })];
    assert.equal(judge(pinned, withTls({ chain })), '4.7.320 PinMismatch');
  });
  it('is compared with the leaf only', () => {
    const chain = [certificate({ spki256: 'other' }), certificate()];
    assert.equal(judge(pinned, withTls({ chain })), '4.7.320 PinMismatch');
  });
  it('does not excuse an expired certificate', () => {
    assert.equal(judge(pinned, evidence(), noon + 2 * dayMs), '4.7.320 Expired');
  });
  it('is demanded besides CA and name where the connector asks for both', () => {
    const both = requirement({
      tlsSettings: 'DomainValidation',
      tlsDomains: patterns('mx.partner.test'),
      pins: ['leaf-key'],
    });
    assert.equal(judge(both, evidence()), 'proceed');
    assert.equal(judge(both, notReached('untrusted-root')), '4.4.317 UntrustedRoot');
    const chain = [certificate({ spki256: 'other' })];
    assert.equal(judge(both, withTls({ chain })), '4.7.320 PinMismatch');
  });
});

describe('a name clause', () => {
  const cases: readonly (readonly [string, readonly string[], string | null, boolean])[] = [
    ['mx.partner.test', ['mx.partner.test'], null, true],
    ['mx.partner.test', ['*.partner.test'], null, true],
    ['a.b.partner.test', ['*.partner.test'], null, false],
    ['partner.test', ['*.partner.test'], null, false],
    ['*.partner.test', ['partner.test'], null, true],
    ['*.partner.test', ['a.b.partner.test'], null, true],
    ['*.partner.test', ['*.partner.test'], null, true],
    ['*.partner.test', ['*.a.partner.test'], null, true],
    ['*.partner.test', ['evilpartner.test'], null, false],
    ['*.partner.test', ['*.test'], null, false],
    ['*.partner.test', ['partner.test.evil.test'], null, false],
    ['mx.partner.test', ['m*.partner.test'], null, false],
    ['mx.partner.test', ['*'], null, false],
    ['partner.co.uk', ['*.co.uk'], null, false],
    ['partner.com', ['*.com'], null, false],
    ['mx.partner.test', [], 'mx.partner.test', true],
    ['mx.partner.test', ['other.test'], 'mx.partner.test', false],
    ['mx.partner.test', ['mx.partner.test\0.evil.test'], null, false],
    ['mx.partner.test', ['mx.partner.test '], null, false],
  ];
  for (const [reference, dnsNames, commonName, matches] of cases) {
    const shown = `${dnsNames.join(', ')} CN ${commonName ?? 'none'}`;
    it(`${matches ? 'takes' : 'refuses'} ${shown} for ${reference}`, () => {
      const required = requirement({
        tlsSettings: 'DomainValidation',
        tlsDomains: patterns(reference),
      });
      const chain = [certificate({ dnsNames, commonName })];
      assert.equal(
        judge(required, withTls({ chain })),
        matches ? 'proceed' : '4.4.317 SubjectMismatch',
      );
    });
  }

  it('with MX and no tlsDomain is the recipient domain or a name under it', () => {
    const required = requirement({ tlsSettings: 'DomainValidation' });
    assert.equal(judge(required, evidence()), 'proceed');
    const chain = [certificate({ dnsNames: ['mx.other.test'] })];
    assert.equal(judge(required, withTls({ chain })), '4.4.317 SubjectMismatch');
  });

  it('is broken policy with smart hosts and no tlsDomain, and over public suffixes', () => {
    const hosts = { kind: 'smart-hosts', hosts: [{ host: 'mx.partner.test', port: 25 }] } as const;
    const settings = { tlsSettings: 'DomainValidation' } as const;
    assert.equal(
      judge(requirement({ ...settings, route: hosts }), evidence()),
      '4.7.5 BrokenPolicy',
    );
    for (const wide of ['*', '*.com', '*.co.uk', '*.github.io']) {
      const required = requirement({ ...settings, tlsDomains: patterns(wide) });
      assert.equal(judge(required, evidence()), '4.7.5 BrokenPolicy', wide);
    }
    assert.equal(judge(requirement(settings, 'co.uk'), evidence()), '4.7.5 BrokenPolicy');
  });
});

describe('opportunistic', () => {
  it('takes any established TLS, whatever the certificate', () => {
    assert.equal(judge(nothingRequired, notReached('expired')), 'proceed');
    assert.equal(judge(nothingRequired, withTls({ chain: [], paths: [] })), 'proceed');
  });
  it('goes in clear only where STARTTLS was not offered', () => {
    assert.equal(
      judge(nothingRequired, evidence({ encryption: 'not-offered', tls: null })),
      'proceed',
    );
    for (const encryption of ['refused', 'failed', 'not-used'] as const) {
      assert.notEqual(judge(nothingRequired, evidence({ encryption, tls: null })), 'proceed');
    }
  });
  it('leaves an offered STARTTLS unused by explicit allowance', () => {
    const allowance = { kind: 'clear-text-after-failed-tls', failedAttempts: 2 } as const;
    const seen = evidence({ encryption: 'not-used', tls: null });
    assert.equal(judgeTls(nothingRequired, seen, noon, allowance).kind, 'proceed');
  });
});

describe('a permit', () => {
  it('is for the judged connection and for one transaction', () => {
    const verdict = judgeTls(named, evidence({ connectionId: 'c7' }), noon, null);
    assert.equal(verdict.kind, 'proceed');
    assert.throws(() => verdict.permit.spend('c8'));
    verdict.permit.spend('c7');
    assert.throws(() => verdict.permit.spend('c7'));
  });
});

describe('joining requirements', () => {
  it('cannot loosen, in any order: what the union passes, each part passes', () => {
    const sources: readonly Requirement[] = [nothingRequired, ...forced];
    const chainOf = fc.constantFrom([certificate()], [certificate({ dnsNames: ['x.test'] })], []);
    const seen = fc
      .record({
        encryption: fc.constantFrom('established', 'not-offered', 'failed', 'refused', 'not-used'),
        chain: chainOf,
        isReached: fc.boolean(),
        isAgreed: fc.boolean(),
      })
      .map(({ encryption, chain, isReached, isAgreed }) =>
        evidence({
          encryption,
          tls:
            encryption === 'established'
              ? tlsEvidence({
                  chain,
                  paths: isReached ? [reached()] : notReached('expired').tls!.paths,
                  openssl: { anchors: 'bundled', result: isAgreed ? 'ok' : 'NO' },
                })
              : null,
        }),
      );
    const parts = fc.array(fc.constantFrom(...sources), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(parts, seen, (chosen, observed) => {
        const joined = judge(joinRequirements(...chosen), observed) === 'proceed';
        const reversed = judge(joinRequirements(...chosen.toReversed()), observed) === 'proceed';
        const each = chosen.every((part) => judge(part, observed) === 'proceed');
        assert.equal(joined, reversed);
        assert.equal(joined, each);
      }),
    );
  });

  it('keeps each clause once per origin', () => {
    const joined = joinRequirements(named, named, encryption);
    const texts = joined.clauses.map((clause: Clause) => JSON.stringify(clause));
    assert.equal(new Set(texts).size, texts.length);
  });
});
