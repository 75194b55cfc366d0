import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { TestContext } from 'node:test';
import {
  chainPem,
  expired,
  makeCa,
  makeIntermediate,
  makeLeaf,
  makeSelfSigned,
} from '../testing/certificates.ts';
import type { TestCertificate } from '../testing/certificates.ts';
import { startFakePartner } from '../testing/fake-partner.ts';
import type { FakePartner, FakePartnerOptions } from '../testing/fake-partner.ts';
import { createFakeResolver } from '../dns/fake-resolver.ts';
import type { FakeEntry } from '../dns/fake-zone.ts';
import type { ProbedAddress } from '../policy/probe-report.ts';
import { AnchorRegistry } from '../tls/anchors.ts';
import { createClientTls } from '../tls/contexts.ts';
import { dialTcp } from './dial.ts';
import { probeTls } from './probe.ts';
import type { ProbeServices, ProbeTask } from './probe.ts';
import { defaultDeliveryLimits } from './services.ts';

const folder = await mkdtemp(join(tmpdir(), 'postern-probe-'));
after(() => rm(folder, { recursive: true }));
const ca = makeCa('Probe CA');
const intermediate = makeIntermediate(ca, 'Probe Intermediate');
await writeFile(join(folder, 'ca.pem'), ca.pem);
const anchors = `file:${join(folder, 'ca.pem')}`;
const registry = new AnchorRegistry();
assert.deepEqual(await registry.loadAnchors([anchors]), []);
const own = makeLeaf(ca, ['us.example.test']);
const tls = await createClientTls({
  clientCertificates: {
    own: { certificate: Buffer.from(own.pem), key: Buffer.from(own.keyPem) },
  },
  anchors: registry,
});
const good = makeLeaf(ca, ['mx.partner.test']);

function servicesFor(zone: Record<string, FakeEntry> = {}, timeoutMs = 2000): ProbeServices {
  let connections = 0;
  return {
    policy: () => ({
      formatVersion: 1,
      revision: '',
      hostName: 'us.example.test',
      organizations: [],
    }),
    resolver: createFakeResolver({ 'mx.partner.test': { a: ['127.0.0.1'] }, ...zone }),
    tls,
    dial: dialTcp,
    newConnectionId: () => `probe-${++connections}`,
    limits: {
      ...defaultDeliveryLimits,
      connectTimeoutMs: timeoutMs,
      handshakeTimeoutMs: timeoutMs,
      client: {
        ...defaultDeliveryLimits.client,
        greetingMs: timeoutMs,
        helloMs: timeoutMs,
        quitMs: 200,
      },
    },
    now: Date.now,
    random: () => 0,
  };
}

async function partnerWith(
  t: TestContext,
  chain: readonly TestCertificate[] | null,
  options: FakePartnerOptions = {},
): Promise<FakePartner> {
  const own = chain === null ? null : { cert: chainPem(...chain), key: chain[0]!.keyPem };
  const partner = await startFakePartner({
    ...options,
    ...(own === null ? {} : { tls: { ...own, ...options.tls } }),
  });
  t.after(() => partner.close());
  return partner;
}

async function probe(
  partner: FakePartner,
  task: Partial<ProbeTask> = {},
  services = servicesFor(),
): Promise<ProbedAddress> {
  const report = await probeTls(services, {
    target: 'mx.partner.test',
    isMx: false,
    port: partner.port,
    protocol: 'smtp',
    mode: 'starttls',
    against: { anchors, names: [{ kind: 'exact', domain: 'mx.partner.test' }], pins: [] },
    clientCertificate: null,
    withVersions: true,
    ...task,
  });
  assert.equal(report.problem, null);
  assert.equal(report.addresses.length, 1);
  return report.addresses[0]!;
}

function grades({ settings }: ProbedAddress): string {
  return settings.map(({ isMet }) => (isMet === null ? '?' : isMet ? 'y' : 'n')).join('');
}

