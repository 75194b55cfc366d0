/** Replay and readiness over what a real gateway recorded: through its API, and when it has stopped. */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { RunningGateway } from '../support/gateway.ts';
import { startGateway } from '../support/gateway.ts';
import { gatewaySetup } from '../support/gateway-config.ts';
import { connectRaw } from '../../src/testing/raw-client.ts';

/** What the routes answer is what the commands print. */
async function isServedAlike(gateway: RunningGateway): Promise<void> {
  const print = async (...words: readonly string[]): Promise<object> =>
    JSON.parse((await gateway.run(...words, '--json')).stdout) as object;
  const withoutTime = (answer: object): object => ({ ...answer, since: '' });
  const config = await readFile(join(gateway.folder, 'candidate.yaml'), 'utf8');
  const { file: _, ...replayed } = (await print('replay', '--config', 'candidate.yaml')) as {
    readonly file: string;
  };
  const served = await gateway.api.replay({ config });
  assert.deepEqual(withoutTime(served), withoutTime(replayed));
  assert.deepEqual([served.messages, served.refusals, served.changed], [1, 1, 1]);
  const object = {
    kind: 'inbound-connector',
    organization: 'example',
    name: partner.name,
  } as const;
  const tried = await gateway.api.replay({ changes: [{ kind: 'put', object, value: partner }] });
  assert.deepEqual(tried.groups, served.groups);
  assert.deepEqual((await gateway.api.replay({})).changed, 0);
  // Tried, and put in force nowhere.
  await assert.rejects(gateway.api.readObject(object), { code: 'object-unknown' });
  const ready = await gateway.api.readReadiness({ name: 'quiet' });
  const printed = await print('connector', 'readiness', 'quiet');
  assert.deepEqual(withoutTime(ready), withoutTime(printed));
  assert.deepEqual(ready.results[0]?.isReady, false);
}

const quiet = { name: 'quiet', senderDomains: 'quiet.test', requireTls: true };
const partner = { name: 'partner', senderDomains: 'partner.test', requireTls: true };

test(
  'a running gateway and its data folder give the same answer',
  { timeout: 90_000 },
  async (t) => {
    const setup = await gatewaySetup({ organization: { inboundConnectors: [quiet] } });
    const gateway = await startGateway(setup);
    t.after(() => gateway.remove());
    const client = await connectRaw({ port: gateway.port('mx') });
    await client.expect(220);
    await client.command('EHLO mail.partner.test', 250);
    await client.command('MAIL FROM:<ann@partner.test>', 250);
    await client.command('RCPT TO:<nobody@example.test>', 550);
    await client.command('RCPT TO:<user@example.test>', 250);
    await client.command('DATA', 354);
    await client.command('From: <ann@partner.test>\r\nSubject: x\r\n\r\ntext\r\n.', 250);
    client.close();
    await gateway.waitForMail('user');
    const candidate = (
      await gatewaySetup({ organization: { inboundConnectors: [quiet, partner] } })
    ).config;
    await writeFile(join(gateway.folder, 'candidate.yaml'), JSON.stringify(candidate));

    const same = await gateway.run('replay', '--config', 'postern.yaml');
    assert.equal(same.code, 0, same.stderr);
    assert.match(same.stdout, /^1 message and 1 refusal of the last 7 days.*\n/);
    const running = await gateway.run('replay', '--config', 'candidate.yaml');
    assert.equal(running.code, 2, running.stderr);
    assert.match(running.stdout, /would have refused 1 message from 1 partner\n/);
    assert.match(running.stdout, /454 4\.7\.0 by the connector "partner"/);
    await isServedAlike(gateway);
    await gateway.stop();
    const stopped = await gateway.run('replay', '--config', 'candidate.yaml');
    assert.deepEqual([stopped.code, stopped.stdout], [2, running.stdout]);
    const ready = await gateway.run(
      'connector',
      'readiness',
      'partner',
      '--config',
      'candidate.yaml',
    );
    assert.equal(ready.code, 2);
    assert.match(ready.stdout, /^inbound connector partner of example: 0 of 0 would have passed/);
  },
);
