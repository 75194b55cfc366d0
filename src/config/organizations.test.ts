import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accepted, errorsOf, inOrganization } from './config-sample.ts';
import { parseConfig } from './load.ts';
import { formatProblem } from './problem.ts';
import type { RefusalCase } from './refusal-case.ts';
import { testRefusals } from './refusal-case.ts';

const contoso = 'acceptedDomains: [{ domain: contoso.com }]';
const mailbox = (account: string, address: string): string =>
  `mailboxes: [{ account: "${account}", addresses: ["${address}"] }]`;

/** The organization fabrikam, and contoso behind it. */
const two = (first: string, second: string, top = '', id = 'contoso'): string =>
  `${inOrganization(first, top)}  - id: ${id}\n${second.replaceAll(/^/gm, '    ')}\n`;

/** One mailbox each. */
const first = `acceptedDomains: [{ domain: fabrikam.com }]\n${mailbox('ann', 'ann@fabrikam.com')}`;
const second = `${contoso}\n${mailbox('bob', 'bob@contoso.com')}`;

const relay = (domain: string): string =>
  `acceptedDomains: [{ domain: ${domain}, type: InternalRelay, matchSubDomains: true }]`;

test('two organizations, each with what is its own, are good', () => {
  const result = parseConfig(two(first, second), 'postern.yaml');
  assert.equal(result.kind, 'loaded', JSON.stringify(result));
  if (result.kind !== 'loaded') return;
  assert.deepEqual(
    result.policy.organizations.map(({ id, acceptedDomains }) => [id, acceptedDomains[0]!.domain]),
    [
      ['fabrikam', 'fabrikam.com'],
      ['contoso', 'contoso.com'],
    ],
  );
  assert.deepEqual(result.warnings.map(formatProblem), []);
});

/** What is written, the key that is named, and words that say what would be right. */
const refusals: readonly RefusalCase[] = [
  [
    'two organizations of one id',
    two(first, second, '', 'fabrikam'),
    'organizations[1].id',
    /another organization "fabrikam"/,
  ],
  [
    'a domain in two organizations',
    two(
      first,
      `acceptedDomains: [{ domain: FABRIKAM.com }]\n${mailbox('bob', 'bob@fabrikam.com')}`,
    ),
    'organizations[1].acceptedDomains[0].domain',
    /belongs to the organization "fabrikam" already/,
  ],
  [
    'a domain under one that another organization has with all below it',
    two(
      relay('contoso.com'),
      `acceptedDomains: [{ domain: a.sales.contoso.com }]\n${mailbox('bob', 'bob@a.sales.contoso.com')}`,
    ),
    'organizations[1].acceptedDomains[0].domain',
    /lies under contoso\.com, all of which belongs to the organization "fabrikam"/,
  ],
  [
    'the same whichever of the two comes first',
    two(
      `acceptedDomains: [{ domain: sales.contoso.com }]\n${mailbox('bob', 'bob@sales.contoso.com')}`,
      relay('contoso.com'),
    ),
    'organizations[0].acceptedDomains[0].domain',
    /belongs to the organization "contoso"/,
  ],
  [
    'an address in a domain of another organization',
    two(first, `${contoso}\n${mailbox('bob', 'bob@fabrikam.com')}`),
    'organizations[1].mailboxes[0].addresses[0]',
    /in no accepted domain/,
  ],
  [
    'an alias in a domain of another organization',
    two(first, `${second}\naliases: [{ address: info@fabrikam.com, to: bob@contoso.com }]`),
    'organizations[1].aliases[0].address',
    /in no accepted domain/,
  ],
  [
    'a catch-all in a domain of another organization',
    two(
      first,
      `acceptedDomains: [{ domain: contoso.com, catchAll: ann@fabrikam.com }]\n${mailbox('bob', 'bob@contoso.com')}`,
    ),
    'organizations[1].acceptedDomains[0].catchAll',
    /in no accepted domain/,
  ],
  [
    'a delivery target of another organization',
    two(
      `acceptedDomains: [{ domain: fabrikam.com, deliveryTarget: store }]\ndeliveryTargets: [{ name: store, protocol: lmtp, address: 'unix:/run/lmtp' }]`,
      'acceptedDomains: [{ domain: contoso.com, deliveryTarget: store }]',
    ),
    'organizations[1].acceptedDomains[0].deliveryTarget',
    /there are none yet/,
  ],
  [
    'an account in two organizations',
    two(first, `${contoso}\n${mailbox('ANN', 'bob@contoso.com')}`),
    'organizations[1].mailboxes[0].account',
    /"fabrikam" has the account "ANN" already/,
  ],
  [
    'an account that looks like an address of another organization',
    two(first, `${contoso}\n${mailbox('ann@Fabrikam.com', 'bob@contoso.com')}`),
    'organizations[1].mailboxes[0].account',
    /looks like an address of the organization "fabrikam"/,
  ],
  [
    'the same though nobody has that address',
    two(
      `acceptedDomains: [{ domain: fabrikam.com }]\n${mailbox('new@contoso.com', 'a@fabrikam.com')}`,
      second,
    ),
    'organizations[0].mailboxes[0].account',
    /looks like an address of the organization "contoso"/,
  ],
  [
    'an associated domain of another organization',
    two(
      first,
      `${second}\ninboundConnectors: [{ name: a, senderDomains: adatum.com, associatedAcceptedDomains: fabrikam.com }]`,
    ),
    'organizations[1].inboundConnectors[0].associatedAcceptedDomains',
    /not in acceptedDomains, which are: contoso\.com/,
  ],
  [
    'a postmaster in no domain of the organization',
    two(first, `${second}\npostmaster: ann@fabrikam.com`),
    'organizations[1].postmaster',
    /in no accepted domain/,
  ],
  [
    'a postmaster that is nobody',
    two(first, `${second}\npostmaster: bib@contoso.com`),
    'organizations[1].postmaster',
    /did you mean "bob@contoso\.com"/,
  ],
  [
    'an expiry below what Exchange knows',
    two(first, `${second}\nexpiry: 11h`),
    'organizations[1].expiry',
    /from 12h to 7d/,
  ],
  [
    "an expiry above the gateway's limit",
    two(first, `${second}\nexpiry: 25h`),
    'organizations[1].expiry',
    /longer than 1d, the gateway's limit/,
  ],
  [
    "a notice after this organization's expiry",
    two(first, `${second}\nexpiry: 12h\ndelayNotices: { ordinary: 13h }`),
    'organizations[1].delayNotices.ordinary',
    /expiry returns the message before/,
  ],
  [
    'a mistake in the second organization only',
    two(first, `${second}\noutboundConnectors: [{ name: idle }]`),
    'organizations[1].outboundConnectors[0].name',
    /never used/,
  ],
];

