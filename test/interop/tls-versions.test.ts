/** TLS 1.0 and 1.1 and suites without forward secrecy are refused on each port, and when we send. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { TlsOptions } from 'node:tls';
import { makeCa, makeLeaf } from '../../src/testing/certificates.ts';
import { startFakePartner } from '../../src/testing/fake-partner.ts';
import type { FakePartner } from '../../src/testing/fake-partner.ts';
import { startGateway } from '../support/gateway.ts';
import type { RunningGateway } from '../support/gateway.ts';
import { gatewayCa, gatewaySetup, smartHost } from '../support/gateway-config.ts';
import { connectOpenssl } from '../support/openssl-client.ts';
import { submit } from '../support/submit.ts';

const anyStrength = '@SECLEVEL=0';
const partnerCa = makeCa('Partner CA');
/** RSA, so that key exchange without forward secrecy would be possible at all. */
const rsaLeaf = makeLeaf(partnerCa, ['mx.partner.test'], {
  key: 'rsa2048',
  keyUsage: ['digitalSignature', 'keyEncipherment'],
});
const rsaServer = makeLeaf(gatewayCa, ['gateway.example.test'], {
  key: 'rsa2048',
  keyUsage: ['digitalSignature', 'keyEncipherment'],
});

/** What each partner speaks, and whether mail goes to it. */
const partnerKinds: Record<string, { readonly options: TlsOptions; readonly isGood: boolean }> = {
  'tls11-only': {
    options: { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: `DEFAULT${anyStrength}` },
    isGood: false,
  },
  'tls10-only': {
    options: { minVersion: 'TLSv1', maxVersion: 'TLSv1', ciphers: `DEFAULT${anyStrength}` },
    isGood: false,
  },
  'no-forward-secrecy': {
    options: { maxVersion: 'TLSv1.2', ciphers: `AES256-GCM-SHA384${anyStrength}` },
    isGood: false,
  },
  'tls12-ecdhe': {
    options: { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-RSA-AES256-GCM-SHA384' },
    isGood: true,
  },
  tls13: { options: { minVersion: 'TLSv1.3' }, isGood: true },
};

let gateway: RunningGateway;
const partners = new Map<string, FakePartner>();

before(async () => {
  for (const [kind, { options }] of Object.entries(partnerKinds)) {
    const own = { cert: rsaLeaf.pem, key: rsaLeaf.keyPem };
    partners.set(kind, await startFakePartner({ tls: { ...own, ...options } }));
  }
  const setup = await gatewaySetup({
    certificates: { rsa: [rsaServer, gatewayCa] },
    anchors: { partner: [partnerCa] },
    peerPorts: [...partners.values()].map(({ port }) => port),
    top: { serverCertificates: ['server', 'rsa'] },
    organization: {
      outboundConnectors: [...partners].flatMap(([kind, { port }]) => [
        {
          name: `${kind} opportunistic`,
          recipientDomains: `${kind}.test`,
          smartHosts: smartHost(port),
        },
        {
          name: `${kind} forced`,
          recipientDomains: `forced-${kind}.test`,
          smartHosts: smartHost(port),
          tlsSettings: 'DomainValidation',
          tlsDomain: 'mx.partner.test',
          anchors: 'tls/partner.pem',
        },
      ]),
    },
  });
  gateway = await startGateway(setup);
});

after(async () => {
  await gateway?.stop();
  await gateway?.remove();
  for (const partner of partners.values()) await partner.close();
});

const ports = [
  { listener: 'mx', isStartTls: true },
  { listener: 'submission', isStartTls: true },
  { listener: 'submissions', isStartTls: false },
] as const;

for (const { listener, isStartTls } of ports) {
  const connect = (...words: string[]) =>
    connectOpenssl(gateway.port(listener), isStartTls, ...words);

  for (const version of ['-tls1', '-tls1_1']) {
    test(`${listener} refuses openssl ${version} by an alert`, async () => {
      const { cipher, output } = await connect(version, '-cipher', `DEFAULT${anyStrength}`);
      assert.equal(cipher, null, output);
      assert.match(output, /alert protocol version/);
    });
  }

  for (const suite of ['AES256-GCM-SHA384', 'AES128-SHA']) {
    test(`${listener} refuses TLS 1.2 with ${suite}, which has no forward secrecy`, async () => {
      const { cipher, output } = await connect('-tls1_2', '-cipher', `${suite}${anyStrength}`);
      assert.equal(cipher, null, output);
      assert.match(output, /alert handshake failure/);
    });
  }

  for (const suite of ['ECDHE-RSA-AES256-GCM-SHA384', 'ECDHE-ECDSA-AES128-GCM-SHA256']) {
    test(`${listener} speaks TLS 1.2 with ${suite}`, async () => {
      const { cipher, protocol, output } = await connect('-tls1_2', '-cipher', suite);
      assert.equal(cipher, suite, output);
      assert.equal(protocol, 'TLSv1.2');
    });
  }

  test(`${listener} speaks TLS 1.3 with all that a client offers`, async () => {
    const { protocol, output } = await connect();
    assert.equal(protocol, 'TLSv1.3', output);
  });
}

test('the old partners do answer a client that wants them', async () => {
  for (const [kind, version] of [
    ['tls10-only', '-tls1'],
    ['tls11-only', '-tls1_1'],
    ['no-forward-secrecy', '-tls1_2'],
  ] as const) {
    const { port } = partners.get(kind)!;
    const result = await connectOpenssl(port, true, version, '-cipher', `DEFAULT${anyStrength}`);
    assert.notEqual(result.cipher, null, `${kind}: ${result.output}`);
  }
});

for (const [kind, { isGood }] of Object.entries(partnerKinds)) {
  for (const domain of [`${kind}.test`, `forced-${kind}.test`]) {
    const fact = isGood ? 'goes out under TLS' : 'waits, and nothing of it is sent';
    test(`mail to ${domain} ${fact}`, async () => {
      const partner = partners.get(kind)!;
      const marker = `marker-${domain}`;
      const id = await submit(gateway, { to: `a@${domain}`, text: marker });
      if (isGood) {
        await gateway.waitUntilGone(id);
        const got = partner.messages.find(({ content }) => content.includes(marker));
        assert.equal(got?.isTls, true);
        return;
      }
      const { lastOutcome } = await gateway.waitForRow(id);
      assert.equal(lastOutcome?.kind, 'deferred');
      assert.equal(lastOutcome.cause, 'tls-handshake');
      assert.deepEqual(partner.messages, []);
      const clear = Buffer.concat(partner.connections.map((connection) => connection.clear));
      assert.doesNotMatch(clear.toString('latin1'), /MAIL FROM|RCPT TO|DATA|marker-/i);
    });
  }
}
