/** Suggestions of a running gateway: by the command line, by the API, and the draft put into its configuration. */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { createApiClient } from '../../src/api/client.ts';
import type { TestCertificate } from '../../src/testing/certificates.ts';
import { makeCa, makeLeaf } from '../../src/testing/certificates.ts';
import { connectRaw } from '../../src/testing/raw-client.ts';
import { startGateway } from '../support/gateway.ts';
import type { RunningGateway } from '../support/gateway.ts';
import { gatewaySetup } from '../support/gateway-config.ts';

const ca = makeCa('Bank CA');
const own = makeLeaf(ca, ['mail.bank.test']);

/** Another partner's, which makes the gateway ask for certificates and look for this CA. */
const another = {
  name: 'another',
  senderDomains: 'another.test',
  restrictDomainsToCertificate: true,
  tlsSenderCertificateName: 'mail.another.test',
  anchors: 'file:tls/bank.pem',
};

async function send(gateway: RunningGateway, from: string, certificate: TestCertificate | null) {
  const client = await connectRaw({ port: gateway.port('mx') });
  await client.expect(220);
  await client.command('EHLO mail.bank.test', 250);
  if (certificate !== null) {
    await client.startTlsByCommand({ cert: certificate.pem, key: certificate.keyPem });
    await client.command('EHLO mail.bank.test', 250);
  }
  await client.command(`MAIL FROM:<${from}>`, 250);
  await client.command('RCPT TO:<user@example.test>', 250);
  await client.command('DATA', 354);
  await client.command(`From: <${from}>\r\n\r\ntext\r\n.`, 250);
  client.close();
}

test(
  'sessions with a certificate become a draft, which loads and stops none of them',
  { timeout: 120_000 },
  async (t) => {
    const setup = await gatewaySetup({
      anchors: { bank: [ca] },
      organization: { inboundConnectors: [another] },
    });
    const gateway = await startGateway(setup);
    t.after(() => gateway.remove());
    for (let i = 0; i < 3; i++) {
      await send(gateway, 'ann@bank.test', own);
      await send(gateway, 'bob@half.test', i === 0 ? null : own);
    }
    const few = ['connector', 'suggest', '--min-messages', '3', '--min-days', '1'];
    const text = await gateway.run(...few);
    assert.equal(text.code, 0, text.stderr);
    assert.match(text.stdout, /\nfrom bank\.test, of example \(connector "bank\.test"\)\n/);
    assert.match(text.stdout, /\n {2}names +mail\.bank\.test\n {2}greeted as +mail\.bank\.test\n/);
    assert.doesNotMatch(text.stdout, /from half\.test, of example/);
    assert.match(text.stdout, /Not even nearly: 1 domain\./);

    const client = createApiClient({ socketPath: join(gateway.dataFolder, 'run', 'api.sock') });
    const view = await client.suggestConnectors({ minMessages: 3, minDays: 1 });
    assert.deepEqual(
      view.suggestions.map(({ domain, messages }) => [domain, messages]),
      [['bank.test', 3]],
    );

    const yaml = await gateway.run(...few, '--yaml');
    const drafts = parse(yaml.stdout) as { organizations: { inboundConnectors: object[] }[] };
    const [draft] = drafts.organizations[0]!.inboundConnectors;
    assert.deepEqual(view.suggestions[0]!.connector.value, draft);
    const config = JSON.parse(await readFile(gateway.configFile, 'utf8')) as {
      organizations: { inboundConnectors: object[] }[];
    };
    config.organizations[0]!.inboundConnectors.push({ ...draft, mode: 'enforce' });
    await writeFile(join(gateway.folder, 'candidate.yaml'), JSON.stringify(config));
    const replayed = await gateway.run('replay', '--config', 'candidate.yaml');
    assert.match(replayed.stdout, /restricted 3 messages from 1 partner more, which they met/);
    assert.doesNotMatch(replayed.stdout, /refused|stopped|cannot be told/);
  },
);
