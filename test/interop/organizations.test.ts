/**
 * Two organizations that force TLS with the same partner, each under certificates of its own, and
 * that write to each other: what works, on a really started gateway.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { PartnerMessage } from '../../src/testing/partner-session.ts';
import { queueIdIn } from '../support/submit.ts';
import type { OrganizationName, TwoOrganizations } from '../support/two-organizations.ts';
import {
  idsIn,
  mailWith,
  openClient,
  ours,
  partners,
  sendAs,
  startTwoOrganizations,
  transact,
} from '../support/two-organizations.ts';

let two: TwoOrganizations;
before(async () => {
  two = await startTwoOrganizations();
});
after(() => two?.close());

const users = { alpha: 'ann', beta: 'bob' } as const;
const both: readonly OrganizationName[] = ['alpha', 'beta'];

/** Whose certificate the partner saw on the connection of this message. */
function shownFor({ connection }: PartnerMessage): string {
  const leaf = two.partner.connections[connection]!.tls!.clientChain[0];
  return both.find((name) => leaf?.equals(ours[name].der) === true) ?? 'nobody';
}

test('the partner sees each organization under its own certificate, and no connection serves both', async () => {
  const rounds = 12;
  await Promise.all(
    both.map(async (name) => {
      const client = await openClient(two.gateway, { account: users[name] });
      for (let round = 0; round < rounds; round++) {
        const from = `${users[name]}@${name}.test`;
        const { last } = await transact(client, { from, to: ['carol@partner.test'] });
        assert.equal(last.code, 250, last.text);
      }
      client.close();
    }),
  );
  await two.partner.waitUntil(({ messages }) => messages.length >= 2 * rounds, 20_000);
  assert.equal(two.partner.messages.length, 2 * rounds);
  const pairs = new Set(
    two.partner.messages.map((message) => `${message.from} ${shownFor(message)}`),
  );
  assert.deepEqual([...pairs].sort(), ['ann@alpha.test alpha', 'bob@beta.test beta']);
  for (const { tls, clear } of two.partner.connections) {
    assert.equal(tls?.isResumed, false);
    assert.doesNotMatch(clear.toString(), /MAIL|RCPT/);
  }
  // Some connection was used again, or the test would prove little.
  assert.ok(two.partner.connections.length < 2 * rounds);
});

for (const name of both) {
  test(`the partner's mail to ${name} passes under the certificate for ${name}`, async () => {
    const user = users[name];
    const { last } = await sendAs(
      two.gateway,
      { shows: partners[name] },
      { from: 'carol@partner.test', to: [`${user}@${name}.test`], body: `certified for ${name}` },
    );
    const id = queueIdIn(last.text);
    await mailWith(two, [name, user], `certified for ${name}`);
    const [received] = (await two.gateway.trace(id)).events;
    assert.ok(received?.kind === 'received');
    assert.equal(received.organization, name);
    const source = { kind: 'mx', inboundConnectors: ['partner'], isForced: true };
    assert.deepEqual(received.source, source);
  });
}

test('mail from one to the other is handed over inside, with evidence that names the sender', async () => {
  const message = { from: 'ann@alpha.test', to: ['bob@beta.test'], body: 'inside and stamped' };
  const { last } = await sendAs(two.gateway, { account: 'ann' }, message);
  const mail = await mailWith(two, ['beta', 'bob'], 'inside and stamped');
  const [inner, outer] = idsIn(mail);
  assert.equal(outer, queueIdIn(last.text));
  assert.match(mail, /Received: from gateway\.example\.test \(inside this gateway\)/);
  // Its own rules, after the sender's, as on mail of anybody.
  assert.match(mail, /X-Stamp: of-beta/);
  const [received] = (await two.gateway.trace(inner!)).events;
  assert.ok(received?.kind === 'received');
  assert.equal(received.organization, 'beta');
  assert.deepEqual(received.source, {
    kind: 'organization',
    organization: 'alpha',
    inboundConnectors: ['alpha over TLS'],
    isForced: true,
  });
  assert.ok(received.evidence !== null && 'encryption' in received.evidence);
  const { encryption, fromOrganization, tls } = received.evidence;
  assert.deepEqual(
    { encryption, fromOrganization, tls },
    {
      encryption: 'internal',
      fromOrganization: 'alpha',
      tls: null,
    },
  );
});

