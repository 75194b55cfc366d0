/** Who gets a DSN, and when it must travel encrypted. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import {
  acceptedDomain,
  inboundConnector,
  policy as makePolicy,
} from '../../test/support/policy.ts';
import type { MessageSource } from '../policy/delivery.ts';
import type { InboundConnector, Organization } from '../policy/policy.ts';
import type { DsnInput } from '../report/dsn.ts';
import { writeDsn } from '../report/dsn.ts';
import { reportOutcomes } from './reported.ts';
import { sampleMessage, sampleOutcome } from '../store/sample-batch.ts';
import { prepareDsn } from './prepare-dsn.ts';
import type { QueueServices } from './queue-services.ts';

const connector = (over: Partial<InboundConnector>): InboundConnector =>
  inboundConnector('from the bank', over);

async function prepare(
  source: MessageSource,
  over: Partial<InboundConnector> = {},
  settings: Partial<Organization> = {},
) {
  const inboundConnectors = [connector(over), connector({ name: 'another' })];
  const policy = makePolicy({ id: 'contoso', mailboxes: [], inboundConnectors, ...settings });
  const inputs: DsnInput[] = [];
  const services = {
    policy: () => policy,
    now: () => 5000,
    writeDsn: (input: DsnInput) => {
      inputs.push(input);
      return writeDsn(input);
    },
  } as Partial<QueueServices> as QueueServices;
  const recipient = { localPart: 'bob', domain: 'contoso.com' };
  const outcomes = [{ recipient, outcome: { ...sampleOutcome, kind: 'bounced' } as const }];
  const recipients = reportOutcomes(outcomes, { clauses: [], candidates: [] });
  const message = sampleMessage(1, { source });
  const id = '0SA699YZW000';
  const dsn = await prepareDsn(services, () => '0SA699YZW001', { id, message, recipients });
  const { about, postmaster } = inputs[0]!;
  return { clauses: dsn!.clauses, isForced: about.isForced, postmaster };
}

/** As an earlier program stored it. */
const bySession = { kind: 'mx', inboundConnectors: ['from the bank'] } as const;
const silent = {
  clauses: [],
  isForced: false,
  postmaster: { localPart: 'postmaster', domain: 'example.test' },
};

it('about mail that came under a connector which demands TLS must travel encrypted', async () => {
  for (const over of [{ requireTls: true }, { restrictDomainsToCertificate: true }]) {
    const { clauses, isForced } = await prepare(bySession, over);
    assert.equal(isForced, true);
    assert.deepEqual(
      clauses.map(({ kind }) => kind),
      ['encrypted'],
    );
  }
});

it('about mail that came forced must too when its connector demands nothing any more', async () => {
  for (const name of ['from the bank', 'made anew under another name']) {
    const { clauses, isForced } = await prepare({ ...bySession, isForced: true }, { name });
    assert.equal(isForced, true);
    assert.deepEqual(
      clauses.map(({ kind }) => kind),
      ['encrypted'],
    );
  }
});

it('about mail whose connector only watched when it came need not, whatever it demands today', async () => {
  assert.deepEqual(await prepare({ ...bySession, isForced: false }, { requireTls: true }), silent);
});

it('about mail of an earlier program by a connector that is gone must too: nobody knows what it demanded', async () => {
  const { isForced } = await prepare(bySession, { name: 'of another name' });
  assert.equal(isForced, true);
});

it('about mail that another organization had to protect must too', async () => {
  const inside = { kind: 'organization', organization: 'fabrikam', inboundConnectors: [] } as const;
  assert.equal((await prepare(inside)).isForced, false);
  const { clauses, isForced } = await prepare({ ...inside, isForced: true });
  assert.equal(isForced, true);
  assert.deepEqual(
    clauses.map(({ kind }) => kind),
    ['encrypted'],
  );
});

it('about other mail need not', async () => {
  assert.deepEqual(await prepare(bySession), silent);
  const elsewhere: MessageSource = { kind: 'mx', inboundConnectors: ['another'] };
  assert.deepEqual(await prepare(elsewhere, { requireTls: true }), silent);
  const submitted: MessageSource = { kind: 'submission', account: 'anna' };
  assert.deepEqual(await prepare(submitted, { requireTls: true }), silent);
});

it('comes from whom the organization names as its postmaster', async () => {
  const named = { localPart: 'helpdesk', domain: 'contoso.com' };
  const acceptedDomains = [acceptedDomain('fabrikam.com'), acceptedDomain('contoso.com')];
  const { postmaster } = await prepare(bySession, {}, { postmaster: named, acceptedDomains });
  assert.deepEqual(postmaster, named);
});

it('comes from no domain that the organization only claims', async () => {
  const claimed = acceptedDomain('bank.test', { isProven: false });
  const proven = acceptedDomain('contoso.com');
  const { postmaster } = await prepare(bySession, {}, { acceptedDomains: [claimed, proven] });
  assert.equal(postmaster.domain, 'contoso.com');
  const named = { localPart: 'helpdesk', domain: 'bank.test' };
  const own = { acceptedDomains: [claimed, proven], postmaster: named };
  assert.equal((await prepare(bySession, {}, own)).postmaster.domain, 'contoso.com');
  const alone = await prepare(bySession, {}, { acceptedDomains: [claimed] });
  assert.equal(alone.postmaster.domain, makePolicy().hostName);
});