testRefusals(refusals);

test('connectors, aliases and delivery targets of two organizations may have equal names', () => {
  const connectors = `inboundConnectors: [{ name: a, senderDomains: adatum.com }]
outboundConnectors: [{ name: a, recipientDomains: adatum.com, tlsSettings: EncryptionOnly }]`;
  assert.deepEqual(errorsOf(two(`${first}\n${connectors}`, `${second}\n${connectors}`)), []);
});

test('a sub-domain of another organization without matchSubDomains is a domain like any other', () => {
  const sub = 'acceptedDomains: [{ domain: sales.fabrikam.com }]';
  assert.deepEqual(errorsOf(two(accepted, `${sub}\n${mailbox('b', 'b@sales.fabrikam.com')}`)), []);
});

test('an organization keeps mail as long as it says, else as long as the gateway', () => {
  const yaml = two(first, `${second}\nexpiry: 3d`, 'queue: { expiry: 20h, expiryMax: 4d }');
  const result = parseConfig(yaml, 'postern.yaml');
  assert.equal(result.kind, 'loaded', JSON.stringify(result));
  if (result.kind !== 'loaded') return;
  const hours = result.policy.organizations.map(({ retry }) => retry.expiryMs / 3_600_000);
  assert.deepEqual(hours, [20, 72]);
});

test('the limit is never below what the gateway sets itself', () => {
  assert.deepEqual(errorsOf(two(first, `${second}\nexpiry: 2d`, 'queue: { expiry: 2d }')), []);
});

test('an organization may name who speaks for it, in place of postmaster@ its first domain', () => {
  const result = parseConfig(two(first, `${second}\npostmaster: Bob@contoso.com`), 'postern.yaml');
  assert.equal(result.kind, 'loaded', JSON.stringify(result));
  if (result.kind !== 'loaded') return;
  assert.deepEqual(
    result.policy.organizations.map(({ postmaster }) => postmaster),
    [null, { localPart: 'Bob', domain: 'contoso.com' }],
  );
});
