/** Bytes flipped in the files of a stopped gateway: what is damaged is held and named, the rest goes on. */
import assert from 'node:assert/strict';
import { readFile, readdir, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, test } from 'node:test';
import { startFakePartner } from '../../../src/testing/fake-partner.ts';
import type { RunningGateway } from '../../support/gateway.ts';
import { startGateway } from '../../support/gateway.ts';
import { gatewaySetup, smartHost } from '../../support/gateway-config.ts';
import { waitFor } from '../../support/ports.ts';
import { submit } from '../../support/submit.ts';

let mayDeliver = false;
const partner = await startFakePartner({
  reply: ({ command }) => (command === 'MAIL' && !mayDeliver ? '451 4.3.0 later' : null),
});
let gateway: RunningGateway | null = null;

after(async () => {
  await gateway?.remove();
  await partner.close();
});

async function flip(file: string, text: string): Promise<void> {
  const bytes = await readFile(file);
  const at = bytes.indexOf(text);
  assert.ok(at >= 0, `${text} is not in ${file}`);
  bytes[at]! ^= 0x15;
  await writeFile(file, bytes);
}

test('damaged mail is held and named, and all other mail passes', async () => {
  const inside = { name: 'in', recipientDomains: 'in.test', smartHosts: smartHost(partner.port) };
  gateway = await startGateway(
    await gatewaySetup({
      peerPorts: [partner.port],
      organization: { outboundConnectors: [inside] },
    }),
  );
  const ids: Record<string, string> = {};
  for (const name of ['good', 'row', 'content', 'spool']) {
    const text =
      name === 'spool'
        ? 'x'.repeat(70_000).replaceAll(/.{60}/g, '$&\n').repeat(8)
        : `The ${name} of this mail`;
    ids[name] = await submit(gateway, { to: `${name}@in.test`, text });
    await gateway.waitForRow(ids[name]);
  }
  await gateway.stop();
  const store = join(gateway.dataFolder, 'queue-0.db');
  const db = new DatabaseSync(store);
  db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  db.close();
  await flip(store, '{"recipients":[{"localPart":"row"');
  await flip(store, 'The content of this mail');
  const spool = join(gateway.dataFolder, 'spool', '0', 'example');
  const [file] = await readdir(spool);
  await truncate(join(spool, file!), 100_000);
  mayDeliver = true;
  await gateway.start();
  const rows = await waitFor('held mail', async () => {
    const now = await gateway!.queue();
    return now.length === 3 && now.every(({ state }) => state === 'held') ? now : null;
  });
  const reasonOf = (name: string): string =>
    rows.find(({ id }) => id === ids[name])?.lastOutcome?.reason ?? 'not there';
  assert.match(reasonOf('row'), /delivery 0 of message \d+ cannot be read/);
  assert.match(reasonOf('content'), /the content of message \d+ is not what was stored/);
  assert.match(reasonOf('spool'), /the spool file \S+ has 100000 bytes, not \d+/);
  assert.deepEqual(
    partner.messages.map(({ recipients }) => recipients),
    [['good@in.test']],
  );
  // The lines leave the lane a moment after the commit that holds the mail.
  const damaged = await waitFor('a line for each', () => {
    const lines = gateway!.log().filter(({ msg }) => msg?.startsWith('a message in the store'));
    return lines.length >= 3 ? lines : null;
  });
  assert.deepEqual(
    damaged.map(({ queueId }) => String(queueId)).sort(),
    Object.values(ids).slice(1).sort(),
  );
  const list = await gateway.run('queue', 'list');
  assert.equal(list.code, 0, list.stderr);
  for (const name of ['row', 'content', 'spool']) assert.ok(list.stdout.includes(ids[name]!));
  const trace = await gateway.run('trace', ids['row']!);
  assert.match(trace.stdout, /held/);
  const gone = await gateway.run('queue', 'delete', ids['row']!);
  assert.equal(gone.code, 0, gone.stderr);
  assert.equal((await gateway.queue()).length, 2);
  await gateway.stop();
});