test('a certificate clause is met by trustedOrganizations alone; else the sender is told', async () => {
  const account = 'ann' as const;
  const to = ['bob@beta.test'];
  await sendAs(two.gateway, { account }, { from: 'ann@trusted.test', to, body: 'by trust' });
  await mailWith(two, ['beta', 'bob'], 'by trust');
  const { last } = await sendAs(
    two.gateway,
    { account },
    { from: 'ann@strict.test', to, body: 'not by trust' },
  );
  const dsn = await mailWith(two, ['alpha', 'ann'], `X-Postern-Queue-ID: ${queueIdIn(last.text)}`);
  assert.match(dsn, /Status: 5\.7\.51/);
  const mails = await two.gateway.mailbox('bob', 'beta');
  assert.ok(mails.every((mail) => !mail.includes('not by trust')));
});

test('a smart host is never short-cut, though the domain is here', async () => {
  const message = { from: 'ann@alpha.test', to: ['bob@detour.test'], body: 'the long way' };
  await sendAs(two.gateway, { account: 'ann' }, message);
  await two.detour.waitUntil(({ messages }) => messages.length === 1, 20_000);
  assert.match(two.detour.messages[0]!.content.toString(), /the long way/);
  const mails = await two.gateway.mailbox('bob', 'beta');
  assert.ok(mails.every((mail) => !mail.includes('the long way')));
});

test('one message to both becomes one for each, ruled and recorded apart', async () => {
  const message = {
    from: 'someone@outside.test',
    to: ['ann@alpha.test', 'bob@beta.test'],
    body: 'for both of you',
  };
  const { last } = await sendAs(two.gateway, {}, message);
  assert.equal(last.code, 250, last.text);
  const toAnn = await mailWith(two, ['alpha', 'ann'], 'for both of you');
  const toBob = await mailWith(two, ['beta', 'bob'], 'for both of you');
  assert.match(toAnn, /X-Stamp: of-alpha/);
  assert.match(toBob, /X-Stamp: of-beta/);
  assert.doesNotMatch(toAnn, /beta|bob/);
  assert.doesNotMatch(toBob, /alpha|ann@/);
  const [annsId] = idsIn(toAnn);
  const [bobsId] = idsIn(toBob);
  assert.notEqual(annsId, bobsId);
  const traceOf = async (id: string) => JSON.stringify(await two.gateway.trace(id));
  assert.doesNotMatch(await traceOf(annsId!), /beta|bob/);
  assert.doesNotMatch(await traceOf(bobsId!), /alpha|ann@/);
});

test('each keeps mail with its own server of the same name, and its answers apart', async () => {
  const known = { alpha: 'known', beta: 'other' } as const;
  for (const name of both) {
    const rival = name === 'alpha' ? 'beta' : 'alpha';
    const message = { from: 'someone@outside.test', body: `kept by ${name}` };
    const domain = `${name}-store.test`;
    const good = await sendAs(two.gateway, {}, { ...message, to: [`${known[name]}@${domain}`] });
    assert.equal(good.last.code, 250, good.last.text);
    const bad = await sendAs(two.gateway, {}, { ...message, to: [`${known[rival]}@${domain}`] });
    assert.match(bad.last.text, /^550 5\.1\.1/);
    const { gateway, stores } = two;
    await stores[name].waitUntil(({ messages }) => messages.length === 1, 20_000);
    assert.match(stores[name].messages[0]!.content.toString(), new RegExp(`kept by ${name}`));
    await gateway.waitUntilGone(queueIdIn(good.last.text));
  }
});
