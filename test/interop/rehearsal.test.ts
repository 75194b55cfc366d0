/**
 * A partner that rehearses at a running gateway, with swaks, with and without certificates: what its
 * own server is told by mail, over the connector that leads back to it.
 */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import {
  expired,
  makeCa,
  makeLeaf,
  writeCertificateFiles,
} from '../../src/testing/certificates.ts';
import type { TestCertificate } from '../../src/testing/certificates.ts';
import type { FakePartner } from '../../src/testing/fake-partner.ts';
import { startFakePartner } from '../../src/testing/fake-partner.ts';
import { startGateway } from '../support/gateway.ts';
import type { RunningGateway } from '../support/gateway.ts';
import { gatewaySetup, smartHost } from '../support/gateway-config.ts';
import { refusalIdIn } from '../support/submit.ts';
import { runSwaks, whyNoSwaks } from '../support/swaks.ts';

const noSwaks = await whyNoSwaks();
const ca = makeCa('Bank CA');
const name = 'mail.bank.test';
const clients: Readonly<Record<string, TestCertificate>> = {
  right: makeLeaf(ca, [name]),
  other: makeLeaf(ca, ['mail.other.test']),
  stranger: makeLeaf(makeCa('Somebody'), [name]),
  expired: makeLeaf(ca, [name], expired),
};

let gateway: RunningGateway;
let partner: FakePartner;
let folder: string;

before(async () => {
  const server = makeLeaf(makeCa(), ['mx.bank.test']);
  partner = await startFakePartner({ tls: { cert: server.pem, key: server.keyPem } });
  folder = await mkdtemp(join(tmpdir(), 'postern-rehearsal-'));
  const setup = await gatewaySetup({
    anchors: { bank: [ca] },
    peerPorts: [partner.port],
    organization: {
      rehearsalAddress: 'rehearsal@example.test',
      inboundConnectors: [
        {
          name: 'from the bank',
          senderDomains: 'bank.test',
          restrictDomainsToCertificate: true,
          tlsSenderCertificateName: name,
          anchors: 'file:tls/bank.pem',
        },
      ],
      outboundConnectors: [
        { name: 'to the bank', recipientDomains: 'bank.test', smartHosts: smartHost(partner.port) },
      ],
    },
  });
  gateway = await startGateway(setup);
});
after(async () => {
  await gateway?.remove();
  await partner?.close();
  await rm(folder, { recursive: true, force: true });
});

const toRehearsal = ['--from', 'ann@bank.test', '--to', 'rehearsal@example.test'];
const toUser = ['--from', 'ann@bank.test', '--to', 'user@example.test'];
const toBoth = ['--from', 'ann@bank.test', '--to', 'rehearsal@example.test,user@example.test'];
const sending = [...toRehearsal, '--header', 'Subject: secret-subject', '--body', 'secret-body'];

/** What the partner's server got in answer; the mail that was sent says nothing in it. */
async function rehearse(...words: readonly string[]): Promise<{ id: string; text: string }> {
  const before = partner.messages.length;
  const { code, transcript } = await runSwaks(gateway.port('mx'), ...sending, ...words);
  assert.equal(code, 0, transcript);
  await partner.waitUntil(({ messages }) => messages.length > before, 20_000);
  const message = partner.messages.at(-1)!;
  assert.equal(message.from, '');
  assert.deepEqual(message.recipients, ['ann@bank.test']);
  const text = message.content.toString('latin1');
  assert.match(text, /^Auto-Submitted: auto-replied\r$/m);
  assert.doesNotMatch(text, /secret-/);
  return { id: refusalIdIn(transcript), text: text.replaceAll(/\r\n +/g, ' ') };
}

async function withCertificate(which: string): Promise<string[]> {
  const files = await writeCertificateFiles(folder, which, [clients[which]!]);
  return ['--tls', '--tls-cert', files.certificateFile, '--tls-key', files.keyFile];
}

const options = { skip: noSwaks ?? false, timeout: 90_000 };

test('in clear: encryption is missing, and the answer came under TLS', options, async () => {
  const { id, text } = await rehearse();
  assert.match(text, /mail from this server is REFUSED/);
  assert.match(text, /454 4\.7\.0 Failed to establish/);
  assert.match(text, /Encryption: none/);
  assert.match(text, /NOT met: encryption/);
  // Nothing but TLS was demanded of the way back because the connector demands it of the way here.
  const last = partner.connections.findLast(({ underTls }) => underTls.includes('Rehearsal:'));
  assert.ok(last !== undefined && !last.clear.includes('Rehearsal:'));
  const { events } = await gateway.trace(id);
  const [event] = events;
  assert.ok(event?.kind === 'refused');
  assert.equal(event.reply.code, 250);
  const shown = await gateway.run('trace', id);
  assert.match(shown.stdout, /a rehearsal, from client 127\.0\.0\.1/);
  assert.match(shown.stdout, /answered by \w+; other mail of this session would be refused: 454/);
  const answerId = /answered by (\w+);/.exec(shown.stdout)![1]!;
  const answer = await gateway.run('trace', answerId);
  assert.match(answer.stdout, new RegExp(`the answer to the rehearsal ${id}`));
});

test('TLS without a certificate: the certificate is missing', options, async () => {
  const { text } = await rehearse('--tls');
  assert.match(text, /Encryption: TLS 1\.[23], cipher TLS_/);
  assert.match(text, /550 5\.7\.51 TenantInboundAttribution/);
  assert.match(text, /met: encryption/);
  assert.match(text, /none was shown, although one was asked for/);
  assert.match(text, /NOT met: a certificate for mail\.bank\.test/);
});

test('the right certificate: all is met', options, async () => {
  const { text } = await rehearse(...(await withCertificate('right')));
  assert.match(text, /^Subject: Rehearsal: your mail passes\r$/m);
  assert.match(text, /mail from this server is TAKEN/);
  assert.match(text, /Names: mail\.bank\.test/);
  assert.match(text, /Trust: leads to a trusted CA/);
  assert.match(text, /Connector "from the bank" \(enforced; it covers bank\.test\): met/);
  assert.doesNotMatch(text, /NOT/);
});

test(
  'another name, a strange CA, and a certificate of the past are told apart',
  options,
  async () => {
    const other = await rehearse(...(await withCertificate('other')));
    assert.match(other.text, /met: a certificate that leads to a trusted CA/);
    assert.match(other.text, /NOT met: a certificate for mail\.bank\.test: .*mail\.other\.test/);
    const stranger = await rehearse(...(await withCertificate('stranger')));
    assert.match(stranger.text, /leads to NO trusted CA/);
    assert.match(stranger.text, /(?<!NOT )met: a certificate for mail\.bank\.test/);
    const old = await rehearse(...(await withCertificate('expired')));
    assert.match(old.text, /NOT met: a certificate that leads to a trusted CA.*expired/);
  },
);

test('nothing of it is delivered, and mail to others is refused as ever', options, async () => {
  const { code, transcript } = await runSwaks(gateway.port('mx'), ...toBoth);
  // swaks goes on with those that were taken.
  assert.match(transcript, /452 4\.5\.3 a rehearsal address is alone/);
  assert.ok(code !== null);
  const alone = await runSwaks(gateway.port('mx'), ...toUser);
  assert.notEqual(alone.code, 0);
  assert.match(alone.transcript, /454 4\.7\.0/);
  assert.deepEqual(await gateway.mailbox('user'), []);
});
