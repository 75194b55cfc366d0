/** Header fields of an organization on the wire: who may bring them, and which part of a message reads what. */
import assert from 'node:assert/strict';
import test from 'node:test';
import type { TestContext } from 'node:test';
import {
  acceptedDomain,
  address,
  inboundConnector,
  organization,
  policy as makePolicy,
} from '../../test/support/policy.ts';
import { runListener } from '../../test/support/receiving-rig.ts';
import type { IncomingMessage } from '../policy/delivery.ts';
import type { InboundConnector, Policy } from '../policy/policy.ts';
import { FakeServices } from './fake-services.ts';

const byAddress = inboundConnector('own server', {
  connectorType: 'OnPremises',
  senderIPAddresses: ['127.0.0.1/32'],
  cloudServicesMailEnabled: true,
});
const filter = inboundConnector('filter', {
  enhancedFiltering: { skipLastIP: true, skipIPs: [], users: [] },
});
const other = organization({
  id: 'other',
  acceptedDomains: [acceptedDomain('other.test')],
  mailboxes: [{ account: 'o', addresses: [address('o@other.test')] }],
});

function policyWith(...inboundConnectors: readonly InboundConnector[]): Policy {
  return {
    ...makePolicy({ inboundConnectors }),
    organizations: [organization({ inboundConnectors }), other],
  };
}

const fields =
  'Received: from s.test (s.test [203.0.113.9]) by f.test; now\r\n' +
  'X-MS-Exchange-CrossPremises-AuthAs: Internal\r\n' +
  'X-OriginatorOrg: example.test\r\n' +
  'X-MS-Exchange-SkipListedInternetSender: ip=[192.0.2.66];domain=forged\r\n';

interface Sent {
  /** By organization, without our Received. */
  readonly texts: ReadonlyMap<string, string>;
  readonly accepted: readonly IncomingMessage[];
}

async function send(t: TestContext, policy: Policy, from: string, ...to: string[]): Promise<Sent> {
  const services = new FakeServices(policy);
  const running = await runListener(t, {}, {}, services);
  const client = await running.greeted();
  await client.command(`MAIL FROM:<${from}>`, 250);
  for (const recipient of to) await client.command(`RCPT TO:<${recipient}>`, 250);
  await client.command('DATA', 354);
  await client.command(`${fields}From: <${from}>\r\n\r\nbody\r\n.`, 250);
  const { accepted } = services;
  const texts = new Map(
    accepted.map(({ organization: id, content }) => [
      id,
      services.textOf(content).replace(/^Received: .*(\r\n\t.*)*\r\n/, ''),
    ]),
  );
  return { texts, accepted };
}

const hop = 'Received: from s.test (s.test [203.0.113.9]) by f.test; now\r\n';
const direction = 'X-MS-Exchange-Organization-MessageDirectionality';

void test('an own server, known by address, says who is internal, but not whose mail it is', async (t) => {
  const { texts, accepted } = await send(
    t,
    policyWith(byAddress),
    'a@example.test',
    'user@example.test',
  );
  assert.equal(
    texts.get('org'),
    `${direction}: Originating\r\nX-CrossPremisesHeadersPromoted: mx.example.test\r\n${hop}` +
      'X-MS-Exchange-Organization-AuthAs: Internal\r\nFrom: <a@example.test>\r\n\r\nbody\r\n',
  );
  assert.deepEqual(accepted[0]!.headerChanges, {
    removed: { 'X-OriginatorOrg': 1, 'X-MS-Exchange-SkipListedInternetSender': 1 },
    added: [direction, 'X-CrossPremisesHeadersPromoted'],
  });
});

void test('the same server with a foreign sender is a stranger', async (t) => {
  const { texts } = await send(t, policyWith(byAddress), 'a@sender.test', 'user@example.test');
  assert.equal(
    texts.get('org'),
    `${direction}: Incoming\r\nX-MS-Exchange-Organization-AuthSource: mx.example.test\r\n` +
      `X-MS-Exchange-Organization-AuthAs: Anonymous\r\n${hop}From: <a@sender.test>\r\n\r\nbody\r\n`,
  );
});

void test('of one message each organization reads what it wants', async (t) => {
  const off = { ...byAddress, senderIPAddresses: ['192.0.2.1/32'] };
  const policy = policyWith(off, filter);
  const { texts, accepted } = await send(
    t,
    policy,
    'a@sender.test',
    'o@other.test',
    'user@example.test',
  );
  assert.equal(texts.get('other'), `${hop}From: <a@sender.test>\r\n\r\nbody\r\n`);
  const source = 'ip=[203.0.113.9];domain=s.test\r\n';
  assert.equal(
    texts.get('org'),
    `${direction}: Incoming\r\nX-MS-Exchange-Organization-AuthSource: mx.example.test\r\n` +
      'X-MS-Exchange-Organization-AuthAs: Anonymous\r\n' +
      `X-MS-Exchange-SkipListedInternetSender: ${source}` +
      `X-MS-Exchange-ExternalOriginalInternetSender: ${source}${hop}From: <a@sender.test>\r\n\r\nbody\r\n`,
  );
  assert.deepEqual(
    accepted.map(({ headerChanges }) => headerChanges?.added.length),
    [0, 5],
  );
});
