/**
 * A partner that drops the connection at each stage of a session, again and again, and then is well:
 * nothing is lost, a message is doubled only where the answer after its dot was lost, and mail to
 * others leaves as ever.
 */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { FakePartner, FakePartnerOptions } from '../../../src/testing/fake-partner.ts';
import { startFakePartner } from '../../../src/testing/fake-partner.ts';
import { makeCa, makeLeaf } from '../../../src/testing/certificates.ts';
import { startGateway } from '../../support/gateway.ts';
import { gatewaySetup, smartHost } from '../../support/gateway-config.ts';
import { waitFor } from '../../support/ports.ts';
import { submit } from '../../support/submit.ts';

const leaf = makeLeaf(makeCa('Partner CA'), ['partner.test']);
const tls = { key: leaf.keyPem, cert: leaf.pem };
const drops = 3;

/** How often each stage has dropped; it is well after `drops`. */
const dropped = new Map<string, number>();

function mayDrop(stage: string): boolean {
  const before = dropped.get(stage) ?? 0;
  if (before >= drops) return false;
  dropped.set(stage, before + 1);
  return true;
}

const stages = ['EHLO', 'STARTTLS', 'MAIL', 'RCPT', 'DATA', 'dot'] as const;
const partners = new Map<string, FakePartner>();
for (const stage of stages) {
  const reply: FakePartnerOptions['reply'] = ({ command, isTls }) => {
    const isStage = command === stage && (stage !== 'EHLO' || !isTls);
    return isStage && mayDrop(stage) ? 'drop' : null;
  };
  partners.set(stage.toLowerCase(), await startFakePartner({ tls, reply }));
}
const well = await startFakePartner({ tls });
partners.set('well', well);
/** These drop before a word was said, all the time. */
const atOnce = await startFakePartner({ greeting: 'drop' });
partners.set('connect', atOnce);

after(() => Promise.all([...partners.values()].map((partner) => partner.close())));

test('a partner that drops at any stage costs nothing but time', async () => {
  const outboundConnectors = Array.from(partners, ([name, { port }]) => ({
    name,
    recipientDomains: `${name}.test`,
    smartHosts: smartHost(port),
  }));
  const peerPorts = Array.from(partners.values(), ({ port }) => port);
  const gateway = await startGateway(
    await gatewaySetup({ peerPorts, organization: { outboundConnectors } }),
  );
  try {
    const ids = new Map<string, string>();
    for (const name of partners.keys()) {
      ids.set(name, await submit(gateway, { to: `a@${name}.test`, subject: `to ${name}` }));
    }
    await submit(gateway, { to: 'b@well.test', subject: 'meanwhile' });
    await waitFor('mail to others', () => well.messages.length === 2);
    for (const [name, id] of ids) {
      if (name !== 'connect') await gateway.waitUntilGone(id, 60_000);
    }
    for (const stage of stages) {
      assert.equal(dropped.get(stage), drops, stage);
      const { messages } = partners.get(stage.toLowerCase())!;
      // Whoever drops after the dot may have taken it: only then may it come again.
      if (stage === 'dot') assert.ok(messages.length >= 1 && messages.length <= drops + 1);
      else assert.equal(messages.length, 1, `${stage}: ${messages.length} copies`);
    }
    const [row, ...others] = await gateway.queue();
    assert.deepEqual([row!.id, others.length, row!.state], [ids.get('connect'), 0, 'queued']);
    assert.equal(row!.lastOutcome!.cause, 'connection-lost');
    assert.equal(gateway.log().filter(({ msg }) => msg === 'dsn written').length, 0);
    await gateway.stop();
  } finally {
    await gateway.remove();
  }
});
