/** Suggestions: what makes a domain a draft, what keeps it from one, and that a draft stops nothing. */
import assert from 'node:assert/strict';
import { describe, it, test } from 'node:test';
import * as fc from 'fast-check';
import {
  address,
  certificate,
  clearSession,
  dayMs,
  evidence,
  inboundConnector,
  noon,
  organization,
  outboundConnector,
  patterns,
  policy,
  reached,
  serverEvidence,
  tlsEvidence,
} from '../../../test/support/policy.ts';
import type { Mail } from '../../../test/support/recorded-mail.ts';
import { readBack } from '../../../test/support/recorded-mail.ts';
import { formatDomainPattern } from '../../mail/domain-pattern.ts';
import type { CertificateFacts, Evidence } from '../evidence.ts';
import type { InboundSession } from '../inbound-session.ts';
import type { InboundConnector, Organization, OutboundConnector, Policy } from '../policy.ts';
import type { Recorded } from '../recorded.ts';
import { replayRecorded } from '../replay.ts';
import { SuggestionSearch } from './suggest.ts';
import type { SuggestOptions, Suggestions } from './suggestion.ts';

const options: SuggestOptions = { directions: ['inbound', 'outbound'], minMessages: 3, minDays: 2 };

function session(part: Partial<InboundSession>): InboundSession {
  const shown = part.evidence ?? clearSession();
  return {
    listener: 'mx',
    clientAddress: '203.0.113.9',
    heloName: 'mail.partner.test',
    account: null,
    reversePath: address('ann@partner.test'),
    ...part,
    evidence: { ...shown, peer: { ...shown.peer, address: '203.0.113.9' } },
  };
}

/** Valid for long, as dates go here. */
function leaf(part: Partial<CertificateFacts> = {}): CertificateFacts {
  const range = {
    notBefore: new Date(0).toISOString(),
    notAfter: new Date(noon * 2).toISOString(),
  };
  const names = part.dnsNames?.join() ?? 'mx.partner.test';
  return certificate({ ...range, fingerprint256: names, ...part });
}

const long = { notBefore: new Date(0).toISOString(), notAfter: new Date(noon * 2).toISOString() };

function server(...dnsNames: string[]): Evidence {
  const chain = [leaf({ dnsNames })];
  return evidence({ tls: tlsEvidence({ chain, paths: [reached(long)] }) });
}

function client(...dnsNames: string[]): Evidence {
  const paths = [reached({ ...long, purpose: 'clientAuth' })];
  return serverEvidence({ chain: [leaf({ dnsNames })], paths });
}

const inClear = evidence({ encryption: 'not-offered', tls: null });

function sent(to: string, shown: Evidence, atMs = noon): Mail {
  const account = { organization: 'org', account: 'user' };
  const reversePath = address('user@example.test');
  const from = session({ listener: 'submission', account, reversePath });
  return { session: from, recipients: [address(to)], atMs, server: () => shown };
}

function came(shown: Evidence, part: Partial<InboundSession> = {}, atMs = noon): Mail {
  const recipients = [address('user@example.test')];
  return { session: session({ evidence: shown, ...part }), recipients, atMs };
}

/** The same on three days. */
function daily(make: (atMs: number) => Mail): Mail[] {
  return [0, 1, 2].map((day) => make(noon + day * dayMs));
}

function search(records: readonly Recorded[], today: Policy | null = policy(), asked = options) {
  const found = new SuggestionSearch(today, asked);
  for (const each of records) found.add(each);
  return found.result();
}

function searchMail(mails: readonly Mail[], before: Policy = policy(), today = before) {
  return search(readBack(before, ...mails), today);
}

function namesOf({ suggestions: [first] }: Suggestions): string[] | null {
  if (first === undefined) return null;
  const { direction, connector } = first;
  const names =
    direction === 'outbound' ? connector.tlsDomains : connector.tlsSenderCertificateNames;
  return names.map(formatDomainPattern);
}

function missingOf({ suggestions, near }: Suggestions): string {
  assert.deepEqual(suggestions, []);
  return near
    .flatMap(({ tooFew, missing }) => [tooFew, ...missing.map((m) => m.reason)])
    .join('; ');
}

