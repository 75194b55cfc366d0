/** Rehearsals on the wire: alone in their transaction, answered to the sender only, and bounded. */
import assert from 'node:assert/strict';
import test from 'node:test';
import type { TestContext } from 'node:test';
import { runListener } from '../../test/support/receiving-rig.ts';
import {
  address,
  clearSession,
  inboundConnector,
  patterns,
  policy,
} from '../../test/support/policy.ts';
import { Failure } from '../mail/failure.ts';
import type { IncomingMessage } from '../policy/delivery.ts';
import type { Organization } from '../policy/policy.ts';
import { FakeServices } from './fake-services.ts';
import { answersPerDomainPerHour } from './rehearsal-allowance.ts';
import { Rehearsal } from './rehearsal.ts';
import type { ListenerSettings } from './settings.ts';
import { defaultLimits } from './settings.ts';

const rehearsal = 'RCPT TO:<rehearsal@example.test>';
const other = 'RCPT TO:<user@example.test>';

function servicesOf(part: Partial<Organization> = {}): FakeServices {
  return new FakeServices(
    policy({
      rehearsalAddress: address('rehearsal@example.test'),
      inboundConnectors: [
        inboundConnector('bank', { senderDomains: patterns('bank.test'), requireTls: true }),
      ],
      ...part,
    }),
  );
}

async function open(t: TestContext, services = servicesOf(), settings = {}) {
  const rig = await runListener(t, {}, settings, services);
  return { services, client: await rig.greeted(), rig };
}

type Client = Awaited<ReturnType<typeof open>>['client'];

const plain =
  'From: ann@bank.test\r\nSubject: secret words\r\nMessage-ID: <m1@bank.test>\r\n\r\nhello';

async function rehearse(client: Client, from = 'ann@bank.test', content = plain, code = 250) {
  await client.command(`MAIL FROM:<${from}>`, 250);
  await client.command(rehearsal, 250);
  await client.command('DATA', 354);
  return client.command(`${content}\r\n.`, code);
}

function textOf(message: IncomingMessage | undefined): string {
  assert.ok(message?.content.kind === 'memory');
  return Buffer.from(message.content.bytes).toString('utf8');
}

test('an organization without the setting has no such address', async (t) => {
  const { client } = await open(t, servicesOf({ rehearsalAddress: null }));
  await client.command('MAIL FROM:<ann@other.test>', 250);
  const refused = await client.command(rehearsal, 550);
  assert.match(refused.text, /5\.4\.1/);
});

test('a rehearsal makes no mail to anybody else pass', async (t) => {
  const { client, services } = await open(t);
  await client.command('MAIL FROM:<ann@bank.test>', 250);
  await client.command(rehearsal, 250);
  const beside = await client.command(other, 452);
  assert.match(beside.text, /4\.5\.3 a rehearsal address is alone/);
  await client.command('RCPT TO:<postmaster>', 452);
  await client.command('RCPT TO:<someone@elsewhere.test>', 452);
  await client.command('DATA', 354);
  await client.command(`${plain}\r\n.`, 250);
  assert.deepEqual(
    services.accepted.map(({ recipients }) => recipients),
    [[address('ann@bank.test')]],
  );
  // The next transaction is none, and what the connector refuses it refuses.
  await client.command('MAIL FROM:<ann@bank.test>', 250);
  assert.match((await client.command(other, 454)).text, /4\.7\.0/);
  await client.command(rehearsal, 250);
  await client.command('RSET', 250);
  await client.command('MAIL FROM:<ann@bank.test>', 250);
  await client.command(other, 454);
  await client.command('DATA', 554);
});

test('behind another recipient there is no rehearsal, and that mail is as ever', async (t) => {
  const { client, services } = await open(t);
  await client.command('MAIL FROM:<ann@other.test>', 250);
  await client.command(other, 250);
  await client.command(rehearsal, 452);
  await client.command('DATA', 354);
  await client.command(`${plain}\r\n.`, 250);
  const [message, ...more] = services.accepted;
  assert.deepEqual(more, []);
  assert.deepEqual(message?.recipients, [address('user@example.test')]);
  assert.match(services.textOf(message.content), /secret words/);
});

test('a mailbox of the same address keeps its mail', async (t) => {
  const { client, services } = await open(
    t,
    servicesOf({ rehearsalAddress: address('user@example.test') }),
  );
  await client.command('MAIL FROM:<ann@other.test>', 250);
  await client.command(other, 250);
  await client.command('DATA', 354);
  await client.command(`${plain}\r\n.`, 250);
  assert.deepEqual(services.accepted[0]?.recipients, [address('user@example.test')]);
});

