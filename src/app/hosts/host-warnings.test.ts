/** What is said of hosts that DNS does not know, when a configuration is checked. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFakeResolver } from '../../dns/fake-resolver.ts';
import type { FakeEntry } from '../../dns/fake-zone.ts';
import { parseConfig } from '../../config/load.ts';
import { formatProblem } from '../../config/problem.ts';
import { minimalConfig } from '../../../test/support/sample-config.ts';
import { problemAt } from '../configuration.ts';
import { warnOfHosts } from './host-warnings.ts';

const file = '/etc/postern/postern.yaml';
const zone: Record<string, FakeEntry> = {
  'there.test': { a: ['192.0.2.1'] },
  'mx-only.test': { mx: [{ preference: 10, exchange: 'there.test' }] },
  'silent.test': { failures: { A: 'timeout', AAAA: 'timeout' } },
};

function asked(connectors: string) {
  const yaml = `${minimalConfig()}    outboundConnectors:\n${connectors}`;
  const loaded = parseConfig(yaml, file);
  assert.equal(loaded.kind, 'loaded', JSON.stringify(loaded));
  const { config, policy } = loaded;
  const at = (path: readonly (string | number)[], text: string) =>
    problemAt(loaded, file, path, text);
  return { config, policy, problemAt: at };
}

const to = (name: string, hosts: string, more = ''): string =>
  `      - { name: ${name}, recipientDomains: ${name}.test, smartHosts: [${hosts}]${more} }\n`;

let closed = 0;
const openResolver = () =>
  Promise.resolve({ ...createFakeResolver(zone), close: () => void closed++ });

test('a smart host that does not resolve is a warning at its connector, with the mend', async () => {
  const hosts = 'there.test, mx-only.test, silent.test, 192.0.2.7, gone.test';
  const found = await warnOfHosts(asked(to('a', 'there.test') + to('b', hosts)), openResolver);
  assert.deepEqual(found.map(formatProblem), [
    `${file}:16:58: warning: organizations[0].outboundConnectors[1].smartHosts: "gone.test" does not resolve (there is no such name), so mail of the outbound connector "b" waits: correct the name, or give it an A or AAAA record`,
  ]);
  assert.equal(closed, 1);
});

test('a connector that is off has no host to be found yet', async () => {
  assert.deepEqual(
    await warnOfHosts(asked(to('a', 'gone.test', ', enabled: false')), openResolver),
    [],
  );
});

test('DNS that cannot be asked, or says nothing in time, is no warning and no waiting', async () => {
  const question = asked(to('a', 'gone.test'));
  const none = () => Promise.reject(new Error('no resolver'));
  assert.deepEqual(await warnOfHosts(question, none), []);
  const never = createFakeResolver(zone);
  never.resolveAddresses = () => new Promise(() => undefined);
  const hanging = () => Promise.resolve({ ...never, close: () => void closed++ });
  const before = closed;
  assert.deepEqual(await warnOfHosts(question, hanging, 20), []);
  assert.equal(closed, before + 1);
});
