/** A policy replayed over its own records changes nothing, whatever it says and whatever mail came. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import {
  acceptedDomain,
  address,
  certificate,
  clearSession,
  deliveryTarget,
  evidence,
  inboundConnector,
  noon,
  organization,
  outboundConnector,
  patterns,
  reached,
  serverEvidence,
  tlsEvidence,
} from '../../test/support/policy.ts';
import type { Mail } from '../../test/support/recorded-mail.ts';
import { readBack } from '../../test/support/recorded-mail.ts';
import type { Evidence } from './evidence.ts';
import type { InboundConnector, Organization, OutboundConnector, Policy } from './policy.ts';
import { replayRecorded } from './replay.ts';

const domains = ['one.test', 'two.test', 'sub.two.test', 'partner.test', 'fabrikam.test'];
const domain = fc.constantFrom(...domains);
const pattern = fc.oneof(
  domain,
  domain.map((name) => `*.${name}`),
  fc.constant('*'),
);
const somePatterns = fc
  .uniqueArray(pattern, { minLength: 1, maxLength: 3 })
  .map((texts) => patterns(...texts));
const names = fc
  .uniqueArray(fc.constantFrom('mx.partner.test', '*.one.test', 'mx.two.test'), { maxLength: 2 })
  .map((texts) => patterns(...texts));
const mode = fc.constantFrom('enforce', 'enforce', 'warn', 'observe');
const anchors = fc.constantFrom('bundled', 'file:/other.pem');
const ranges = fc.uniqueArray(fc.constantFrom('203.0.113.0/24', '198.51.100.7/32'), {
  maxLength: 2,
});

const inbound: fc.Arbitrary<InboundConnector> = fc
  .record({
    name: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
    enabled: fc.constantFrom(true, true, true, false),
    mode,
    anchors,
    connectorType: fc.constantFrom('Partner', 'OnPremises'),
    senderDomains: somePatterns,
    senderIPAddresses: ranges,
    restrictDomainsToIPAddresses: fc.boolean(),
    requireTls: fc.boolean(),
    requireTlsTemporaryMs: fc.constantFrom(0, 3600_000),
    restrictDomainsToCertificate: fc.boolean(),
    tlsSenderCertificateNames: names,
    acceptServerAuthOnly: fc.boolean(),
  })
  .map((part) => inboundConnector(part.name, part as Partial<InboundConnector>));

const outbound: fc.Arbitrary<OutboundConnector> = fc
  .record({
    name: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
    enabled: fc.constantFrom(true, true, false),
    mode,
    anchors,
    recipientDomains: somePatterns,
    allAcceptedDomains: fc.boolean(),
    routeAllMessagesViaOnPremises: fc.constantFrom(false, false, false, true),
    tlsSettings: fc.constantFrom(
      null,
      'EncryptionOnly',
      'CertificateValidation',
      'DomainValidation',
    ),
    tlsDomains: names,
    clearTextAfterFailedTls: fc.boolean(),
    route: fc.constantFrom({ kind: 'mx' } as const, {
      kind: 'smart-hosts' as const,
      hosts: [{ host: 'mx.partner.test', port: 25 }],
    }),
  })
  .map((part) => outboundConnector(part.name, part as Partial<OutboundConnector>));

const unique = <Item extends { readonly name: string }>(item: fc.Arbitrary<Item>) =>
  fc.uniqueArray(item, { maxLength: 5, selector: ({ name }) => name });

const accepted = (name: string) =>
  fc.constantFrom(
    acceptedDomain(name),
    acceptedDomain(name, { type: 'internal-relay', matchSubDomains: true }),
    acceptedDomain(name, { deliveryTarget: 'store', recipients: { kind: 'any' } }),
    acceptedDomain(name, { isProven: false }),
    acceptedDomain(name, { catchAll: address(`user@${name}`) }),
  );

const ofOrganization = (id: string, name: string): fc.Arbitrary<Organization> =>
  fc
    .record({
      acceptedDomains: accepted(name).map((each) => [each]),
      inboundConnectors: unique(inbound),
      outboundConnectors: unique(outbound),
      rejectDirectSend: fc.boolean(),
      addressExtension: fc.constantFrom(null, '+'),
    })
    .map((part) =>
      organization({
        id,
        name: id,
        mailboxes: [{ account: 'user', addresses: [address(`user@${name}`)] }],
        aliases: [
          {
            address: address(`sales@${name}`),
            to: [address(`user@${name}`), address('bob@fabrikam.test')],
          },
        ],
        deliveryTargets: [deliveryTarget('store')],
        ...part,
      }),
    );

const anyPolicy: fc.Arbitrary<Policy> = fc
  .tuple(ofOrganization('org', 'one.test'), ofOrganization('two', 'two.test'))
  .map((organizations) => ({
    formatVersion: 1,
    revision: '000000000000',
    hostName: 'mx.one.test',
    organizations,
  }));

const leaf = fc.constantFrom(
  ['mx.partner.test'],
  ['*.one.test'],
  ['mail.one.test'],
  ['mx.two.test'],
);
const anyPath = fc.constantFrom('clientAuth', 'either', 'serverAuth').map((purpose) => purpose);
const shown: fc.Arbitrary<Evidence> = fc.oneof(
  fc.constant(clearSession()),
  fc.constant(serverEvidence({ chain: [], paths: [], isCertificateRequested: false })),
  fc
    .tuple(leaf, anyPath)
    .map(([dnsNames, purpose]) =>
      serverEvidence({ chain: [certificate({ dnsNames })], paths: [reached({ purpose })] }),
    ),
);
const server: fc.Arbitrary<Evidence> = fc.oneof(
  fc.constant(evidence({ encryption: 'not-offered', tls: null })),
  leaf.map((dnsNames) => evidence({ tls: tlsEvidence({ chain: [certificate({ dnsNames })] }) })),
);
const anyone = fc
  .tuple(fc.constantFrom('user', 'User+x', 'sales', 'bob', 'postmaster'), domain)
  .map(([local, name]) => address(`${local}@${name}`));

const anyMail: fc.Arbitrary<Mail> = fc
  .record({
    evidence: shown,
    clientAddress: fc.constantFrom('203.0.113.9', '198.51.100.7', '192.0.2.77'),
    reversePath: fc.oneof(anyone, fc.constant(null)),
    account: fc.constantFrom(null, null, { organization: 'org', account: 'user' }),
    heloName: fc.constantFrom('mail.partner.test', '[192.0.2.77]', 'one.test'),
    recipients: fc.uniqueArray(anyone, {
      minLength: 1,
      maxLength: 4,
      selector: ({ localPart, domain: at }) => `${localPart}@${at}`,
    }),
    server,
  })
  .map(({ recipients, server: takes, evidence: seen, ...rest }) => ({
    session: {
      ...rest,
      listener: rest.account === null ? 'mx' : 'submission',
      evidence: { ...seen, peer: { ...seen.peer, address: rest.clientAddress } },
    },
    recipients,
    atMs: noon,
    server: () => takes,
  }));

test('the same policy changes nothing, and leaves nothing undecided that it decided', () => {
  let messages = 0;
  let refusals = 0;
  fc.assert(
    fc.property(anyPolicy, anyMail, (policy, mail) => {
      for (const recorded of readBack(policy, mail)) {
        if (recorded.kind === 'refusal') refusals++;
        else messages++;
        const { changes, undecided } = replayRecorded(policy, recorded);
        assert.deepEqual(changes, []);
        assert.deepEqual(
          undecided.filter(({ why }) => !isOpenAnyway(why)),
          [],
        );
      }
    }),
    { numRuns: 1500 },
  );
  assert.ok(messages > 300 && refusals > 300, `${messages} messages, ${refusals} refusals`);
});

/** A session whose certificate was not examined or asked for is told so under any policy. */
function isOpenAnyway(why: string): boolean {
  return why === 'not-examined' || why === 'not-requested';
}

test('another revision of the same policy changes nothing either', () => {
  fc.assert(
    fc.property(anyPolicy, anyMail, (policy, mail) => {
      for (const recorded of readBack(policy, mail)) {
        const { changes } = replayRecorded({ ...policy, revision: '111111111111' }, recorded);
        assert.deepEqual(changes, []);
      }
    }),
    { numRuns: 500 },
  );
});

test('a record of anything is read and replayed under anything, and no fault is met', () => {
  fc.assert(
    fc.property(anyPolicy, anyPolicy, anyMail, (before, after, mail) => {
      for (const recorded of readBack(before, mail)) {
        const { changes } = replayRecorded({ ...after, revision: '111111111111' }, recorded);
        for (const { because, partner } of changes) assert.ok(because !== '' && partner !== '');
      }
    }),
    { numRuns: 1000 },
  );
});