const silent: readonly (readonly [what: string, from: string, header: string])[] = [
  ['the null reverse-path', '', 'From: ann@bank.test'],
  ['a program', 'ann@bank.test', 'Auto-Submitted: auto-replied'],
  ['a program that comments', 'ann@bank.test', 'auto-submitted:\r\n auto-generated (by x)'],
  ['bulk mail', 'ann@bank.test', 'Precedence: Bulk'],
  ['a list', 'ann@bank.test', 'List-Id: <l.bank.test>'],
  ['who asks for silence', 'ann@bank.test', 'X-Auto-Response-Suppress: DR, AutoReply'],
  ['an answer to an answer', 'ann@bank.test', 'References: <x@y> <I.rehearsal@mx.example.test>'],
  ['itself', 'rehearsal@example.test', 'From: ann@bank.test'],
  ['a daemon', 'MAILER-DAEMON@bank.test', 'From: ann@bank.test'],
  ['a header that may hide it', 'ann@bank.test', 'no field\r\nFrom: ann@bank.test'],
];

for (const [what, from, header] of silent) {
  test(`${what} is never answered`, async (t) => {
    const { client, services } = await open(t);
    const taken = await rehearse(client, from, `${header}\r\n\r\nhello`);
    assert.match(taken.text, /2\.0\.0 rehearsal over, and not answered, since .*\[ID\d+\]/);
    assert.deepEqual(services.accepted, []);
    assert.equal(services.refused.length, 1);
  });
}

test('a message in a loop is refused', async (t) => {
  const { client, services } = await open(t);
  const hops = 'Received: from a by b; Sat, 28 Nov 2026 20:00:00 +0000\r\n'.repeat(51);
  const refused = await rehearse(client, 'ann@bank.test', `${hops}From: a@b.test\r\n\r\nx`, 554);
  assert.match(refused.text, /5\.4\.6/);
  assert.deepEqual(services.accepted, []);
});

test('the answer goes to MAIL FROM alone, by the queue, as automatic mail under TLS', async (t) => {
  const { client, services } = await open(t);
  const taken = await rehearse(client);
  assert.match(taken.text, /^250 2\.0\.0 rehearsal over: the verdict goes to the sender by mail/);
  const [answer, ...others] = services.accepted;
  assert.deepEqual(others, []);
  assert.ok(answer !== undefined);
  assert.equal(answer.reversePath, null);
  assert.deepEqual(answer.recipients, [address('ann@bank.test')]);
  assert.deepEqual(
    answer.clauses.map(({ kind }) => kind),
    ['encrypted'],
  );
  const text = textOf(answer);
  const [header, body] = text.split('\r\n\r\n', 1).concat(text.slice(text.indexOf('\r\n\r\n') + 4));
  assert.match(header!, /^Auto-Submitted: auto-replied$/m);
  assert.match(header!, /^To: <ann@bank\.test>$/m);
  assert.match(header!, /^From: "Mail gateway" <postmaster@example\.test>$/m);
  assert.match(header!, /^In-Reply-To: <m1@bank\.test>$/m);
  assert.match(body!, /mail from this server is REFUSED/);
  assert.match(body!, /454 4\.7\.0 Failed to establish/);
  assert.match(body!, /Connector "bank" \(enforced; it covers bank\.test\): NOT met/);
  assert.match(body!, /NOT met: encryption/);
  assert.match(body!, /Encryption: none/);
  assert.doesNotMatch(text, /secret words|hello/);
  assert.ok(text.length < 8192);
  for (const line of text.split('\r\n')) assert.match(line, /^[\x20-\x7e]{0,78}$/);
});

test('it is in the trace, with what would have been and the id of the answer', async (t) => {
  const { client, services } = await open(t);
  const taken = await rehearse(client);
  const [record] = services.refused;
  assert.ok(taken.text.includes(`[${record!.id}]`));
  const [answer] = services.accepted;
  assert.deepEqual(answer!.source, { kind: 'dsn', about: record!.id, isRehearsal: true });
  const decision = record!.decision as Record<string, unknown>;
  assert.equal(decision['result'], 'rehearsed');
  assert.equal(decision['organization'], 'org');
  // It was nobody's mail: it counts for no connector.
  assert.equal(decision['connector'], null);
  assert.match(
    String(decision['reason']),
    new RegExp(`answered by ${answer!.id}; other mail of this session would be refused: 454 4.7.0`),
  );
  const line = await services.logged('rehearsal judged');
  assert.equal(line.level, 'info');
});

