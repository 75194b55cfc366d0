import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import type { Finding } from '../../cli/offline-doctor.ts';
import type { Config } from '../../config/config.ts';
import { loadConfig } from '../../config/load.ts';
import { createFakeResolver } from '../../dns/fake-resolver.ts';
import { fakeZone } from '../../dns/fake-zone.ts';
import type { FakeEntry } from '../../dns/fake-zone.ts';
import { startLoopbackServer } from '../../dns/loopback-server.ts';
import type { Policy } from '../../policy/policy.ts';
import type { ProbedAddress } from '../../policy/probe-report.ts';
import { makeCa, makeLeaf } from '../../testing/certificates.ts';
import { checkGateway, checkQueue, judgeListener } from './check-gateway.ts';
import { checkClock, checkDataFolder, checkDisk, checkFiles, checkNode } from './check-machine.ts';
import { checkMx, checkResolvers } from './check-names.ts';
import { examine } from './doctor.ts';
import { bounded, tell } from './finding.ts';

const dayMs = 86_400_000;
const ca = makeCa('CA');

const text = `hostName: mx.us.test
dataFolder: ./data
user: root
listeners:
  - { name: mx, host: 127.0.0.1, port: 0, kind: mx }
certificates:
  server: { certificate: server.pem, key: server.key }
serverCertificates: server
dns: { servers: DNS, timeout: 300ms }
organizations:
  - id: example
    acceptedDomains: [{ domain: us.test }]
`;

interface Made {
  readonly folder: string;
  readonly file: string;
  readonly config: Config;
  readonly policy: Policy;
}

async function make(t: TestContext, days = 90, dns = '127.0.0.1:9'): Promise<Made> {
  const folder = await mkdtemp(join(tmpdir(), 'postern-doctor-'));
  t.after(() => rm(folder, { recursive: true }));
  const leaf = makeLeaf(ca, ['mx.us.test'], { notAfter: new Date(Date.now() + days * dayMs) });
  await writeFile(join(folder, 'server.pem'), leaf.pem);
  await writeFile(join(folder, 'server.key'), leaf.keyPem, { mode: 0o600 });
  await mkdir(join(folder, 'data'), { mode: 0o700 });
  const file = join(folder, 'postern.yaml');
  await writeFile(file, text.replace('DNS', `"${dns}"`));
  const loaded = await loadConfig(file);
  assert.equal(loaded.kind, 'loaded');
  if (loaded.kind !== 'loaded') throw new Error('refused');
  return { folder, file, config: loaded.config, policy: loaded.policy };
}

function levels(findings: readonly Finding[]): string {
  return findings.map(({ level }) => level).join(' ');
}

test('a check that hangs or throws is a finding, and ends in time', async () => {
  const hangs = await bounded('disk', 20, () => new Promise<never>(() => undefined));
  assert.match(hangs[0]!.text, /within 0\.02 s/);
  const throws = await bounded('disk', 1000, async () => {
    throw new Error('broken');
  });
  assert.deepEqual([levels(hangs), levels(throws)], ['unknown', 'unknown']);
  assert.match(throws[0]!.text, /broken/);
});

test('Node: by the end of its release line', () => {
  const at = (day: string): number => Date.parse(day);
  assert.equal(levels(checkNode('24.21.0', at('2026-11-25'))), 'ok');
  assert.equal(levels(checkNode('24.21.0', at('2028-03-01'))), 'warn');
  assert.equal(levels(checkNode('24.21.0', at('2028-05-01'))), 'fail');
  assert.equal(levels(checkNode('99.0.0', at('2026-11-25'))), 'unknown');
});

test('clock: before the program was there it cannot be right', async () => {
  assert.equal(levels(await checkClock(Date.now(), Date.now() + 1000)), 'fail');
  assert.doesNotMatch(levels(await checkClock(Date.now(), 0)), /fail/);
});

