import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accepted, errorsOf, inOrganization } from './config-sample.ts';
import { parseConfig } from './load.ts';
import { testRefusals } from './refusal-case.ts';

const withApi = (api: string): string => inOrganization(accepted, `api: { ${api} }`);

testRefusals([
  [
    'an API without a certificate',
    withApi('port: 443')
      .replace(/^serverCertificates: main$/m, '')
      .replace('kind: mx', 'kind: mx, serverCertificates: main'),
    'api',
    /has no certificate/,
  ],
  [
    'an API with an unknown certificate',
    withApi('port: 443, serverCertificates: [mian]'),
    'api.serverCertificates[0]',
    /"mian".*main/,
  ],
  [
    'names of an API that is not there',
    withApi('hostNames: a.test'),
    'api.hostNames',
    /only with a port/,
  ],
  ['an API on the port of mail', withApi('port: 2525'), 'api.port', /"mx" has 127.0.0.1 port 2525/],
  [
    'a name with a star',
    withApi("port: 443, hostNames: '*.a.test'"),
    'api.hostNames',
    /as clients write it/,
  ],
  [
    'a URL as a name',
    withApi('port: 443, hostNames: https://a.test'),
    'api.hostNames',
    /as clients write it/,
  ],
  [
    'an address without its brackets',
    withApi("port: 443, hostNames: '2001:db8::1'"),
    'api.hostNames',
    /\[2001:db8::1\]/,
  ],
  [
    'a port that is none',
    withApi('port: 443, hostNames: a.test:70000'),
    'api.hostNames',
    /as clients write it/,
  ],
]);

test('there is no API on the network until a port is written', () => {
  for (const top of ['', 'api:', 'api: {}']) {
    const result = parseConfig(inOrganization(accepted, top), '/etc/postern.yaml');
    assert.ok(result.kind === 'loaded');
    assert.equal(result.config.api, null);
  }
});

test('names are kept as clients write them; the rest comes from the whole gateway', () => {
  const names = "hostNames: [Gateway.A.test, 'b.test:8443', 192.0.2.1, '[2001:DB8:0::1]:443']";
  const config = (keys: string) => {
    assert.deepEqual(errorsOf(withApi(keys)), []);
    const result = parseConfig(withApi(keys), '/etc/postern.yaml');
    return result.kind === 'loaded' ? result.config.api : null;
  };
  assert.deepEqual(config(`port: 8443, ${names}`), {
    host: '127.0.0.1',
    port: 8443,
    serverCertificates: ['main'],
    hostNames: ['gateway.a.test', 'b.test:8443', '192.0.2.1', '[2001:db8::1]:443'],
  });
  assert.deepEqual(config('port: 0')?.hostNames, ['mx.fabrikam.com']);
});
