import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sampleRows } from '../../../test/support/api-services.ts';
import { run, startFakeGateway } from '../../../test/support/command-line.ts';

const id = sampleRows[0]!.id;

test('shows envelope, deliveries, what is demanded on whose word, and the header', async (t) => {
  const { socketPath } = await startFakeGateway(t);
  const result = await run(['queue', 'show', id.toLowerCase(), '--socket', socketPath]);
  assert.equal(result.code, 0);
  assert.match(result.stdout, /^from {6}user@example\.test$/m);
  assert.match(result.stdout, /^ {2}to {6}doctor@contoso\.com$/m);
  assert.match(result.stdout, /^ {2}demands encryption \(connector "contoso"\)$/m);
  assert.match(result.stdout, /try 1: 4\.4\.317 \(tls-not-offered\)/);
  assert.match(result.stdout, /^Subject: x\?\[2J$/m);
  const json = await run(['queue', 'show', id, '--json', '--socket', socketPath]);
  assert.equal(JSON.parse(json.stdout).deliveries[0].floor[0].origin, 'connector "contoso"');
});

test('prints the content byte by byte', async (t) => {
  const { socketPath } = await startFakeGateway(t);
  const result = await run(['queue', 'show', id, '--content', '--socket', socketPath]);
  assert.equal(result.code, 0);
  assert.equal(result.stdout, 'Subject: x\r\n\r\n\ufffd\ufffd\r\n');
});

test('what is not queued exits with 66 and says where to look', async (t) => {
  const { socketPath } = await startFakeGateway(t);
  for (const more of [[], ['--content']]) {
    const argv = ['queue', 'show', '06X9T5K1Z000', ...more, '--socket', socketPath];
    const result = await run(argv);
    assert.equal(result.code, 66);
    assert.match(result.stderr, /postern trace ID/);
  }
});
