/** Connectors validated by the command line, against real Postfix and Exim and the fake partner. */
import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { AlarmListView, ValidationOrderInput } from '../../src/api/contract/validation.ts';
import type { ValidationRun } from '../../src/policy/validation/run.ts';
import {
  chainPem,
  makeCa,
  makeIntermediate,
  makeLeaf,
  writeCertificateFiles,
} from '../../src/testing/certificates.ts';
import { startFakePartner } from '../../src/testing/fake-partner.ts';
import type { FakePartner, FakePartnerOptions } from '../../src/testing/fake-partner.ts';
import { startExim, whyNoExim } from '../support/exim.ts';
import { startGateway } from '../support/gateway.ts';
import type { RunningGateway } from '../support/gateway.ts';
import { gatewaySetup, smartHost } from '../support/gateway-config.ts';
import { freePort, waitFor } from '../support/ports.ts';
import { startPostfix, whyNoPostfix } from '../support/postfix.ts';
import { submit } from '../support/submit.ts';
import { causesOf, statesOf } from '../support/validation-rig.ts';

const name = 'mx.partner.test';
const partnerCa = makeCa('Partner CA');
const intermediate = makeIntermediate(partnerCa, 'Partner Intermediate');
const chains = {
  right: [makeLeaf(intermediate, [name]), intermediate],
  otherName: [makeLeaf(intermediate, ['mx.other.test']), intermediate],
  withoutIntermediate: [makeLeaf(intermediate, [name])],
  stranger: [makeLeaf(makeCa('Stranger CA'), [name])],
} as const;
const rightTls = { cert: chainPem(...chains.right), key: chains.right[0].keyPem };
const renewedLeaf = makeLeaf(intermediate, [name]);
const renewedTls = { cert: chainPem(renewedLeaf, intermediate), key: renewedLeaf.keyPem };

/** What Postfix and Exim have in common. */
interface RealServer {
  readonly port: number;
  messages(): Promise<readonly string[]>;
  stop(): Promise<void>;
}

const forced = { tlsSettings: 'DomainValidation', tlsDomain: name, anchors: 'tls/partner.pem' };
const fakePort = await freePort();
const skips = { postfix: await whyNoPostfix(), exim: await whyNoExim() };
const servers: Record<string, RealServer> = {};
let gateway: RunningGateway;
let folder = '';

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-validation-'));
  await chmod(folder, 0o755);
  for (const [what, chain] of Object.entries(chains)) {
    const files = await writeCertificateFiles(folder, what, chain);
    await chmod(files.keyFile, 0o644);
  }
  const certificateOf = (what: string): string => join(folder, `${what}.pem`);
  const keyOf = (what: string): string => join(folder, `${what}.key`);
  const postfix = (what: string | null, more: Record<string, string> = {}) =>
    startPostfix({
      domains: ['partner.test'],
      main:
        what === null
          ? { smtpd_tls_security_level: 'none' }
          : {
              smtpd_tls_security_level: 'may',
              smtpd_tls_cert_file: certificateOf(what),
              smtpd_tls_key_file: keyOf(what),
              ...more,
            },
    });
  const exim = (what: string, main: Record<string, string> = {}) =>
    startExim({
      domains: ['partner.test'],
      certificate: certificateOf(what),
      key: keyOf(what),
      main,
    });
  if (skips.postfix === null) {
    servers['postfix'] = await postfix('right');
    servers['postfix-clear'] = await postfix(null);
    servers['postfix-chain'] = await postfix('withoutIntermediate');
    servers['postfix-refuses'] = await postfix('right', {
      smtpd_relay_restrictions: 'reject',
      smtpd_recipient_restrictions: 'reject',
    });
  }
  if (skips.exim === null) {
    servers['exim'] = await exim('right');
    servers['exim-name'] = await exim('otherName');
    servers['exim-stranger'] = await exim('stranger');
  }
  const ports = Object.values(servers).map(({ port }) => port);
  const setup = await gatewaySetup({
    anchors: { partner: [partnerCa] },
    peerPorts: [...ports, fakePort],
    organization: {
      outboundConnectors: [
        { name: 'fake', recipientDomains: 'fake.test', smartHosts: smartHost(fakePort), ...forced },
      ],
    },
  });
  // Orders are bounded for each organization, so that each server has one of its own.
  const others = Object.entries(servers).map(([id, { port }]) => ({
    id,
    outboundConnectors: [
      { name: id, recipientDomains: 'partner.test', smartHosts: smartHost(port), ...forced },
    ],
  }));
  const { organizations } = setup.config as { readonly organizations: readonly object[] };
  const config = { ...setup.config, organizations: [...organizations, ...others] };
  gateway = await startGateway({ ...setup, config });
});

