/** The hop to another organization of this gateway, and what observing connectors leave behind. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { TestContext } from 'node:test';
import {
  delivery,
  onlyRoute,
  outcomesOf,
  partnerTls,
  singleZone,
  startRig,
  toPartner,
} from '../../test/support/delivery-rig.ts';
import { acceptedDomain, address, organization } from '../../test/support/policy.ts';
import { removeDirectory } from '../../test/support/tls-ends.ts';
import { formatAddress } from '../mail/address.ts';
import { reply } from '../mail/reply.ts';
import type { Reply } from '../mail/reply.ts';
import type { OutboundConnector } from '../policy/policy.ts';
import type { HandedInside } from './hand-inside.ts';

after(removeDirectory);

const other = organization({
  id: 'other',
  acceptedDomains: [acceptedDomain('partner.test')],
  mailboxes: [{ account: 'o', addresses: [address('x@partner.test')] }],
});

async function handTo(t: TestContext, connectors: OutboundConnector[], answer: Reply) {
  const handed: HandedInside[] = [];
  const takeInside = (taken: HandedInside): Promise<readonly Reply[]> => {
    handed.push(taken);
    return Promise.resolve(taken.recipients.map(() => answer));
  };
  const rig = await startRig({ connectors, services: { takeInside } });
  t.after(() => rig.close());
  rig.policy = { ...rig.policy, organizations: [...rig.policy.organizations, other] };
  const report = await rig.room.attempt(delivery({ recipients: [address('x@partner.test')] }));
  return { report, handed, outcome: outcomesOf(report)[0]! };
}

const taken = reply(250, '2.0.0', 'accepted as B1');

test('hands over inside with evidence that names the organization that sends', async (t) => {
  const { report, handed, outcome } = await handTo(t, [], taken);
  assert.equal(outcome.kind, 'delivered');
  assert.equal(outcome.handedTo, 'relay-with-dsn');
  const [candidate] = onlyRoute(report).candidates;
  assert.equal(candidate!.evidence!.encryption, 'internal');
  assert.equal(candidate!.evidence!.fromOrganization, 'org');
  assert.equal(candidate!.verdict.kind, 'proceed');
  assert.equal(handed[0]!.toOrganization, 'other');
  assert.deepEqual(handed[0]!.recipients.map(formatAddress), ['x@partner.test']);
});

test('a connector that forces encryption is met, one that wants a certificate is not', async (t) => {
  const free = await handTo(t, [toPartner({})], taken);
  assert.equal(free.handed[0]!.isForced, false);
  const encrypted = await handTo(t, [toPartner({ tlsSettings: 'EncryptionOnly' })], taken);
  assert.equal(encrypted.handed[0]!.isForced, true);
  assert.equal(encrypted.outcome.kind, 'delivered');
  for (const tlsSettings of ['CertificateValidation', 'DomainValidation'] as const) {
    const strict = toPartner({ tlsSettings });
    const { outcome, handed } = await handTo(t, [strict], taken);
    assert.equal(outcome.kind, 'deferred');
    assert.match(outcome.reason, /handed over inside this gateway, where no certificate is shown/);
    assert.equal(handed.length, 0);
    const trusting = { ...strict, trustedOrganizations: ['other'] };
    assert.equal((await handTo(t, [trusting], taken)).outcome.kind, 'delivered');
  }
});

test('what the other organization refuses bounces, what it puts off is tried again', async (t) => {
  const no = await handTo(t, [], reply(550, '5.4.1', 'no such mailbox'));
  assert.equal(no.outcome.kind, 'bounced');
  const later = await handTo(t, [], reply(452, '4.3.1', 'full'));
  assert.equal(later.outcome.kind, 'deferred');
});

test('an observing connector lets mail pass in clear and leaves what it would have said', async (t) => {
  const watching = toPartner({ tlsSettings: 'DomainValidation', mode: 'observe' });
  const rig = await startRig({ connectors: [watching], zone: singleZone });
  t.after(() => rig.close());
  await rig.partner('192.0.2.1');
  const report = await rig.room.attempt(delivery());
  assert.equal(outcomesOf(report)[0]!.kind, 'delivered');
  const { shadow } = onlyRoute(report).candidates.at(-1)!;
  assert.deepEqual(
    shadow!.map(({ connector, mode, isMet }) => [connector, mode, isMet]),
    [['to partner', 'observe', false]],
  );
  assert.deepEqual(onlyRoute(report).clauses, []);
});

test('an observing connector judges the certificate of the real session', async (t) => {
  const watching = toPartner({ tlsSettings: 'DomainValidation', mode: 'warn' });
  const rig = await startRig({ connectors: [watching], zone: singleZone });
  t.after(() => rig.close());
  await rig.partner('192.0.2.1', { tls: partnerTls.trusted });
  const { shadow } = onlyRoute(await rig.room.attempt(delivery())).candidates.at(-1)!;
  assert.equal(shadow![0]!.isMet, true, shadow![0]!.reason);
});
