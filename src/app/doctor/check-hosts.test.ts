import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  deliveryTarget,
  organization,
  outboundConnector,
  policy,
} from '../../../test/support/policy.ts';
import { createFakeResolver } from '../../dns/fake-resolver.ts';
import type { FakeEntry } from '../../dns/fake-zone.ts';
import type { Organization } from '../../policy/policy.ts';
import { checkHosts } from './check-hosts.ts';

const zone: Record<string, FakeEntry> = {
  'mail.there.test': { a: ['192.0.2.1'] },
  'mx-only.test': { mx: [{ preference: 10, exchange: 'mail.there.test' }] },
  'null-mx.test': { mx: [{ preference: 0, exchange: '' }] },
  'silent.test': { failures: { A: 'timeout', AAAA: 'timeout' } },
};

const to = (name: string, hosts: readonly string[], enabled = true) =>
  outboundConnector(name, {
    enabled,
    route: { kind: 'smart-hosts', hosts: hosts.map((host) => ({ host, port: 25 })) },
  });

async function found(part: Partial<Organization>): Promise<string[]> {
  const findings = await checkHosts(policy(part), createFakeResolver(zone));
  return findings.map(({ subject, level }) => `${subject} ${level}`);
}

test('a smart host must have an address or MX records', async () => {
  const hosts = ['mail.there.test', 'mx-only.test', 'gone.test', 'null-mx.test', 'silent.test'];
  assert.deepEqual(await found({ outboundConnectors: [to('a', hosts)] }), [
    'mail.there.test ok',
    'mx-only.test ok',
    'gone.test fail',
    'null-mx.test fail',
    'silent.test unknown',
  ]);
});

test('a delivery target must have an address: MX records do not lead to it', async () => {
  const at = (name: string, host: string) =>
    deliveryTarget(name, { address: { kind: 'host', host, port: 24 } });
  const deliveryTargets = [
    at('a', 'mx-only.test'),
    at('b', 'mail.there.test'),
    deliveryTarget('c'),
  ];
  assert.deepEqual(await found({ deliveryTargets }), ['mx-only.test fail', 'mail.there.test ok']);
});

test('addresses and connectors that are off are not looked up', async () => {
  const outboundConnectors = [to('a', ['192.0.2.1', '2001:db8::1']), to('b', ['gone.test'], false)];
  assert.deepEqual(await found({ outboundConnectors }), []);
});

test('a name is looked up once, and says for whom', async () => {
  const one = organization({
    id: 'one',
    outboundConnectors: [to('a', ['gone.test', 'gone.test'])],
  });
  const two = organization({ id: 'two', outboundConnectors: [to('a', ['gone.test'])] });
  const shared = { ...policy(), organizations: [one, two] };
  const findings = await checkHosts(shared, createFakeResolver(zone));
  assert.equal(findings.length, 1);
  assert.equal(
    findings[0]!.text,
    'there is no such name, so mail of outbound connector a of one, outbound connector a of two waits',
  );
});
