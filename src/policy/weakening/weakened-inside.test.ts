/** Mail to domains of other organizations of this gateway, which goes inside while these are theirs. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { acceptedDomain, outboundConnector, patterns } from '../../../test/support/policy.ts';
import { rule } from '../../../test/support/rules.ts';
import { weakerAll } from '../../../test/support/weaker.ts';
import type { Organization } from '../policy.ts';

const bank = outboundConnector('bank', {
  recipientDomains: patterns('*'),
  tlsSettings: 'DomainValidation',
  trustedOrganizations: ['two'],
});
const org: Partial<Organization> = { outboundConnectors: [bank] };
const two = (...domains: string[]): Partial<Organization> & { readonly id: string } => ({
  id: 'two',
  mailboxes: [],
  acceptedDomains: domains.map((each) => acceptedDomain(each)),
});

test('an organization that is trusted and newly has a domain needs no certificate for its mail', () => {
  const found = weakerAll([org, two('two.test')], [org, two('two.test', 'bank.test')]);
  assert.match(
    found[0]!,
    /org sends mail to bank\.test by "bank" and no longer requires a certificate/,
  );
  assert.equal(found.length, 1);
  const untrusting = { outboundConnectors: [{ ...bank, trustedOrganizations: [] }] };
  assert.deepEqual(
    weakerAll([untrusting, two('two.test')], [untrusting, two('two.test', 'bank.test')]),
    [],
  );
});

test('a domain with all below it, one of which is of somebody else', () => {
  const below = { ...acceptedDomain('bank.test'), matchSubDomains: true };
  const three = { ...two('any.bank.test'), id: 'three' };
  const after = { ...two(), acceptedDomains: [below] };
  const found = weakerAll([org, two(), three], [org, after, three]);
  assert.match(found[0]!, /sends mail to bank\.test by "bank" and no longer/);
  assert.match(found[1]!, /sends mail to \*\.bank\.test by "bank" and no longer/);
});

test('mail that stayed inside and may leave in clear, since the domain is nobody here now', () => {
  const lax = { defaultConnector: { clearTextAfterFailedTls: true } };
  const before = two('two.test', 'in.test');
  assert.match(
    weakerAll([lax, before], [lax, two('two.test')])[0]!,
    /org sends mail to in\.test without a connector and sends in clear where TLS failed twice/,
  );
  assert.deepEqual(weakerAll([lax, two('two.test')], [lax, before]), []);
  const clear = outboundConnector('lax', {
    recipientDomains: patterns('*'),
    clearTextAfterFailedTls: true,
  });
  const by = { outboundConnectors: [clear] };
  assert.match(
    weakerAll([by, before], [by, two('two.test')])[0]!,
    /org sends mail to in\.test by "lax" and sends in clear/,
  );
});

test('another connector that trusts, where the organization had the domain before', () => {
  const strict = { ...bank, trustedOrganizations: [] };
  const before = { outboundConnectors: [strict] };
  const trusting = { ...bank, name: 'a' };
  const found = weakerAll(
    [before, two('two.test')],
    [{ outboundConnectors: [strict, trusting] }, two('two.test')],
  );
  assert.match(found[0]!, /sends mail to two\.test by "a" and no longer requires a certificate/);
});

test('a rule that newly leads past to a connector that trusts', () => {
  const strict = { ...bank, trustedOrganizations: [] };
  const named = { ...bank, name: 'named', isTransportRuleScoped: true };
  const before = { outboundConnectors: [strict, named] };
  const route = rule('R', {
    actions: [{ kind: 'route-to-connector', connector: 'named' }],
    overrides: ['bank'],
  });
  const found = weakerAll(
    [before, two('two.test')],
    [{ ...before, rules: [route] }, two('two.test')],
  );
  assert.match(found[0]!, /by the rule "R" sends mail to two\.test by "named" and no longer/);
});

test("another's domain below an own one with all below it", () => {
  const own = {
    acceptedDomains: [acceptedDomain('bank.test', { matchSubDomains: true })],
    mailboxes: [],
  };
  const closer = { ...bank, recipientDomains: patterns('*.bank.test'), trustedOrganizations: [] };
  const elsewhere = { ...closer, recipientDomains: patterns('other.test') };
  const found = weakerAll(
    [{ ...own, outboundConnectors: [closer] }, two('x.bank.test')],
    [{ ...own, outboundConnectors: [elsewhere] }, two('x.bank.test')],
  );
  assert.match(found.join('\n'), /org sends mail to x\.bank\.test without a connector/);
});