const good = server('mx.partner.test');

describe('outbound', () => {
  it('a domain that always had validated TLS is a draft that watches, with the evidence', () => {
    const { suggestions } = searchMail(daily((atMs) => sent('bob@partner.test', good, atMs)));
    const [first, ...others] = suggestions;
    assert.deepEqual(others, []);
    assert.ok(first?.direction === 'outbound');
    const { connector, ...seen } = first;
    assert.equal(connector.mode, 'observe');
    assert.equal(connector.tlsSettings, 'DomainValidation');
    assert.deepEqual(connector.recipientDomains, patterns('partner.test'));
    assert.deepEqual(connector.tlsDomains, patterns('mx.partner.test'));
    assert.deepEqual(
      [seen.organization, seen.domain, seen.messages, seen.days],
      ['org', 'partner.test', 3, 3],
    );
    assert.deepEqual([seen.hosts, seen.versions], [['mx.partner.test'], ['TLSv1.3']]);
    assert.equal(seen.lastAtMs - seen.firstAtMs, 2 * dayMs);
    assert.deepEqual(seen.certificates, [
      {
        fingerprint256: 'mx.partner.test',
        names: ['mx.partner.test'],
        issuer: 'CN=Test CA',
        notAfter: long.notAfter,
      },
    ]);
    assert.equal(
      connector.comment,
      'suggested: all of 3 messages on 3 days, 2026-11-22 to 2026-11-24',
    );
  });

  const failing: readonly (readonly [what: string, shown: Evidence, words: RegExp])[] = [
    ['went in clear', inClear, /STARTTLS was not offered/],
    [
      'had a failed handshake',
      evidence({ encryption: 'failed', tls: null, failure: { code: 'reset', text: 'cut' } }),
      /the handshake failed: cut/,
    ],
    [
      'met a certificate of nobody',
      evidence({
        tls: tlsEvidence({
          chain: [leaf()],
          openssl: { anchors: 'bundled', result: 'UNABLE_TO_GET_ISSUER_CERT' },
          paths: [
            {
              kind: 'not-reached',
              anchors: 'bundled',
              purpose: 'serverAuth',
              problem: 'untrusted-root',
              detail: 'no path leads to a trust anchor',
            },
          ],
        }),
      }),
      /no path leads to a trust anchor/,
    ],
    [
      'met a certificate for another',
      server('other.test'),
      /neither for this host nor for partner/,
    ],
    [
      'was not examined for these CAs',
      evidence({ tls: tlsEvidence({ chain: [leaf()], paths: [] }) }),
      /not examined for that/,
    ],
    [
      'met an expired certificate',
      evidence({
        tls: tlsEvidence({
          chain: [leaf()],
          paths: [reached({ ...long, notAfter: long.notBefore })],
        }),
      }),
      /expired/,
    ],
  ];
  for (const [what, shown, words] of failing) {
    it(`is none where one message of many ${what}`, () => {
      const mails = [0, 1, 2, 3].flatMap(() =>
        daily((atMs) => sent('bob@partner.test', good, atMs)),
      );
      const result = searchMail([...mails, sent('bob@partner.test', shown)]);
      assert.match(missingOf(result), words);
      assert.deepEqual(
        result.near.map(({ met }) => met),
        [12],
      );
      const [problem] = result.near[0]!.missing;
      assert.equal(problem!.kind, words.source.includes('examined') ? 'undecided' : 'unmet');
      assert.notEqual(problem!.id, '');
    });
  }

  it('too few messages, or on too few days, is nearly', () => {
    const two = [0, 1].map((day) => sent('bob@partner.test', good, noon + day * dayMs));
    assert.equal(missingOf(searchMail(two)), '2 of 3 messages');
    const once = [0, 1, 2].map((hour) => sent('bob@partner.test', good, noon + hour));
    assert.equal(missingOf(searchMail(once)), 'on 1 of 2 days');
  });

  it('what a connector covers today, also one that is off, is left out', () => {
    const mails = daily((atMs) => sent('bob@partner.test', good, atMs));
    for (const [pattern, enabled] of [
      ['partner.test', true],
      ['*.partner.test', false],
      ['*', true],
    ] as const) {
      const outboundConnectors = [
        outboundConnector('own', { recipientDomains: patterns(pattern), enabled }),
      ];
      const result = searchMail(mails, policy(), policy({ outboundConnectors }));
      assert.deepEqual([result.suggestions, result.near, result.covered], [[], [], 1]);
    }
  });

  it('what goes by smart host is none', () => {
    const route = { kind: 'smart-hosts', hosts: [{ host: 'mx.partner.test', port: 25 }] } as const;
    const before = policy({
      outboundConnectors: [outboundConnector('all', { recipientDomains: patterns('*'), route })],
    });
    const mails = daily((atMs) => sent('bob@partner.test', good, atMs));
    assert.deepEqual(searchMail(mails, before, policy()).suggestions, []);
  });

  it('mail between domains of the gateway is no partner’s', () => {
    const own = organization({ id: 'two', acceptedDomains: [], mailboxes: [] });
    const today: Policy = {
      ...policy(),
      organizations: [
        organization(),
        {
          ...own,
          acceptedDomains: [
            { ...organization().acceptedDomains[0]!, domain: 'partner.test', isProven: false },
          ],
        },
      ],
    };
    const mails = daily((atMs) => sent('bob@partner.test', good, atMs));
    assert.deepEqual(searchMail(mails, policy(), today).suggestions, []);
  });

  it('evidence that is forgotten is not taken for good', () => {
    const records = readBack(policy(), ...daily((atMs) => sent('bob@partner.test', good, atMs)));
    const [first, ...rest] = records;
    assert.ok(first?.kind === 'message');
    const lost = first.recipients.map((each) => ({ ...each, last: null }));
    const partial = { ...first, isPartial: true, routes: [], recipients: lost };
    assert.equal(search([first, ...records]).suggestions.length, 1);
    const result = search([partial, ...records, ...records, ...records, ...rest]);
    assert.match(missingOf(result), /not stored any more/);
  });
});

