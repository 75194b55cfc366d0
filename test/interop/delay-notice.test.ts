/** The early word: the sender of forced mail that waits is told within minutes, once, and it goes on. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startFakePartner } from '../../src/testing/fake-partner.ts';
import type { FakePartner } from '../../src/testing/fake-partner.ts';
import { startGateway } from '../support/gateway.ts';
import type { RunningGateway } from '../support/gateway.ts';
import { gatewaySetup, smartHost } from '../support/gateway-config.ts';
import { waitFor } from '../support/ports.ts';
import { submit } from '../support/submit.ts';

let partner: FakePartner;
let gateway: RunningGateway;

before(async () => {
  partner = await startFakePartner({});
  const setup = await gatewaySetup({
    peerPorts: [partner.port],
    queue: { expiry: '1h', retryFirst: '15m', retryMax: '15m' },
    organization: {
      delayNotices: { tls: '1m' },
      outboundConnectors: [
        {
          name: 'to the bank',
          recipientDomains: 'bank.test',
          smartHosts: smartHost(partner.port),
          tlsSettings: 'EncryptionOnly',
        },
      ],
    },
  });
  gateway = await startGateway(setup);
});
after(async () => {
  await gateway?.remove();
  await partner?.close();
});

test(
  'a partner without TLS: after the set minute the sender reads why, and what happens next',
  { timeout: 150_000 },
  async () => {
    const subject = 'secret-subject';
    const id = await submit(gateway, { to: 'clerk@bank.test', subject, text: 'secret-body' });
    const notice = await waitFor(
      'the notice',
      async () => {
        const texts = (await gateway.mailbox('user')).map((each) => each.toString('latin1'));
        return texts.find((text) => text.includes(id) && text.includes('delivery-status')) ?? null;
      },
      120_000,
    );
    assert.match(notice, /^Subject: Delayed: your mail to clerk@bank\.test/m);
    assert.match(notice, /^Action: delayed/m);
    assert.match(notice, /^Will-Retry-Until: /m);
    assert.match(notice, /encryption \(connector "to the bank"\)/);
    assert.match(notice, /STARTTLS was\s+not offered/);
    assert.match(notice, /It is tried again on/);
    assert.doesNotMatch(notice, /secret-/);
    const row = await gateway.waitForRow(id);
    assert.equal(row.attempts, 2);
    const { events } = await gateway.trace(id);
    const [attempt, dsn] = events.slice(-2);
    assert.equal(attempt?.kind, 'attempt');
    assert.ok(dsn?.kind === 'dsn' && dsn.action === 'delayed');
    // As the schedule had it: the attempt for the notice pushed nothing back.
    const waitsMs = Date.parse(row.dueAt!) - Date.parse(row.receivedAt);
    assert.ok(waitsMs > 11 * 60_000 && waitsMs <= 15 * 60_000 + 10_000, `${waitsMs}`);
  },
);
