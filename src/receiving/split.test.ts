/** One message for recipients of several organizations becomes one for each; neither learns of the other. */
import assert from 'node:assert/strict';
import test from 'node:test';
import type { TestContext } from 'node:test';
import {
  acceptedDomain,
  address,
  organization,
  policy as makePolicy,
} from '../../test/support/policy.ts';
import type { RunningListener } from '../../test/support/receiving-rig.ts';
import { runListener } from '../../test/support/receiving-rig.ts';
import { rule } from '../../test/support/rules.ts';
import { formatAddress } from '../mail/address.ts';
import { Failure } from '../mail/failure.ts';
import type { RawClient } from '../testing/raw-client.ts';
import { FakeServices } from './fake-services.ts';

const other = organization({
  id: 'other',
  name: 'Other',
  acceptedDomains: [acceptedDomain('other.test')],
  mailboxes: [{ account: 'o', addresses: [address('o@other.test')] }],
});
const both = { ...makePolicy(), organizations: [...makePolicy().organizations, other] };

async function sendToBoth(
  t: TestContext,
  body: string,
  services = new FakeServices(both),
): Promise<{ running: RunningListener; client: RawClient; answer: string }> {
  const running = await runListener(t, { memoryContentBytesMax: 2000 }, {}, services);
  const client = await running.greeted();
  await client.command('MAIL FROM:<a@sender.test>', 250);
  await client.command('RCPT TO:<user@example.test>', 250);
  await client.command('RCPT TO:<o@other.test>', 250);
  await client.command('DATA', 354);
  const { text } = await client.command(`From: <a@sender.test>\r\n\r\n${body}\r\n.`);
  return { running, client, answer: text };
}

for (const [what, body] of [
  ['in memory', 'body'],
  ['in the spool', `${'x'.repeat(70)}\r\n`.repeat(100)],
] as const) {
  void test(`splits a message ${what}`, async (t) => {
    const { running, answer } = await sendToBoth(t, body);
    assert.match(answer, /^250 /);
    const { accepted, files } = running.services;
    assert.deepEqual(
      accepted.map((message) => [message.organization, message.recipients.map(formatAddress)]),
      [
        ['org', ['user@example.test']],
        ['other', ['o@other.test']],
      ],
    );
    assert.notEqual(accepted[0]!.id, accepted[1]!.id);
    const texts = accepted.map(({ content }, i) =>
      content.kind === 'memory'
        ? running.services.textOf(content)
        : Buffer.concat(files[i]!.chunks).toString(),
    );
    assert.match(texts[0]!, / for\s<user@example\.test>;/);
    assert.match(texts[1]!, / for\s<o@other\.test>;/);
    assert.doesNotMatch(texts[0]!, /other\.test/);
    assert.doesNotMatch(texts[1]!, /user@example\.test/);
    assert.doesNotMatch(JSON.stringify(accepted[0]!.decision), /other/);
    assert.doesNotMatch(JSON.stringify(accepted[1]!.decision), /org"|user@/);
    for (const text of texts) assert.ok(text.endsWith(`\r\n\r\n${body}\r\n`));
    assert.deepEqual(
      files.map(({ organization: owner, state }) => [owner, state]),
      what === 'in memory'
        ? []
        : [
            ['org', 'finished'],
            ['other', 'finished'],
          ],
    );
  });
}

void test('takes all parts or none, and leaves no spool file behind', async (t) => {
  const services = new FakeServices(both);
  services.onAccept = (message) => {
    if (message.organization === 'other') throw new Failure('store-full', 'full');
    return Promise.resolve();
  };
  const { answer } = await sendToBoth(t, `${'x'.repeat(70)}\r\n`.repeat(100), services);
  assert.match(answer, /^452 /);
  assert.deepEqual(services.accepted, []);
  assert.ok(services.files.every(({ state }) => state === 'abandoned'));
});

void test('a refusal says whose it is, and is nobody’s where it is of several', async (t) => {
  const services = new FakeServices(both);
  const running = await runListener(t, {}, {}, services);
  const client = await running.greeted();
  await client.command('MAIL FROM:<a@sender.test>', 250);
  await client.command('RCPT TO:<nobody@other.test>', 550);
  await client.command('RCPT TO:<x@elsewhere.test>', 550);
  await client.command('RCPT TO:<user@example.test>', 250);
  // Also behind a recipient of one: what nobody's domain was refused for may name others.
  await client.command('RCPT TO:<y@elsewhere.test>', 550);
  const whose = services.refused.map(
    ({ decision }) => (decision as { organization: string | null }).organization,
  );
  assert.deepEqual(whose, ['other', null, null]);
});

void test('each part names itself in its Received field, also where rules change its header', async (t) => {
  const stamp = rule('stamp', {
    actions: [{ kind: 'set-header', name: 'X-Stamp', value: 'yes' }],
    conditions: [],
  });
  const organizations = both.organizations.map((each) => ({ ...each, rules: [stamp] }));
  const { running, answer } = await sendToBoth(
    t,
    'body',
    new FakeServices({ ...both, organizations }),
  );
  assert.match(answer, /^250 /);
  const { accepted } = running.services;
  assert.equal(accepted.length, 2);
  for (const { id, content } of accepted) {
    const text = running.services.textOf(content);
    assert.match(text, /X-Stamp: yes/);
    assert.match(text, new RegExp(`\\sid\\s${id}\\s`));
  }
});