describe('names', () => {
  function namesFor(...shown: Evidence[]): string[] | null {
    const mails = shown.flatMap((each) => daily((atMs) => sent('bob@partner.test', each, atMs)));
    return namesOf(searchMail(mails));
  }

  it('are those of the domain that all certificates have in common', () => {
    const [one, two] = [
      server('mx.partner.test', 'a.partner.test', 'shop.other.test'),
      server('mx.partner.test', 'b.partner.test', 'shop.other.test'),
    ];
    assert.deepEqual(namesFor(one, two), ['mx.partner.test']);
  });

  it('are the domain with all below it where they have none in common', () => {
    const names = namesFor(server('a.partner.test'), server('b.partner.test'));
    assert.deepEqual(names, ['*.partner.test']);
  });

  it('are of the host where the domain has none, and that is said', () => {
    const mails = daily((atMs) =>
      sent('bob@sub.partner.test', server('mx.sub.partner.test'), atMs),
    );
    assert.deepEqual(namesOf(searchMail(mails)), ['mx.sub.partner.test']);
    const records = readBack(
      policy(),
      ...daily((at) => sent('b@partner.test', server('mx.host.test'), at)),
    );
    const elsewhere = records.map((each) => atHost(each, 'mx.host.test'));
    const [first] = search(elsewhere).suggestions;
    assert.ok(first?.direction === 'outbound');
    assert.deepEqual(first.connector.tlsDomains, patterns('mx.host.test'));
    assert.match(first.remarks.join(), /no name is of partner\.test/);
  });

  it('never cover what anybody may register', () => {
    const shown = server('*.co.uk', 'mx.partner.co.uk');
    const records = readBack(policy(), ...daily((at) => sent('b@partner.test', shown, at)));
    const [first] = search(records.map((each) => atHost(each, 'mx.partner.co.uk'))).suggestions;
    assert.ok(first?.direction === 'outbound');
    assert.deepEqual(first.connector.tlsDomains, patterns('mx.partner.co.uk'));
  });
});

/** The same mail by a host of another name. */
function atHost(recorded: Recorded, hostName: string): Recorded {
  assert.ok(recorded.kind === 'message');
  const routes = recorded.routes.map((route) => ({
    ...route,
    candidates: route.candidates.map((each) => ({ ...each, hostName })),
  }));
  return { ...recorded, routes };
}