test('a good server: every step with its time, chain, keys and versions', async (t) => {
  const partner = await partnerWith(t, [good, ca]);
  const probed = await probe(partner);
  assert.deepEqual(
    probed.steps.map(({ step }) => step),
    ['resolve', 'connect', 'banner', 'ehlo', 'starttls', 'handshake', 'tls-ehlo'],
  );
  assert.ok(probed.steps.every(({ ms }) => ms >= 0 && ms < 2000));
  assert.match(probed.steps[2]!.lines[0]!, /^220 partner\.test/);
  assert.equal(probed.problem, null);
  assert.equal(grades(probed), 'yyyy?');
  assert.equal(probed.evidence?.tls?.protocol, 'TLSv1.3');
  assert.equal(probed.keyTypes[0], 'ECDSA P-256');
  assert.equal(probed.keyTypes.length, probed.evidence.tls.chain.length);
  assert.deepEqual(
    probed.versions.map(({ version, isTaken, isUsed }) => [version, isTaken, isUsed]),
    [
      ['TLSv1.3', true, true],
      ['TLSv1.2', true, true],
      ['TLSv1.1', false, false],
      ['TLSv1', false, false],
    ],
  );
  assert.equal(partner.messages.length, 0);
  assert.ok(partner.connections.every(({ underTls }) => !/^MAIL/im.test(underTls.toString())));
});

test('faults of certificates: what each setting would say', async (t) => {
  const cases: [string, readonly TestCertificate[], string, RegExp][] = [
    ['self-signed', [makeSelfSigned(['mx.partner.test'])], 'yynn?', /signed by itself/],
    ['expired', [makeLeaf(ca, ['mx.partner.test'], expired)], 'yynn?', /expired/],
    ['wrong name', [makeLeaf(ca, ['mx.other.test'])], 'yyyn?', /Presented Subject: mx\.other/],
    ['no intermediate', [makeLeaf(intermediate, ['mx.partner.test'])], 'yynn?', /no path leads/],
    [
      'intermediate',
      [makeLeaf(intermediate, ['mx.partner.test']), intermediate],
      'yyyy?',
      /for mx/,
    ],
  ];
  for (const [name, chain, expected, reason] of cases) {
    const probed = await probe(await partnerWith(t, chain));
    assert.equal(grades(probed), expected, name);
    assert.match(probed.settings[3]!.reason, reason, name);
  }
});

test('vices of STARTTLS: reached, but nothing that is forced would hold', async (t) => {
  const cases: [FakePartnerOptions['starttls'], string, RegExp | null][] = [
    ['absent', 'ynnn?', null],
    ['refused', 'nnnn?', /454/],
    ['cut', 'nnnn?', /closed/],
    ['not-tls', 'nnnn?', /./],
    ['injects', 'nnnn?', /to no command|plaintext/],
    ['stalls', 'nnnn?', /no TLS within/],
  ];
  for (const [starttls, expected, problem] of cases) {
    const partner = await partnerWith(t, [good], { starttls: starttls! });
    const probed = await probe(partner, {}, servicesFor({}, 300));
    assert.equal(grades(probed), expected, starttls);
    if (problem === null) assert.equal(probed.problem, null);
    else assert.match(probed.problem!, problem, starttls);
  }
});

test('old versions are seen, and are worth nothing', async (t) => {
  const versions = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1' } as const;
  const partner = await partnerWith(t, [makeLeaf(ca, ['mx.partner.test'], { key: 'rsa2048' })], {
    tls: { ...versions, ciphers: 'DEFAULT@SECLEVEL=0' },
  });
  const probed = await probe(partner);
  assert.equal(grades(probed), 'nnnn?');
  assert.deepEqual(
    probed.versions.map(({ isTaken }) => isTaken),
    [false, false, true, true],
  );
  assert.ok(probed.versions.every(({ isUsed }) => !isUsed));
});