test('data folder: readable to others is a failure, and so is a foreign owner', async (t) => {
  const { folder, config } = await make(t);
  assert.equal(levels(await checkDataFolder(config)), 'ok');
  await chmod(join(folder, 'data'), 0o750);
  assert.equal(levels(await checkDataFolder(config)), 'fail');
  await chmod(join(folder, 'data'), 0o700);
  assert.equal(levels(await checkDataFolder({ ...config, user: 'nobody' })), 'fail');
  assert.equal(levels(await checkDataFolder({ ...config, dataFolder: '/nowhere' })), 'warn');
});

test('disk: against the bound of the configuration; the file of the check is gone', async (t) => {
  const { folder, config } = await make(t);
  const [space] = await checkDisk({ ...config, limits: { ...config.limits, freeDiskBytes: 0 } });
  assert.equal(space!.level, 'ok');
  const limits = { ...config.limits, freeDiskBytes: 2 ** 60 };
  const [none, sync] = await checkDisk({ ...config, limits });
  assert.equal(none!.level, 'fail');
  assert.match(sync!.text, /safe on the disk after/);
  assert.deepEqual(await readdir(join(folder, 'data')), []);
});

test('open files: what the bounds need against what a process may have', async (t) => {
  const { config } = await make(t);
  const limits = { ...config.limits, sessionsMax: 1, connectionsMax: 1 };
  assert.equal(levels(await checkFiles({ ...config, limits }, process.pid)), 'ok');
  const many = { ...config.limits, sessionsMax: 1_000_000_000 };
  const [finding] = await checkFiles({ ...config, limits: many }, null);
  assert.match(`${finding!.level} ${finding!.text}`, /^fail|unlimited/);
  assert.equal(levels(await checkFiles(config, 999_999_999)), 'unknown');
});

const signed: FakeEntry = { mx: [{ preference: 0, exchange: 'mail.ietf.org' }], isAuthentic: true };
const broken: FakeEntry = { a: ['192.0.2.1'] };

test('resolvers: silent, plain, validating, and one that only says so', async (t) => {
  const { config } = await make(t);
  const failing: FakeEntry = { failures: { A: 'servfail', AAAA: 'servfail' } };
  const cases: [string, Record<string, FakeEntry>, string, RegExp][] = [
    ['validating', { 'ietf.org': signed, 'dnssec-failed.org': failing }, 'ok', /and is believed/],
    ['plain', { 'ietf.org': { ...signed, isAuthentic: false } }, 'ok', /does not validate/],
    ['lying', { 'ietf.org': signed, 'dnssec-failed.org': broken }, 'fail', /broken zone/],
  ];
  for (const [name, zone, level, expected] of cases) {
    const server = await startLoopbackServer(fakeZone(zone));
    t.after(() => server.close());
    const [finding] = await checkResolvers(config, [server]);
    assert.equal(finding!.level, level, `${name}: ${finding!.text}`);
    assert.match(finding!.text, expected, name);
  }
  const silent = await startLoopbackServer(fakeZone({}), { respond: () => [] });
  t.after(() => silent.close());
  const [finding] = await checkResolvers(config, [silent]);
  assert.equal(finding!.level, 'fail');
  assert.match(finding!.text, /does not answer/);
});

test('MX: ours by name, elsewhere, missing, not known', async (t) => {
  const { policy } = await make(t);
  const mx = (exchange: string): FakeEntry => ({ mx: [{ preference: 10, exchange }] });
  const cases: [Record<string, FakeEntry>, string][] = [
    [{ 'us.test': mx('mx.us.test') }, 'ok'],
    [{ 'us.test': mx('mx.them.test'), 'mx.them.test': { a: ['192.0.2.1'] } }, 'warn'],
    [{ 'us.test': {} }, 'warn'],
    [{ 'us.test': { failures: { MX: 'timeout' } } }, 'unknown'],
  ];
  for (const [zone, level] of cases) {
    assert.equal(levels(await checkMx(policy, createFakeResolver(zone))), level);
  }
});

