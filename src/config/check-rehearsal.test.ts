/** Rehearsal addresses: what is refused, since it would throw somebody's mail away. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inOrganization, problemsOf } from './config-sample.ts';
import { parseConfig } from './load.ts';
import type { RefusalCase } from './refusal-case.ts';
import { testRefusals } from './refusal-case.ts';

const here = 'organizations[0].rehearsalAddress';
const mailboxes = 'mailboxes: [{ account: ann, addresses: ann@fabrikam.com }]';
const withIt = (localPart: string, more = '', domain = ''): string =>
  inOrganization(
    `acceptedDomains: [{ domain: fabrikam.com${domain} }]\n${mailboxes}\nrehearsalAddress: ${localPart}@fabrikam.com\n${more}`,
  );

const refusals: readonly RefusalCase[] = [
  ['one that is a mailbox', withIt('ANN'), here, /address of the mailbox "ann"/],
  [
    'one that is a mailbox with an extension',
    withIt('ann+try', 'addressExtension: "+"'),
    here,
    /address of the mailbox "ann"/,
  ],
  [
    'one that is an alias',
    withIt('try', 'aliases: [{ address: try@fabrikam.com, to: ann@fabrikam.com }]'),
    here,
    /is the alias try@fabrikam\.com/,
  ],
  [
    'one that another server keeps',
    withIt(
      'try',
      'deliveryTargets: [{ name: store, protocol: lmtp, address: unix:/run/lmtp }]',
      ', deliveryTarget: store, recipients: [try@fabrikam.com]',
    ),
    here,
    /in the list of recipients/,
  ],
  [
    'one in a domain that is not ours',
    withIt('try').replace('rehearsalAddress: try@fabrikam.com', 'rehearsalAddress: a@contoso.com'),
    here,
    /in no accepted domain of this organization/,
  ],
  ['postmaster', withIt('Postmaster'), here, /must reach somebody.*rehearsal@fabrikam\.com/],
  [
    'an alias that leads to one',
    withIt('try', 'aliases: [{ address: a@fabrikam.com, to: try@fabrikam.com }]'),
    'organizations[0].aliases[0].to',
    /no mailbox, no alias/,
  ],
  [
    'a catch-all that is one',
    withIt('try', '', ', catchAll: try@fabrikam.com'),
    'organizations[0].acceptedDomains[0].catchAll',
    /no mailbox, no alias/,
  ],
  [
    'reports that come from one',
    withIt('try', 'postmaster: try@fabrikam.com'),
    'organizations[0].postmaster',
    /no mailbox, no alias/,
  ],
];

testRefusals(refusals);

test('it is none unless it is set', () => {
  assert.deepEqual(problemsOf(withIt('try')), []);
  assert.deepEqual(addressIn(withIt('try')), { localPart: 'try', domain: 'fabrikam.com' });
  assert.equal(addressIn(withIt('try').replace(/rehearsalAddress: .*/, '')), null);
});

function addressIn(yaml: string) {
  const loaded = parseConfig(yaml, 'postern.yaml');
  assert.ok(loaded.kind === 'loaded');
  return loaded.policy.organizations[0]!.rehearsalAddress;
}
