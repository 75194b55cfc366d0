/** The demo tells the truth: each partner under each setting ends as the product promises. */
import assert from 'node:assert/strict';
import { access } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { startDemo } from './demo.ts';
import type { RunningDemo } from './demo.ts';
import { inboundDemands, tlsSettings } from './demo-configuration.ts';
import { partnerKinds } from './demo-partners.ts';
import { formatDemo, formatStay } from './demo-text.ts';

/** Per partner: under each TLS setting, then under each inbound demand; `t` TLS, `c` clear, `-` not. */
const promised: Readonly<Record<string, string>> = {
  good: 'ttttt ttt',
  'no-starttls': 'c---- c--',
  'self-signed': 'tt--t tt-',
  'wrong-name': 'ttt-t tt-',
  expired: 'tt--- tt-',
  'tls-1.1': '----- ---',
  'no-intermediate': 'tt--t tt-',
  drops: '----- ---',
};

let demo: RunningDemo;
before(async () => {
  demo = await startDemo();
});
after(() => demo?.stop());

function outcomesOf(partner: string, direction: string): string {
  const rows = demo.result.rows.filter(
    (row) => row.partner === partner && row.direction === direction,
  );
  assert.equal(rows.length, direction === 'outbound' ? tlsSettings.length : inboundDemands.length);
  return rows
    .map(({ outcome, isEncrypted }) => {
      if (outcome !== 'delivered' && outcome !== 'accepted') return '-';
      return isEncrypted ? 't' : 'c';
    })
    .join('');
}

for (const { name } of partnerKinds) {
  test(`mail to and from ${name}.test ends as promised`, () => {
    const ended = `${outcomesOf(name, 'outbound')} ${outcomesOf(name, 'inbound')}`;
    assert.equal(ended, promised[name]);
  });
}

test('no forced message was in clear, and what was delivered has arrived', () => {
  assert.deepEqual(demo.result.leaks, []);
  for (const { name, server } of demo.partners) {
    const arrived = promised[name]!.slice(0, 5).replaceAll('-', '').length;
    assert.equal(server.messages.length, arrived, name);
    const inClear = server.messages.filter(({ isTls }) => !isTls).length;
    assert.equal(inClear, name === 'no-starttls' ? 1 : 0, name);
  }
});

test('every row that did not pass gives its reason', () => {
  const stopped = demo.result.rows.filter(
    ({ outcome }) => outcome !== 'delivered' && outcome !== 'accepted',
  );
  const promisedStops = Object.values(promised).join('').replaceAll(/[tc ]/g, '');
  assert.equal(stopped.length, promisedStops.length);
  for (const { reason } of stopped) assert.match(reason, /\w{3,} \w+/);
  const text = formatDemo(demo.result, null);
  assert.match(text, /wrong-name\.test: a certificate for another name/);
  assert.match(
    text,
    /\[Message=SubjectMismatch\].*requires a certificate for mx\.wrong-name\.test/,
  );
  assert.match(text, /454 4\.7\.0 .*over TLS only/);
  assert.match(text, /64 messages\. Of 32 that had to be sent under TLS 12 were delivered so/);
  assert.match(formatStay(demo, 'postern'), /POSTERN_CONFIG=.*postern\.yaml/);
});

test('nothing is left behind', async () => {
  await demo.stop();
  await assert.rejects(access(demo.folder), { code: 'ENOENT' });
});