const status = {
  version: '0.1.0',
  hostName: 'mx.us.test',
  processId: 1,
  startedAt: '2026-11-22T00:00:00.000Z',
  policyRevision: '',
  configRevision: '',
  configLoadedAt: '2026-11-22T00:00:00.000Z',
  warnings: [],
  lastRefusedReload: null,
  configFile: null,
  dataFolder: '/data',
  defaultSender: null,
  listeners: [],
  queue: { queued: 0, held: 0 },
};

test('gateway and queue: not there, another policy, old and held mail', async (t) => {
  const { policy } = await make(t);
  assert.equal(levels(checkGateway(null, policy)), 'warn');
  const gateway = {
    status: { ...status, policyRevision: policy.revision },
    oldestReceivedAt: null,
  };
  assert.equal(levels(checkGateway(gateway, policy)), 'ok');
  assert.equal(levels(checkGateway({ ...gateway, status }, policy)), 'ok warn');
  const now = Date.parse('2026-11-22T10:00:00.000Z');
  assert.equal(levels(checkQueue(gateway, now)), 'ok');
  const old = {
    status: { ...status, queue: { queued: 3, held: 1 } },
    oldestReceivedAt: '2026-11-22T01:00:00.000Z',
  };
  assert.equal(levels(checkQueue(old, now)), 'warn warn');
});

function probed(fields: Partial<ProbedAddress>): ProbedAddress {
  return {
    hostName: '127.0.0.1',
    preference: null,
    address: '127.0.0.1',
    port: 25,
    protocol: 'smtp',
    mode: 'starttls',
    steps: [],
    problem: null,
    evidence: null,
    keyTypes: [],
    versions: [],
    settings: [],
    ...fields,
  };
}

test('a listener that cannot be reached, or has no TLS, is a failure', () => {
  const evidence = {
    formatVersion: 1,
    connectionId: 'c',
    observedAt: '',
    role: 'client',
    peer: { address: '127.0.0.1', port: 25, hostName: null },
    encryption: 'not-offered',
    failure: null,
    tls: null,
  } as const;
  assert.equal(levels(judgeListener('mx', null, 'mx.us.test')), 'fail');
  const refused = probed({ problem: 'Connection refused' });
  assert.match(judgeListener('mx', refused, 'mx.us.test')[0]!.text, /Connection refused/);
  assert.equal(levels(judgeListener('mx', probed({ evidence }), 'mx.us.test')), 'fail');
});

test('the whole: a good configuration, one that is refused, and certificates that end', async (t) => {
  const server = await startLoopbackServer(fakeZone({ 'us.test': {} }));
  t.after(() => server.close());
  const dns = `127.0.0.1:${server.port}`;
  const areas: string[] = [];
  const { file } = await make(t, 90, dns);
  const findings = await examine({ configFile: file, gateway: null }, (area) => areas.push(area));
  assert.deepEqual(
    findings.filter(({ level }) => level === 'fail'),
    [],
  );
  assert.equal(areas.length, 13);
  const certificate = (found: readonly Finding[]): string =>
    levels(found.filter(({ area }) => area === 'certificate'));
  assert.equal(certificate(findings), 'ok');
  for (const [days, level] of [
    [20, 'warn'],
    [0.5, 'fail'],
  ] as const) {
    const ending = await make(t, days, dns);
    const found = await examine({ configFile: ending.file, gateway: null }, () => undefined);
    assert.equal(certificate(found), level);
  }
  await writeFile(file, text.replace('hostName', 'hostNam'));
  const refused = await examine({ configFile: file, gateway: null }, () => undefined);
  const [first] = refused;
  assert.deepEqual([first!.area, first!.level], ['configuration', 'fail']);
  // The subject is the place; the text does not name the file again.
  assert.equal(first!.subject, `${file}:1:1`);
  assert.match(first!.text, /^hostName: is missing/);
  assert.ok(refused.every((each) => !each.text.includes(file)));
  assert.match(refused.map((each) => each.text).join('\n'), /did you mean "hostName"/);
});

test('findings have an area, and a way out where something is wrong', () => {
  const say = tell('disk', 'x');
  assert.equal(say.fail('a', 'b').whatToDo, 'b');
  assert.equal(say.ok('a').whatToDo, null);
});
