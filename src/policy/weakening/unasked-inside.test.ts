/**
 * Where no weakening is found, mail of one organization goes out or inside under no less than before:
 * of two organizations whose accepted domains change, and of outbound connectors that trust the other
 * one. Not generated: rules, delivery targets, centralized transport, mailboxes.
 */
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
import { changed } from '../../../test/support/policy-changes.ts';
import { chooseOutbound } from '../choose-outbound.ts';
import { findWeakened } from '../floor.ts';
import type { AcceptedDomain, OutboundConnector, Policy } from '../policy.ts';
import { findWeakenings } from './weakening.ts';

const connector = fc.record({
  recipientDomains: fc
    .uniqueArray(fc.constantFrom('*', '*.bank.test', 'bank.test', 'x.bank.test'), {
      minLength: 1,
      maxLength: 2,
    })
    .map((texts) => patterns(...texts)),
  tlsSettings: fc.constantFrom(null, 'EncryptionOnly', 'CertificateValidation', 'Pinned'),
  pins: fc.constantFrom(['k1'], ['k1', 'k2']),
  trustedOrganizations: fc.constantFrom([], [], ['two']),
  clearTextAfterFailedTls: fc.constantFrom(false, false, true),
  mode: fc.constantFrom('enforce', 'enforce', 'observe'),
});

const names = ['bank.test', 'x.bank.test', 'in.test'];
const domain = fc.record({
  owner: fc.constantFrom('two', 'two', 'org'),
  matchSubDomains: fc.boolean(),
});

/** Pins where they are asked for alone, so that TlsSettings of each kind are frequent. */
function connectorOf(name: string, part: Partial<OutboundConnector>): OutboundConnector {
  return outboundConnector(name, {
    ...part,
    pins: part.tlsSettings === 'Pinned' ? (part.pins ?? []) : [],
  });
}

function wayOf(value: Policy, name: string) {
  const decision = chooseOutbound(value, 'org', address(`ann@${name}`));
  const { clauses } = decision.requirement;
  const { kind } = decision.destination;
  const mayBeClear = decision.clearTextAfterFailedTls && kind !== 'organization';
  return { clauses, kind, isClear: clauses.length === 0 && mayBeClear };
}

test('mail to domains of others leaves under less by no change for which nobody is asked', () => {
  let unasked = 0;
  const both = fc.tuple(
    changed(connector, ['p', 'q']),
    changed(domain, names),
    fc.constantFrom<[boolean, boolean]>([false, false], [true, true], [false, true]),
  );
  fc.assert(
    fc.property(both, ([connectors, domains, [wasClear, isClear]]) => {
      const of = (when: 'before' | 'after', clearTextAfterFailedTls: boolean): Policy => {
        const acceptedOf = (id: string): AcceptedDomain[] =>
          domains.flatMap(({ name, [when]: each }) =>
            each?.owner === id
              ? [acceptedDomain(name, { matchSubDomains: each.matchSubDomains })]
              : [],
          );
        const outboundConnectors = connectors.flatMap(({ name, [when]: each }) =>
          each === null ? [] : [connectorOf(name, each)],
        );
        return {
          ...policy(),
          organizations: [
            organization({
              acceptedDomains: [acceptedDomain('example.test'), ...acceptedOf('org')],
              outboundConnectors,
              defaultConnector: { clearTextAfterFailedTls },
            }),
            organization({ id: 'two', mailboxes: [], acceptedDomains: acceptedOf('two') }),
          ],
        };
      };
      const [before, after] = [of('before', wasClear), of('after', isClear)];
      if (findWeakenings(before, after).length > 0) return;
      unasked++;
      for (const each of [...names, 'z.test', 'y.bank.test', 'y.x.bank.test', 'y.in.test']) {
        const [earlier, today] = [wayOf(before, each), wayOf(after, each)];
        if (today.kind === 'none') continue;
        assert.deepEqual(findWeakened(earlier.clauses, today), [], each);
        assert.ok(!today.isClear || earlier.isClear, `${each} newly in clear`);
      }
    }),
    { numRuns: 1000 },
  );
  assert.ok(unasked > 50, `only ${unasked} changes of which nobody was asked`);
});
