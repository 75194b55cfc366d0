/**
 * DNS that is silent, answers SERVFAIL or garbage to everything, and comes back: mail waits, the log
 * says it once each way, and what waited leaves at once although its retry is far away.
 */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { FakeEntry } from '../../../src/dns/fake-zone.ts';
import type { Respond } from '../../../src/dns/loopback-server.ts';
import { startLoopbackServer } from '../../../src/dns/loopback-server.ts';
import { startFakePartner } from '../../../src/testing/fake-partner.ts';
import type { RunningGateway } from '../../support/gateway.ts';
import { startGateway } from '../../support/gateway.ts';
import { gatewaySetup } from '../../support/gateway-config.ts';
import { waitFor } from '../../support/ports.ts';
import { submit } from '../../support/submit.ts';

type Vice = 'none' | 'silent' | 'servfail' | 'garbage';
let vice: Vice = 'none';

const servfail = 2;
const respond: Respond = (query, honest) => {
  switch (vice) {
    case 'none':
      return [honest];
    case 'silent':
      return [];
    case 'servfail':
      return [{ ...honest, flags: ((honest.flags ?? 0) & ~0xf) | servfail, answers: [] }];
    case 'garbage': {
      // With the id of the question, so that it is taken for the answer.
      const bytes = Buffer.alloc(40, 0xff);
      bytes.writeUInt16BE(query.id);
      return [bytes];
    }
  }
};

/** Domains of their own for each round: no answer is known from the last one. */
const vices = ['silent', 'servfail', 'garbage'] as const;
const domainsOf = (name: string): string[] =>
  ['a', 'b', 'c', 'd'].map((each) => `${each}.${name}.test`);
const partners = [...vices.flatMap(domainsOf), 'broken.test'];
const zone = new Map<string, FakeEntry>(
  partners.map((domain) => [`mx.${domain}`, { a: ['127.0.0.1'], ttlSeconds: 1 }]),
);
const dns = await startLoopbackServer(zone, { respond });
const partner = await startFakePartner();
let gateway: RunningGateway | null = null;

after(async () => {
  await gateway?.remove();
  await Promise.all([dns.close(), partner.close()]);
});

async function start(): Promise<RunningGateway> {
  const outboundConnectors = partners.map((domain) => ({
    name: `to ${domain}`,
    recipientDomains: domain,
    smartHosts: `mx.${domain}:${partner.port}`,
  }));
  return startGateway(
    await gatewaySetup({
      peerPorts: [partner.port],
      queue: { retryFirst: '15m', retryMax: '1h', expiry: '2h' },
      organization: { outboundConnectors },
      top: { dns: { servers: `127.0.0.1:${dns.port}`, timeout: '200ms' } },
    }),
  );
}

const began = 'DNS does not answer: mail to other domains waits and is tried again';
const ended = 'DNS answers again: what waited for it is tried now';

test('DNS that fails in any way costs nothing but time', async () => {
  gateway = await start();
  const said = (text: string): number => gateway!.log().filter(({ msg }) => msg === text).length;
  let outages = 0;
  for (const each of vices) {
    vice = each;
    outages += 1;
    const ids: string[] = [];
    for (const domain of domainsOf(each)) {
      for (const name of ['x', 'y']) ids.push(await submit(gateway, { to: `${name}@${domain}` }));
    }
    for (const id of ids) {
      const row = await gateway.waitForRow(id);
      assert.deepEqual([row.state, row.lastOutcome?.cause], ['queued', 'dns'], each);
    }
    await waitFor(`word of ${each}`, () => said(began) === outages);
    assert.equal(said(ended), outages - 1);
    vice = 'none';
    for (const id of ids) await gateway.waitUntilGone(id, 30_000);
    assert.equal(partner.messages.length, 8 * outages, 'each arrived once');
    assert.deepEqual([said(began), said(ended)], [outages, outages]);
  }
  await gateway.stop();
});

test('one domain of which nothing can be learnt is no outage', async () => {
  await gateway!.start();
  zone.set('mx.broken.test', { failures: { A: 'servfail', AAAA: 'servfail' } });
  const id = await submit(gateway!, { to: 'x@broken.test' });
  await gateway!.waitForRow(id);
  for (const name of ['p', 'q', 'r', 's']) await submit(gateway!, { to: `${name}@broken.test` });
  await waitFor('all rows', async () => (await gateway!.queue()).every((row) => row.attempts > 0));
  assert.equal(gateway!.log().filter(({ msg }) => msg === began).length, 3);
  await gateway!.stop();
});