describe('inbound', () => {
  const asking = policy({
    inboundConnectors: [
      inboundConnector('another', {
        senderDomains: patterns('another.test'),
        restrictDomainsToCertificate: true,
        tlsSenderCertificateNames: patterns('mx.another.test'),
      }),
    ],
  });

  it('sessions whose certificate held, by chain and name, are a draft that demands it', () => {
    const mails = daily((atMs) => came(client('mail.partner.test'), {}, atMs));
    const [first] = searchMail(mails, asking).suggestions;
    assert.ok(first?.direction === 'inbound');
    const { connector } = first;
    assert.deepEqual(connector.senderDomains, patterns('partner.test'));
    assert.deepEqual(connector.tlsSenderCertificateNames, patterns('mail.partner.test'));
    assert.deepEqual(
      [connector.requireTls, connector.restrictDomainsToCertificate, connector.mode],
      [true, true, 'observe'],
    );
    assert.equal(connector.acceptServerAuthOnly, false);
  });

  it('a certificate for servers only asks for the rule that accepts it, and says so', () => {
    const paths = [reached({ ...long, purpose: 'either' })];
    const shown = serverEvidence({ chain: [leaf({ dnsNames: ['mail.partner.test'] })], paths });
    const [first] = searchMail(
      daily((atMs) => came(shown, {}, atMs)),
      asking,
    ).suggestions;
    assert.ok(first?.direction === 'inbound');
    assert.equal(first.connector.acceptServerAuthOnly, true);
    assert.match(first.remarks.join(), /for servers only/);
  });

  const good = client('mail.partner.test');
  const failing: readonly (readonly [what: string, mail: Mail, words: RegExp])[] = [
    ['in clear', came(clearSession()), /not encrypted/],
    ['without a certificate', came(serverEvidence({ chain: [], paths: [] })), /none was shown/],
    [
      'that nobody asked for one',
      came(serverEvidence({ chain: [], paths: [], isCertificateRequested: false })),
      /no client certificate was asked for/,
    ],
    ['with the name of another', came(client('mail.other.test')), /neither for the name that it/],
    [
      'with a certificate of nobody',
      came(serverEvidence({ chain: [leaf({ dnsNames: ['mail.partner.test'] })], paths: [] })),
      /not examined for that/,
    ],
    [
      'that a bounce greeted with its name in clear',
      came(clearSession(), { reversePath: null }),
      /not encrypted/,
    ],
  ];
  for (const [what, mail, words] of failing) {
    it(`is none where one came ${what}`, () => {
      const mails = [0, 1, 2, 3].flatMap(() => daily((atMs) => came(good, {}, atMs)));
      const { suggestions, near } = searchMail([...mails, mail], asking);
      assert.deepEqual(suggestions, []);
      assert.match(near.find(({ domain }) => domain === 'partner.test')!.missing[0]!.reason, words);
    });
  }

  it('bounces are no mail of a domain', () => {
    const mails = daily((atMs) => came(good, { reversePath: null }, atMs));
    assert.deepEqual(searchMail(mails, asking).suggestions, []);
  });

  it('a connector for everybody leaves the draft its place, one for the domain does not', () => {
    const mails = daily((atMs) => came(good, {}, atMs));
    const withIt = (pattern: string): Policy =>
      policy({
        inboundConnectors: [inboundConnector('own', { senderDomains: patterns(pattern) })],
      });
    assert.equal(searchMail(mails, asking, withIt('*')).suggestions.length, 1);
    const covered = searchMail(mails, asking, withIt('*.partner.test'));
    assert.deepEqual([covered.suggestions, covered.covered], [[], 1]);
  });

  it('only what is asked for is looked at', () => {
    const records = readBack(asking, ...daily((atMs) => came(good, {}, atMs)));
    const outboundOnly = { ...options, directions: ['outbound'] } as const;
    assert.deepEqual(search(records, asking, outboundOnly).suggestions, []);
  });
});

test('without a policy nothing is left out', () => {
  const records = readBack(policy(), ...daily((atMs) => sent('bob@partner.test', good, atMs)));
  assert.equal(search(records, null).suggestions.length, 1);
});

