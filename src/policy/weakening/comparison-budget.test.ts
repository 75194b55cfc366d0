/** So much that changed that not all of it is compared: that is said, and asked about. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  acceptedDomain,
  inboundConnector,
  organization,
  outboundConnector,
  patterns,
  policy,
} from '../../../test/support/policy.ts';
import { rule } from '../../../test/support/rules.ts';
import { ComparisonBudget } from './comparison-budget.ts';
import type { Organization, Policy } from '../policy.ts';
import type { MailFlowRule } from '../rules/rule.ts';
import { findWeakenings } from './weakening.ts';

const expected = /is not compared whole, nor is any after it/;

/** What is compared with so few steps, in words. */
function compare(before: Policy, after: Policy, steps: number): string[] {
  return findWeakenings(before, after, new ComparisonBudget(steps)).map(
    (each) => `${each.organization} ${each.what}`,
  );
}

/** The least number of steps with which nothing is left out. */
function stepsFor(before: Policy, after: Policy): number {
  let steps = 0;
  while (compare(before, after, steps).some((each) => expected.test(each))) steps++;
  return steps;
}

const server = { connectorType: 'OnPremises', requireTls: true } as const;
const out = outboundConnector('out', { recipientDomains: patterns('bank.test') });
const parts: readonly (readonly [Partial<Organization>, Partial<Organization>])[] = [
  [{ outboundConnectors: [out] }, { outboundConnectors: [{ ...out, comment: 'new' }] }],
  [
    { inboundConnectors: [inboundConnector('in', { requireTls: true })] },
    { inboundConnectors: [inboundConnector('in', { requireTls: true, comment: 'new' })] },
  ],
  [
    {
      inboundConnectors: [inboundConnector('s', { ...server, senderIPAddresses: ['10.0.0.0/8'] })],
    },
    {
      inboundConnectors: [
        inboundConnector('s', { ...server, senderIPAddresses: ['10.0.0.0/8'], comment: 'new' }),
      ],
    },
  ],
];

test('each kind of comparison takes steps, and where one is missing somebody is asked', () => {
  for (const [before, after] of parts) {
    const [was, is] = [policy(before), policy(after)];
    assert.ok(stepsFor(was, is) > 0);
    assert.deepEqual(compare(was, is, stepsFor(was, is)), []);
    const [found, ...others] = compare(was, is, 0);
    assert.match(found!, expected);
    assert.deepEqual(others, []);
  }
});

test('what did not change takes no steps', () => {
  for (const [before] of parts) assert.equal(stepsFor(policy(before), policy(before)), 0);
});

test('all organizations share the steps, and one of them is named', () => {
  const both = (part: Partial<Organization>): Policy => ({
    ...policy(),
    organizations: ['one', 'two'].map((id) =>
      organization({ ...part, id, mailboxes: [], acceptedDomains: [acceptedDomain(`${id}.test`)] }),
    ),
  });
  const [before, after] = parts[0]!;
  const one = stepsFor(policy(before), policy(after));
  assert.equal(stepsFor(both(before), both(after)), 2 * one);
  const found = compare(both(before), both(after), one);
  assert.equal(found.length, 1);
  assert.match(found[0]!, /^two is not compared whole/);
});

test('thousands of connectors and hundreds of rules, all of them changed, are compared', () => {
  const many = 5000;
  const list = Array.from({ length: many }, (_, place) => place);
  const outbound = list.map((place) =>
    outboundConnector(`o${place}`, {
      recipientDomains: patterns(`d${place}.test`),
      tlsSettings: 'EncryptionOnly',
    }),
  );
  const inbound = list.map((place) =>
    inboundConnector(`i${place}`, {
      senderDomains: patterns(`d${place}.test`),
      requireTls: true,
      ...(place % 2 === 0
        ? {
            connectorType: 'OnPremises',
            senderIPAddresses: [`10.${place >> 8}.${place & 255}.0/24`],
          }
        : {}),
    }),
  );
  const rules: MailFlowRule[] = list.slice(0, 300).map((place) =>
    rule(`R${place}`, {
      actions: [{ kind: 'route-to-connector', connector: `o${place}` }],
      overrides: [`o${place + 300}`],
    }),
  );
  const changed = <Each extends { comment: string }>(all: readonly Each[]): Each[] =>
    all.map((each) => ({ ...each, comment: 'new' }));
  const found = findWeakenings(
    policy({ outboundConnectors: outbound, inboundConnectors: inbound, rules }),
    policy({
      outboundConnectors: changed(outbound),
      inboundConnectors: changed(inbound),
      rules: rules.map((each) => ({ ...each, exceptions: [{ kind: 'has-no-classification' }] })),
    }),
  );
  assert.ok(found.length > 0, 'each rule routes less mail');
  assert.deepEqual(
    found.filter(({ what }) => expected.test(what)),
    [],
  );
});

test('many organizations, one of which has many domains newly', () => {
  const ids = Array.from({ length: 1000 }, (_, place) => `o${place}`);
  const of = (count: number): Policy => ({
    ...policy(),
    organizations: ids.map((id, place) =>
      organization({
        id,
        mailboxes: [],
        acceptedDomains: Array.from({ length: place === 0 ? count : 1 }, (_each, at) =>
          acceptedDomain(`d${at}.${id}.test`),
        ),
        outboundConnectors: [out],
      }),
    ),
  });
  assert.deepEqual(findWeakenings(of(1), of(1000)), []);
});

test('where every connector concerns all mail it is given up soon', () => {
  const of = (comment: string): Policy =>
    policy({
      outboundConnectors: Array.from({ length: 1000 }, (_, place) =>
        outboundConnector(`o${place}`, {
          recipientDomains: patterns('*', `d${place}.test`),
          comment,
        }),
      ),
    });
  const [found, ...others] = findWeakenings(of(''), of('new'));
  assert.match(found!.what, expected);
  assert.deepEqual(others, []);
});