after(async () => {
  try {
    await gateway?.stop();
  } finally {
    await gateway?.remove();
    await Promise.all(Object.values(servers).map((server) => server.stop()));
    await rm(folder, { recursive: true, force: true });
  }
});

async function withFake(
  options: FakePartnerOptions,
  use: (partner: FakePartner) => Promise<void>,
): Promise<void> {
  const partner = await startFakePartner({ port: fakePort, ...options });
  try {
    await use(partner);
  } finally {
    await partner.close();
  }
}

function validate(
  organization: string,
  name: string,
  order: ValidationOrderInput,
): Promise<ValidationRun> {
  return gateway.api.validateConnector({ organization, name }, order, () => undefined);
}

const toClerk = { recipients: ['clerk@partner.test'] };
const toFake = { recipients: ['clerk@fake.test'] };
const validateFake = (order: ValidationOrderInput = {}): Promise<ValidationRun> =>
  validate('example', 'fake', { ...toFake, ...order });

const wholeWay = [
  'resolve succeeded',
  'connect succeeded',
  'banner succeeded',
  'ehlo succeeded',
  'starttls succeeded',
  'handshake succeeded',
  'chain succeeded',
  'expiry succeeded',
  'revocation skipped',
  'name succeeded',
  'tls-ehlo succeeded',
  'verdict succeeded',
  'mail succeeded',
  'rcpt succeeded',
  'message succeeded',
];

for (const server of ['postfix', 'exim'] as const) {
  describe(server, { skip: skips[server] ?? false }, () => {
    test('each step succeeds, the message arrives, and nothing of it is queued or traced', async () => {
      const words = ['connector', 'validate', server, '--to', ...toClerk.recipients];
      const result = await gateway.run(...words);
      assert.equal(result.code, 0, result.stdout + result.stderr);
      assert.match(result.stdout, /^ok +handshake .*TLS 1\.3/m);
      assert.match(result.stdout, /^- +revocation .*not checked/m);
      const [message] = await waitFor('the test message', async () => {
        const messages = await servers[server]!.messages();
        return messages.length > 0 ? messages : null;
      });
      assert.match(message!, /^Subject: Test email for connector validation\r?$/m);
      assert.match(message!, /^From: O365ConnectorValidation@gateway\.example\.test\r?$/m);
      assert.match(message!, /with esmtps/i);
      assert.deepEqual(await gateway.queue(), []);
      const of = { organization: server, name: server };
      const { isValidated, runs } = await gateway.api.listValidations(of);
      assert.equal(isValidated, true);
      const run = await gateway.api.readValidation(of, runs[0]!.id);
      assert.equal(run.asked.reversePath, null);
      assert.deepEqual(statesOf(run, '127.0.0.1'), wholeWay);
      assert.equal(run.certificates.length, 2);
    });

    test('stopping before DATA leaves no message there', async () => {
      const before = (await servers[server]!.messages()).length;
      const run = await validate(server, server, { ...toClerk, stopBefore: 'data' });
      assert.equal(run.result, 'succeeded', run.summary);
      assert.equal((await servers[server]!.messages()).length, before);
    });
  });
}

const vices: readonly [string, 'postfix' | 'exim', string, string, RegExp][] = [
  ['postfix-clear', 'postfix', 'starttls', 'no-starttls', /^Typical causes: .*STARTTLS/],
  ['postfix-chain', 'postfix', 'chain', 'untrusted-root', /intermediate certificates/],
  ['postfix-refuses', 'postfix', 'rcpt', 'recipient-refused', /test address/],
  ['exim-name', 'exim', 'name', 'name-mismatch', /tlsDomain/],
  ['exim-stranger', 'exim', 'chain', 'untrusted-root', /anchors/],
];
for (const [server, kind, step, cause, mend] of vices) {
  test(`${server}: the step, the cause and the mend`, { skip: skips[kind] ?? false }, async () => {
    const run = await validate(server, server, toClerk);
    assert.equal(run.result, 'failed');
    const failed = run.steps.find(({ state }) => state === 'failed');
    assert.equal(failed?.step, step, JSON.stringify(run.steps));
    assert.deepEqual(causesOf(run), [cause]);
    assert.match(run.findings[0]!.mend, mend);
    assert.deepEqual(await servers[server]!.messages(), []);
  });
}