const anyServer = fc.constantFrom(
  good,
  good,
  server('mx.partner.test', 'mx.two.test'),
  server('*.partner.test'),
  server('mx.two.test'),
  server('deep.sub.two.test'),
  inClear,
  evidence({ tls: tlsEvidence({ chain: [leaf()], paths: [] }) }),
);
const anyClient = fc.constantFrom(
  client('mail.partner.test'),
  client('mail.partner.test', 'mail.two.test'),
  client('*.partner.test'),
  clearSession(),
  serverEvidence({ chain: [], paths: [], isCertificateRequested: false }),
  serverEvidence({
    chain: [leaf({ dnsNames: ['mail.two.test'] })],
    paths: [reached({ ...long, purpose: 'either' })],
  }),
);
const anyDomain = fc.constantFrom('partner.test', 'two.test', 'sub.two.test');
const anyMail: fc.Arbitrary<Mail> = fc.oneof(
  fc.tuple(anyDomain, anyDomain, anyServer, anyServer).map(([one, two, first, second]) => ({
    ...sent(`bob@${one}`, first),
    recipients: [address(`bob@${one}`), address(`ann@${two}`)],
    server: (domain: string) => (domain === one ? first : second),
  })),
  fc.tuple(anyClient, anyDomain, fc.boolean(), anyDomain).map(([shown, domain, isBounce, helo]) =>
    came(shown, {
      heloName: `mail.${helo}`,
      reversePath: isBounce ? null : address(`ann@${domain}`),
    }),
  ),
);
const somePatterns = fc
  .uniqueArray(fc.constantFrom('*', 'two.test', '*.two.test', 'else.test'), { maxLength: 2 })
  .map((texts) => patterns(...texts));
const anyToday = fc
  .record({
    recipientDomains: somePatterns,
    tlsSettings: fc.constantFrom(null, 'EncryptionOnly' as const),
    senderDomains: somePatterns,
    requireTls: fc.boolean(),
    mode: fc.constantFrom('enforce' as const, 'observe' as const),
  })
  .map(({ recipientDomains, tlsSettings, senderDomains, requireTls, mode }) =>
    policy({
      outboundConnectors: [outboundConnector('out', { recipientDomains, tlsSettings, mode })],
      inboundConnectors:
        senderDomains.length === 0
          ? []
          : [inboundConnector('in', { senderDomains, requireTls, mode })],
    }),
  );

test('what is suggested, enforced over the same records, would have stopped nothing', () => {
  let suggested = 0;
  fc.assert(
    fc.property(fc.array(anyMail, { minLength: 1, maxLength: 8 }), anyToday, (mails, today) => {
      const records = readBack(today, ...mails);
      const asked = { ...options, minMessages: 1, minDays: 1 };
      const { suggestions } = search(records, today, asked);
      suggested += suggestions.length;
      const inbound = suggestions.flatMap((each) =>
        each.direction === 'inbound' ? [enforced(each.connector)] : [],
      );
      const outbound = suggestions.flatMap((each) =>
        each.direction === 'outbound' ? [enforced(each.connector)] : [],
      );
      const after = withConnectors(today, inbound, outbound);
      for (const recorded of records) {
        const { changes, undecided } = replayRecorded(after, recorded);
        const stopped = changes.filter(({ kind }) => kind !== 'routed' && kind !== 'stricter');
        assert.deepEqual(stopped, []);
        const open = undecided.filter(({ why }) => why !== 'header-from');
        assert.deepEqual(open, []);
      }
    }),
    { numRuns: 500 },
  );
  assert.ok(suggested > 150, `${suggested}`);
});

function enforced<Connector extends InboundConnector | OutboundConnector>(each: Connector) {
  return { ...each, mode: 'enforce' as const };
}

function withConnectors(
  today: Policy,
  inbound: readonly InboundConnector[],
  outbound: readonly OutboundConnector[],
): Policy {
  const organizations = today.organizations.map((each): Organization => ({
    ...each,
    inboundConnectors: [...each.inboundConnectors, ...inbound],
    outboundConnectors: [...each.outboundConnectors, ...outbound],
  }));
  return { ...today, revision: '111111111111', organizations };
}