test('more than a few an hour of one domain wait, whatever is put before it', async (t) => {
  const { client, services } = await open(t);
  for (let i = 0; i < answersPerDomainPerHour; i++) await rehearse(client, `a@m${i}.bank.test`);
  const refused = await rehearse(client, 'a@new.bank.test', plain, 450);
  assert.match(refused.text, /4\.7\.1 too many rehearsals within an hour, try again in \d+ min/);
  assert.equal(services.accepted.length, answersPerDomainPerHour);
  await rehearse(client, 'a@other.test');
  services.nowMs += 3600_000;
  await rehearse(client, 'a@bank.test');
});

test('where the answer cannot be queued the rehearsal is put off', async (t) => {
  const { client, services } = await open(t);
  services.onAccept = () => Promise.reject(new Failure('store-full', 'full'));
  await rehearse(client, 'ann@bank.test', plain, 452);
  assert.deepEqual(services.refused, []);
  services.onAccept = () => Promise.resolve();
  await rehearse(client);
});

test('what a stranger writes becomes no header and no line of the answer', async (t) => {
  const { rig, services } = await open(t);
  const client = await rig.client();
  await client.expect(220);
  await client.command('EHLO [IPv6:::1]', 250);
  const header = 'Message-ID: <a@b> Bcc: x@y.test\r\nFrom: "\u001b[31m" <a@b.test>\r\n';
  await rehearse(client, 'ann@bank.test', `${header}\r\n`);
  const text = textOf(services.accepted[0]);
  assert.doesNotMatch(text, /Bcc|In-Reply-To|\u001b/);
});

test('a large mail costs no more than its header, and one without end is refused', async (t) => {
  const { client, services } = await open(t);
  await client.command('MAIL FROM:<ann@bank.test>', 250);
  await client.command(rehearsal, 250);
  await client.command('DATA', 354);
  await client.send(`From: a@b.test\r\n\r\n${'x'.repeat(70)}\r\n`);
  for (let i = 0; i < 100; i++) await client.send(`${'y'.repeat(998)}\r\n`.repeat(20));
  assert.ok(services.contentMemory.usedBytes <= 64 * 1024);
  await client.command('.', 250);
  assert.deepEqual(services.files, []);
  const long = `X: ${'z'.repeat(900)}\r\n`.repeat(80);
  assert.match((await rehearse(client, 'b@bank.test', long, 552)).text, /5\.3\.4/);
});

test('who leaves in the middle leaves nothing behind', async (t) => {
  const { client, services } = await open(t);
  await client.command('MAIL FROM:<ann@bank.test>', 250);
  await client.command(rehearsal, 250);
  await client.command('DATA', 354);
  await client.send('From: a@b.test\r\n');
  client.close();
  // That the memory comes back is held by the rig.
  assert.deepEqual(services.accepted, []);
});

test('where a piece of the content ends makes no header of the body, and no body of the header', async () => {
  const services = servicesOf();
  const current = services.currentPolicy;
  const inBody = 'Subject: x\r\n\r\nAuto-Submitted: auto-replied\r\n\r\n';
  const inHeader = 'Auto-Submitted: auto-replied\r\n\r\nSubject: x\r\n\r\n';
  const empty = '\r\nAuto-Submitted: auto-replied\r\n\r\n';
  for (const [content, isAnswered] of [
    [inBody, true],
    [inHeader, false],
    [empty, true],
  ] as const) {
    for (let at = 0; at <= content.length; at++) {
      services.accepted.length = 0;
      services.nowMs += 3600_000;
      const one = new Rehearsal({
        context: { settings: { limits: defaultLimits } as ListenerSettings, services },
        policy: current,
        start: {
          session: {
            listener: 'mx',
            clientAddress: '203.0.113.9',
            heloName: 'x',
            evidence: clearSession(),
            account: null,
            reversePath: address('ann@bank.test'),
          },
          isExtended: true,
          parameters: { bodyType: '7bit' },
          declaredBytes: null,
        },
        organization: current.organizations[0]!,
        recipient: address('rehearsal@example.test'),
      });
      one.begin();
      one.push(Buffer.from(content.slice(0, at)));
      one.push(Buffer.from(content.slice(at)));
      await one.finish({ nowMs: services.nowMs, firstRefusedAtMs: () => null });
      assert.equal(services.accepted.length, isAnswered ? 1 : 0, `${at}`);
    }
  }
});