test('pins, and the certificate that we present', async (t) => {
  const partner = await partnerWith(t, [good], {
    clientCertificate: 'required',
    clientCa: ca.pem,
  });
  const without = await probe(partner);
  assert.equal(grades(without), 'nnnn?');
  assert.match(without.problem!, /certificate/);
  // Before TLS 1.3 no alert says what was missing: nothing is claimed.
  assert.deepEqual(
    without.versions.slice(0, 2).map(({ isTaken }) => isTaken),
    [true, null],
  );
  const pin = (await probe(partner, { clientCertificate: 'own' })).evidence!.tls!.chain[0]!.spki256;
  const against = { anchors, names: [], pins: [pin] };
  assert.equal(grades(await probe(partner, { clientCertificate: 'own', against })), 'yyy?y');
});

test('implicit TLS, and a session that fails after the handshake keeps its evidence', async (t) => {
  const partner = await partnerWith(t, [good], { isImplicitTls: true });
  const probed = await probe(partner, { mode: 'implicit' });
  assert.equal(grades(probed), 'yyyy?');
  const silent = await partnerWith(t, [good], { isImplicitTls: true, greeting: 'silence' });
  const mute = await probe(silent, { mode: 'implicit' }, servicesFor({}, 400));
  assert.match(mute.problem!, /timed out/);
  assert.equal(mute.evidence?.encryption, 'established');
  assert.equal(grades(mute), 'yyyy?');
});

test('LMTP: LHLO in place of EHLO, before and in TLS, and for each version', async (t) => {
  const partner = await partnerWith(t, [good], { protocol: 'lmtp' });
  const probed = await probe(partner, { protocol: 'lmtp' });
  assert.equal(probed.protocol, 'lmtp');
  assert.equal(probed.problem, null);
  assert.equal(grades(probed), 'yyyy?');
  assert.equal(probed.versions[0]!.isTaken, true);
  assert.ok(partner.connections.every(({ clear }) => /^LHLO .*\r\nSTARTTLS/.test(String(clear))));
  assert.match(String(partner.connections[0]!.underTls), /^LHLO /);
  const violations = partner.connections.flatMap((connection) => connection.violations);
  assert.deepEqual(violations, []);
});

test('what cannot be reached says why, and claims nothing', async (t) => {
  const partner = await partnerWith(t, [good]);
  await partner.close();
  const refused = await probe(partner);
  assert.match(refused.problem!, /Connection refused/);
  assert.deepEqual(refused.settings, []);
  const unknown = await probe(partner, { target: 'nowhere.test' });
  assert.equal(unknown.address, null);
  assert.match(unknown.problem!, /nowhere\.test does not exist/);
});

test('a domain: each MX host and address, in order, with what DNSSEC says', async (t) => {
  const partner = await partnerWith(t, [good]);
  const services = servicesFor({
    'partner.test': {
      mx: [
        { preference: 20, exchange: 'gone.partner.test' },
        { preference: 10, exchange: 'mx.partner.test' },
      ],
      isAuthentic: true,
    },
    'null.test': { mx: [{ preference: 0, exchange: '' }] },
  });
  const task: ProbeTask = {
    target: 'partner.test',
    isMx: true,
    port: partner.port,
    protocol: 'smtp',
    mode: 'starttls',
    against: { anchors, names: [{ kind: 'wildcard', domain: 'partner.test' }], pins: [] },
    clientCertificate: null,
    withVersions: true,
  };
  const report = await probeTls(services, task);
  assert.equal(report.mx?.isAuthentic, true);
  assert.deepEqual(
    report.addresses.map(({ hostName, preference, address }) => [hostName, preference, address]),
    [
      ['mx.partner.test', 10, '127.0.0.1'],
      ['gone.partner.test', 20, null],
    ],
  );
  assert.equal(grades(report.addresses[0]!), 'yyyy?');
  const none = await probeTls(services, { ...task, target: 'null.test' });
  assert.match(none.problem!, /null MX/);
  assert.deepEqual(none.addresses, []);
});
