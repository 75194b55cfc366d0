/** The header of an arriving message, by organization and by the connectors that it came by. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { address, inboundConnector, organization, policy } from '../../test/support/policy.ts';
import { readArrivingHeader } from '../content/arriving-header.ts';
import type { Organization, Policy } from '../policy/policy.ts';
import type { ArrivingPart } from './arrival.ts';
import { rulesForParts, statePart } from './arrival.ts';

const hybrid = inboundConnector('hybrid', {
  connectorType: 'OnPremises',
  cloudServicesMailEnabled: true,
});
const filtered = inboundConnector('filtered', {
  enhancedFiltering: {
    skipLastIP: true,
    skipIPs: [],
    users: [address('user@example.test')],
  },
});

function made(part: Partial<Organization>): Policy {
  return { ...policy(), organizations: [organization(part), organization({ id: 'other' })] };
}

const stranger: ArrivingPart = {
  organization: 'org',
  origin: { kind: 'incoming', connector: null, by: null },
  connectors: [],
  recipients: [address('user@example.test')],
  reversePath: address('a@sender.test'),
  clientAddress: '198.51.100.7',
};
const ownServer: ArrivingPart = {
  ...stranger,
  origin: { kind: 'originating', connector: 'hybrid', by: 'certificate' },
};

const fields =
  'Received: from s.test (s.test [203.0.113.9]) by f.test; now\r\n' +
  'X-MS-Exchange-CrossPremises-AuthAs: Internal\r\n';

function arrive(policyOf: Policy, part: ArrivingPart, readFor = part): string {
  const rules = rulesForParts(policyOf, [readFor]);
  const header = readArrivingHeader(Buffer.from(`${fields}\r\n`), rules, null);
  return Buffer.concat(statePart(policyOf, part, header).pieces).toString();
}

test('the word of an own server makes mail internal, a stranger’s does not', () => {
  const config = made({ inboundConnectors: [hybrid] });
  assert.match(arrive(config, ownServer), /Organization-AuthAs: Internal\r\n/);
  const text = arrive(config, stranger);
  assert.match(text, /Organization-AuthAs: Anonymous\r\n/);
  assert.match(text, /MessageDirectionality: Incoming\r\n/);
  assert.doesNotMatch(text, /Internal/);
});

test('each organization of one message reads what it wants, and no more', () => {
  const config = made({ inboundConnectors: [hybrid] });
  assert.match(arrive(config, stranger), /Organization-AuthAs/);
  const others = { ...stranger, organization: 'other' };
  assert.doesNotMatch(arrive(config, others, stranger), /X-MS-Exchange/);
});

test('the filtering is that of the connectors that were met', () => {
  const config = made({ inboundConnectors: [filtered] });
  const met = { ...stranger, connectors: ['filtered'] };
  const written = /ExternalOriginalInternetSender: ip=\[203\.0\.113\.9\];domain=s\.test\r\n/;
  assert.match(arrive(config, met), written);
  assert.doesNotMatch(arrive(config, stranger), /InternetSender/);
  assert.doesNotMatch(arrive(config, { ...met, organization: 'other' }), /InternetSender/);
});

test('the filtering of an own server counts too', () => {
  const connector = { ...hybrid, enhancedFiltering: { ...filtered.enhancedFiltering, users: [] } };
  const config = made({ inboundConnectors: [connector] });
  assert.match(arrive(config, ownServer), /ExternalOriginalInternetSender/);
});

test('for recipients that the filtering is not for, the source is only shown', () => {
  const config = made({ inboundConnectors: [filtered] });
  const recipients = [...stranger.recipients, address('other@example.test')];
  const text = arrive(config, { ...stranger, connectors: ['filtered'], recipients });
  assert.match(text, /SkipListedInternetSender/);
  assert.doesNotMatch(text, /ExternalOriginalInternetSender/);
});

test('an account and a hand-over inside have no hops to pass over', () => {
  const config = made({ inboundConnectors: [filtered] });
  const met = { ...stranger, connectors: ['filtered'] };
  const byAccount = { kind: 'originating', connector: null, by: 'account' } as const;
  assert.doesNotMatch(arrive(config, { ...met, origin: byAccount }), /InternetSender/);
  assert.doesNotMatch(arrive(config, { ...met, clientAddress: '' }), /InternetSender/);
});

test('a message that only one of its parts has from an own server is a stranger’s', () => {
  const config = made({ inboundConnectors: [hybrid] });
  const rules = rulesForParts(config, [ownServer, { ...stranger, organization: 'other' }]);
  assert.equal(rules.promotes, false);
  assert.ok(rules.forbids.has('X-OriginatorOrg'));
  const byAddress = { ...ownServer, origin: { ...ownServer.origin, by: 'address' } } as const;
  assert.equal(rulesForParts(config, [ownServer, byAddress]).promotes, false);
  assert.equal(rulesForParts(config, [ownServer, ownServer]).promotes, true);
});
