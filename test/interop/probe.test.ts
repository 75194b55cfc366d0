/** A connector's hosts probed through the API of a really started gateway; and what its certificate is said to be. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chainPem, makeCa, makeLeaf } from '../../src/testing/certificates.ts';
import { startFakePartner } from '../../src/testing/fake-partner.ts';
import { startGateway } from '../support/gateway.ts';
import { gatewayLeaf, gatewaySetup, smartHost } from '../support/gateway-config.ts';

const name = 'mx.partner.test';
const leaf = makeLeaf(makeCa('Partner CA'), [name]);

test(
  'a probe tells what the host shows, sends nothing and is kept nowhere',
  { timeout: 90_000 },
  async (t) => {
    const tls = { cert: chainPem(leaf), key: leaf.keyPem };
    const partner = await startFakePartner({ tls });
    t.after(() => partner.close());
    const connector = {
      name: 'partner',
      recipientDomains: 'partner.test',
      smartHosts: smartHost(partner.port),
      tlsSettings: 'EncryptionOnly',
    };
    const organization = { outboundConnectors: [connector] };
    const peerPorts = [partner.port];
    const gateway = await startGateway(await gatewaySetup({ organization, peerPorts }));
    t.after(() => gateway.remove());
    const of = { organization: 'example', name: 'partner' };

    const elsewhere = gateway.api.probeConnector(of, { domain: 'other.test' });
    await assert.rejects(elsewhere, {
      code: 'address-not-allowed',
      message: /address not allowed/,
    });
    assert.equal(partner.connections.length, 0);

    const found = await gateway.api.probeConnector(of, { domain: 'partner.test' });
    const [host] = found.hosts;
    assert.deepEqual(
      [host?.address, host?.port, host?.state],
      ['127.0.0.1', partner.port, 'succeeded'],
    );
    assert.equal(host?.evidence?.tls?.chain[0]?.subject, `CN=${name}`);
    const settings = new Map(host?.settings.map(({ setting, isMet }) => [setting, isMet]));
    assert.equal(settings.get('EncryptionOnly'), true);
    assert.equal(settings.get('CertificateValidation'), false);
    const said = partner.connections
      .map(({ clear, underTls }) => `${clear.toString()}${underTls.toString()}`)
      .join('');
    assert.match(said, /STARTTLS/);
    assert.doesNotMatch(said, /MAIL FROM|RCPT TO/);
    assert.deepEqual((await gateway.api.listValidations(of)).runs, []);

    const certificate = await gateway.api.readCertificate('server');
    assert.equal(certificate.keyFits, true);
    assert.equal(certificate.certificates[0]?.dnsNames[0], 'gateway.example.test');
    assert.equal(certificate.certificates[0]?.spki256, gatewayLeaf.spki256);
    assert.ok(certificate.usedBy.includes('listener mx'));
  },
);