test('a second run after the certificate changed raises an alarm, and one that knows it ends it', async () => {
  await withFake({ tls: rightTls }, async () => {
    assert.equal((await validateFake()).result, 'succeeded');
  });
  assert.deepEqual((await gateway.api.listAlarms()).alarms, []);
  await withFake({ tls: renewedTls }, async () => {
    assert.equal((await validateFake()).result, 'succeeded');
    await gateway.restart();
    const { code, stdout } = await gateway.run('alarms', '--json');
    assert.equal(code, 2);
    const { alarms } = JSON.parse(stdout) as AlarmListView;
    assert.deepEqual(
      alarms.map((alarm) => [alarm.code, alarm.organization, alarm.object]),
      [['connector-certificate-changed', 'example', 'outbound-connector/fake']],
    );
    assert.match(alarms[0]!.text, /127\.0\.0\.1 shows another certificate.*another key/);
    await validateFake();
    assert.deepEqual((await gateway.api.listAlarms()).alarms, []);
  });
});

test('a validation uses no connection of live mail, and leaves what waits as it is', async () => {
  const waiting = await submit(gateway, { to: 'a@fake.test', text: 'waits' });
  await gateway.waitForRow(waiting);
  await gateway.api.orderQueue({ action: 'hold', match: { id: waiting }, by: 'test' });
  await withFake({ tls: rightTls }, async (partner) => {
    const sent = await submit(gateway, { to: 'a@fake.test', text: 'live' });
    await partner.waitUntil(({ messages }) => messages.length === 1);
    await gateway.waitUntilGone(sent);
    const live = partner.connections[0]!;
    const said = live.underTls.toString();
    const queue = await gateway.queue();
    assert.equal(queue.length, 1);
    const draft = { recipientDomains: 'fake.test', smartHosts: smartHost(fakePort), ...forced };
    const run = await validateFake({ draft: { ...draft, comment: 'a draft' } });
    assert.equal(run.result, 'succeeded', run.summary);
    assert.equal(run.isDraft, true);
    assert.equal(live.underTls.toString().replace(/QUIT\r\n$/, ''), said);
    assert.equal(partner.connections.length, 3);
    assert.equal(partner.messages.length, 2);
    assert.deepEqual(await gateway.queue(), queue);
    const config = await gateway.api.readConfig({});
    assert.doesNotMatch(JSON.stringify(config), /a draft/);
  });
});

test('a draft to an inner address, or to ourselves, is refused without dialling', async () => {
  await withFake({ tls: rightTls }, async (partner) => {
    for (const host of ['10.255.255.1', '[::1]:25', smartHost(gateway.port('mx'))]) {
      const draft = { recipientDomains: 'fake.test', smartHosts: host, ...forced };
      const startedAt = performance.now();
      const run = await validateFake({ draft });
      assert.deepEqual(causesOf(run), ['address-not-allowed'], host);
      assert.ok(performance.now() - startedAt < 10_000);
      assert.deepEqual(run.transcripts, []);
    }
    assert.deepEqual(partner.connections, []);
  });
});

test('too many orders in a minute are refused in words', async () => {
  await assert.rejects(
    async () => {
      for (let i = 0; i < 8; i++) await validateFake({ recipients: [] });
    },
    {
      code: 'validation-busy',
      message: /has ordered 6 validations in a minute; the next may come in \d+ s/,
    },
  );
});

test('a draft that could not be put in force is refused with its key', async () => {
  await gateway.restart();
  const draft = { recipientDomains: 'fake.test', tlsSetings: 'EncryptionOnly' };
  await assert.rejects(validateFake({ draft }), {
    code: 'draft-refused',
    message: /tlsSetings.*did you mean "tlsSettings"/,
  });
});
