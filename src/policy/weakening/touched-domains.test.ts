/** What is left out of a comparison goes the same way in both policies: on random policies. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import {
  acceptedDomain,
  address,
  organization,
  outboundConnector,
  patterns,
  policy,
} from '../../../test/support/policy.ts';
import { chooseOutbound } from '../choose-outbound.ts';
import type { Organization, OutboundConnector, Policy } from '../policy.ts';
import { compareOrganizations } from './compared-organizations.ts';
import { touchedDomains } from './touched-domains.ts';

const domains = ['a.test', 'b.a.test', 'c.b.a.test', 'own.test', 'x.own.test', 'theirs.test'];
const written = [...domains, '*.a.test', '*.b.a.test', '*.test', '*.own.test', '*'];

const connector = fc
  .record({
    name: fc.constantFrom('one', 'two', 'three', 'four'),
    recipientDomains: fc.subarray(written, { maxLength: 3 }).map((texts) => patterns(...texts)),
    tlsSettings: fc.constantFrom(null, 'EncryptionOnly' as const, 'CertificateValidation' as const),
    enabled: fc.boolean(),
    mode: fc.constantFrom('enforce' as const, 'observe' as const),
    isTransportRuleScoped: fc.boolean(),
    allAcceptedDomains: fc.boolean(),
    routeAllMessagesViaOnPremises: fc.boolean(),
    trustedOrganizations: fc.constantFrom([], ['other']),
    clearTextAfterFailedTls: fc.boolean(),
  })
  .map(({ name, ...part }) => outboundConnector(name, part));
const connectors = fc.uniqueArray(connector, { selector: ({ name }) => name, maxLength: 4 });

const own = [
  acceptedDomain('own.test', { type: 'internal-relay', matchSubDomains: true }),
] as const;
const theirs = [acceptedDomain('theirs.test')];

function policyOf(
  outboundConnectors: readonly OutboundConnector[],
  part: Partial<Organization> = {},
): Policy {
  return {
    ...policy(),
    organizations: [
      organization({ id: 'we', acceptedDomains: own, outboundConnectors, ...part }),
      organization({ id: 'other', acceptedDomains: theirs }),
    ],
  };
}

function comparedOf(before: Policy, after: Policy) {
  const compared = compareOrganizations(before, after).find(({ was }) => was.id === 'we')!;
  return { before, after, isTouched: touchedDomains(compared) };
}

/** Its way without what names the policy. */
function wayIn(of: Policy, domain: string, isFromOnPremises: boolean): object {
  const decision = chooseOutbound(of, 'we', address(`somebody@${domain}`), {
    ruling: null,
    isFromOnPremises,
  });
  return { ...decision, policyRevision: '' };
}

test('mail to a domain that no changed connector covers takes the same way as before', () => {
  let leftOut = 0;
  fc.assert(
    fc.property(connectors, connectors, fc.boolean(), (was, changed, isWhole) => {
      // Mostly one connector changes, as in life.
      const is = isWhole ? changed : [...was.slice(1), ...changed.slice(0, 1)];
      const names = new Set(is.map(({ name }) => name));
      fc.pre(names.size === is.length);
      const { before, after, isTouched } = comparedOf(policyOf(was), policyOf(is));
      for (const domain of domains) {
        if (isTouched(domain)) continue;
        leftOut++;
        for (const isFromOnPremises of [false, true]) {
          const [earlier, today] = [before, after].map((of) => wayIn(of, domain, isFromOnPremises));
          assert.deepEqual(today, earlier, domain);
        }
      }
    }),
    { numRuns: 2000 },
  );
  assert.ok(leftOut > 500, `only ${leftOut} were left out`);
});

test('where more than connectors changed every domain is looked at', () => {
  const one = [outboundConnector('one', { recipientDomains: patterns('a.test') })];
  const rule = { rules: [], rejectDirectSend: true };
  for (const part of [{ acceptedDomains: theirs }, { deliveryTargets: [] }, rule]) {
    const after = policyOf([], { ...part, name: 'changed' });
    assert.ok(comparedOf(policyOf(one), after).isTouched('nobody.test'), JSON.stringify(part));
  }
  assert.ok(!comparedOf(policyOf(one), policyOf([])).isTouched('nobody.test'));
});
