import assert from 'node:assert/strict';
import { test } from 'node:test';
import { acceptedDomain, organization } from '../../test/support/policy.ts';
import type { Policy } from '../policy/policy.ts';
import { homeMailbox, homeOrganization } from './home-organization.ts';

const of = (hostName: string, ...domains: string[]): Policy => ({
  formatVersion: 1,
  revision: '0',
  hostName,
  organizations: domains.map((domain) =>
    organization({ id: domain, acceptedDomains: [acceptedDomain(domain)] }),
  ),
});

test('the organization in whose domain the host name lies speaks for the gateway', () => {
  const policy = of('mx.contoso.com', 'fabrikam.com', 'contoso.com');
  assert.equal(homeOrganization(policy)?.id, 'contoso.com');
});

test('a single organization does so whatever the host is called', () => {
  assert.equal(homeMailbox(of('mx.adatum.com', 'fabrikam.com'))?.account, 'user');
});

test('among several organizations nobody is guessed', () => {
  assert.equal(homeMailbox(of('mx.adatum.com', 'fabrikam.com', 'contoso.com')), null);
});
