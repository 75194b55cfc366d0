import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { parseConfig } from '../config/load.ts';
import { foldersOf } from './data-folder.ts';
import { describeStart } from './start-text.ts';

function textFor(dataFolder: string): string {
  const yaml = `hostName: mx.fabrikam.com
listeners:
  - { name: mx, host: 127.0.0.1, port: 2525, kind: mx }
certificates:
  main: { certificate: a.pem, key: a.key }
serverCertificates: main
organizations:
  - id: fabrikam
    acceptedDomains: [{ domain: fabrikam.com }]
    mailboxes: [{ account: ada, addresses: ada@fabrikam.com }]
`;
  const loaded = parseConfig(yaml, resolve('postern.yaml'));
  assert.ok(loaded.kind === 'loaded');
  return describeStart({
    gateway: {
      listeners: [],
      metricsPort: null,
      apiPort: null,
      firstLink: null,
      storeChange: null,
      socketPath: foldersOf(dataFolder).socket,
    },
    config: { ...loaded.config, dataFolder },
    policy: loaded.policy,
    embedded: { configFile: resolve('postern.yaml'), firstPassword: null },
    commandName: 'postern',
    isRoot: false,
  });
}

test('the printed commands name no socket where they find the gateway in ./data', () => {
  assert.doesNotMatch(textFor(resolve('data')), /--socket/);
});

test('the printed commands name the socket of data that lies elsewhere', () => {
  const text = textFor('/srv/my data');
  assert.match(text, /^ {2}postern send .* --wait --socket '\/srv\/my data\/run\/api\.sock'$/m);
  assert.match(text, /^ {2}postern trace ID --socket '\/srv\/my data\/run\/api\.sock'/m);
  assert.match(text, /^ {2}ls '\/srv\/my data\/mail\/fabrikam\/ada\/new'$/m);
});
