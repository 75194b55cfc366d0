/** The limiter: all tokens or none, bounded tables, one line in the log for each window. */
import assert from 'node:assert/strict';
import test from 'node:test';
import type { TestContext } from 'node:test';
import { policy } from '../../test/support/policy.ts';
import { noRateLimits } from '../policy/rate-limit.ts';
import type { RateClaim, RateLimits } from '../policy/rate-limit.ts';
import type { RawClient } from '../testing/raw-client.ts';
import { connectRaw } from '../testing/raw-client.ts';
import { FakeServices } from './fake-services.ts';
import { startListener } from './listener.ts';
import { RateLimiter } from './rate-limiter.ts';
import { defaultLimits } from './settings.ts';

const message: RateClaim = { limit: 'messagesPerSenderPerHour', key: 'a' };
const recipient: RateClaim = { limit: 'recipientsPerSenderPerHour', key: 'a' };

function limiter(limits: Partial<RateLimits>, entriesMax?: number): RateLimiter {
  return new RateLimiter({ ...noRateLimits, ...limits }, entriesMax);
}

void test('0 limits nothing and remembers nobody', () => {
  const rates = limiter({});
  for (let i = 0; i < 1000; i++) assert.equal(rates.take([message, recipient], 0), null);
  assert.equal(rates.size, 0);
});

void test('takes a token for each claim or for none', () => {
  const rates = limiter({ messagesPerSenderPerHour: 3, recipientsPerSenderPerHour: 1 });
  assert.equal(rates.take([message, recipient], 0), null);
  for (let i = 0; i < 5; i++) {
    assert.equal(rates.take([message, recipient], 0)?.limit, 'recipientsPerSenderPerHour');
  }
  assert.equal(rates.take([message], 0), null);
  assert.equal(rates.take([message], 0), null);
  assert.equal(rates.take([message], 0)?.limit, 'messagesPerSenderPerHour');
});

void test('counts each key by itself', () => {
  const rates = limiter({ messagesPerSenderPerHour: 1 });
  assert.equal(rates.take([message], 0), null);
  assert.equal(rates.take([{ ...message, key: 'b' }], 0), null);
  assert.notEqual(rates.take([message], 0), null);
});

void test('says when there will be room, and keeps its word', () => {
  const rates = limiter({ messagesPerSenderPerHour: 60 });
  for (let i = 0; i < 60; i++) rates.take([message], 0);
  assert.match(rates.take([message], 0)!.reply.lines[0]!, /, try again in 60 seconds$/);
  assert.match(rates.take([message], 59_500)!.reply.lines[0]!, /, try again in a second$/);
  assert.equal(rates.take([message], 60_000), null);
  const rare = limiter({ messagesPerSenderPerHour: 1 });
  rare.take([message], 0);
  assert.match(rare.take([message], 0)!.reply.lines[0]!, /, try again in 60 minutes$/);
});

void test('keeps a bounded number of keys, those used last', () => {
  const rates = limiter({ messagesPerSenderPerHour: 1 }, 3);
  for (const key of ['a', 'b', 'c', 'a', 'd']) rates.take([{ ...message, key }], 0);
  assert.equal(rates.size, 3);
  assert.notEqual(rates.take([{ ...message, key: 'a' }], 0), null);
  for (let i = 0; i < 1000; i++) rates.take([{ ...message, key: `key ${i}` }], 0);
  assert.equal(rates.size, 3);
});

void test('a flood of strange senders does not push accounts out', () => {
  const rates = limiter({ messagesPerSenderPerHour: 1, messagesPerAccountPerHour: 1 }, 3);
  const account: RateClaim = { limit: 'messagesPerAccountPerHour', key: 'org ann' };
  rates.take([account], 0);
  for (let i = 0; i < 100; i++) rates.take([{ ...message, key: `${i}` }], 0);
  assert.notEqual(rates.take([account], 0), null);
});

void test('is told once for each window', () => {
  const rates = limiter({ messagesPerOrganizationPerMinute: 1 });
  const claim: RateClaim = { limit: 'messagesPerOrganizationPerMinute', key: 'org' };
  rates.take([claim], 0);
  const told = [0, 1, 59_000].map((nowMs) => rates.take([claim], nowMs)!.isRepeated);
  assert.deepEqual(told, [false, true, true]);
  assert.equal(rates.take([claim], 60_000), null);
  assert.equal(rates.take([claim], 61_000)!.isRepeated, false);
});

async function greeted(t: TestContext, services: FakeServices): Promise<RawClient> {
  const listener = await startListener(
    {
      name: 'mx',
      host: '127.0.0.1',
      port: 0,
      kind: 'mx',
      tls: 'starttls',
      requestClientCertificate: false,
      proxies: [],
      bareLineBreaks: 'refuse',
      sharesPort: false,
      limits: defaultLimits,
    },
    services,
  );
  const client = await connectRaw({ port: listener.address.port });
  t.after(async () => {
    client.close();
    await listener.stop(0);
  });
  await client.expect(220);
  await client.command('EHLO client.test', 250);
  return client;
}

const send = async (client: RawClient): Promise<void> => {
  await client.command('MAIL FROM:<a@sender.test>', 250);
  await client.command('RCPT TO:<user@example.test>', 250);
  await client.command('DATA', 354);
  await client.command('From: <a@sender.test>\r\n\r\nbody\r\n.', 250);
};

void test('answers 450 4.7.1 with an id, logs once, counts each, and lets mail in again', async (t) => {
  const services = new FakeServices(policy());
  services.rates = limiter({ messagesPerSenderPerHour: 2 });
  const client = await greeted(t, services);
  await send(client);
  await send(client);
  for (let i = 0; i < 3; i++) {
    await client.command('MAIL FROM:<a@sender.test>', 250);
    const { text } = await client.command('RCPT TO:<user@example.test>', 450);
    assert.match(
      text,
      /^450 4\.7\.1 too many messages from this sender within an hour, try .*\[ID/,
    );
    await client.command('RSET', 250);
  }
  // Another sender, and a recipient that is refused for itself, are none of its concern.
  await client.command('MAIL FROM:<b@sender.test>', 250);
  await client.command('RCPT TO:<nobody@example.test>', 550);
  await client.command('RCPT TO:<user@example.test>', 250);
  await client.command('RSET', 250);
  const lines = services.lines.filter(({ fields }) => String(fields['reason']).includes('limits.'));
  assert.deepEqual(
    lines.map(({ level }) => level),
    ['warn', 'debug', 'debug'],
  );
  assert.match(
    String(lines[0]!.fields['reason']),
    /limits\.messagesPerSenderPerHour .*a@sender\.test/,
  );
  assert.equal(services.counts.get('rateLimited messagesPerSenderPerHour'), 3);
  assert.equal(services.refused.length, 4);
  services.nowMs += 30 * 60_000;
  await send(client);
  assert.equal(services.accepted.length, 3);
});

void test('takes the recipients that there is room for, and answers the others 450', async (t) => {
  const services = new FakeServices(policy());
  services.rates = limiter({ recipientsPerSenderPerHour: 1 });
  const client = await greeted(t, services);
  await client.command('MAIL FROM:<a@sender.test>', 250);
  await client.command('RCPT TO:<user@example.test>', 250);
  await client.command('RCPT TO:<USER@example.test>');
  await client.command('RCPT TO:<postmaster@example.test>');
  await client.command('DATA', 354);
  await client.command('From: <a@sender.test>\r\n\r\nbody\r\n.', 250);
  assert.equal(services.accepted[0]!.recipients.length, 1);
  assert.ok(services.counts.get('rateLimited recipientsPerSenderPerHour')! >= 1);
});
