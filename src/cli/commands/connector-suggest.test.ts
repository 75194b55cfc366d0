/** `connector suggest`: drafts with their evidence, what is missing elsewhere, and YAML that loads. */
import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { makeFolder, nowMs, run, startFakeGateway } from '../../../test/support/command-line.ts';
import {
  address,
  certificate,
  evidence,
  reached,
  tlsEvidence,
} from '../../../test/support/policy.ts';
import { writeRecordedMail } from '../../../test/support/recorded-folder.ts';
import type { Mail } from '../../../test/support/recorded-mail.ts';
import { minimalConfig } from '../../../test/support/sample-config.ts';
import { suggestionsSchema } from '../../api/contract/suggestions.ts';
import { foldersOf } from '../../app/data-folder.ts';
import { openRecords } from '../../app/offline-records.ts';
import { loadInForce } from '../../app/policy/load-file.ts';
import { PolicyBook } from '../../app/policy/policy-book.ts';
import { loadConfig, parseConfig } from '../../config/load.ts';
import { splitPolicy } from '../../config/split-policy.ts';
import type { Evidence } from '../../policy/evidence.ts';
import { openControl } from '../../store/control/control-file.ts';

const dayMs = 24 * 3600_000;
const long = { notBefore: '2000-01-01T00:00:00.000Z', notAfter: '2099-01-01T00:00:00.000Z' };

function server(name: string): Evidence {
  const chain = [certificate({ ...long, fingerprint256: name, dnsNames: [name] })];
  return evidence({ tls: tlsEvidence({ chain, paths: [reached(long)] }) });
}

const inClear = evidence({ encryption: 'not-offered', tls: null });

function sent(domain: string, shown: Evidence, day: number): Mail {
  return {
    session: {
      listener: 'submission',
      clientAddress: '203.0.113.9',
      heloName: 'client.test',
      evidence: evidence({ role: 'server' }),
      account: { organization: 'example', account: 'user' },
      reversePath: address('user@example.test'),
    },
    recipients: [address(`bob@${domain}`)],
    atMs: nowMs - day * dayMs - 3600_000,
    server: () => shown,
  };
}

const days = [9, 8, 7, 6, 5, 4, 3, 2, 1, 0];
const good = days.map((day) => sent('partner.test', server('mx.partner.test'), day));
const other = days.map((day) => sent('bank.test', server('mx.bank.test'), day));
const mails = [...good, ...other, sent('bank.test', inClear, 0)];

async function prepare(t: TestContext, recorded: readonly Mail[], config = minimalConfig()) {
  const folder = await makeFolder(t);
  await writeFile(join(folder, 'postern.yaml'), minimalConfig());
  const loaded = await loadConfig(join(folder, 'postern.yaml'));
  assert.ok(loaded.kind === 'loaded', JSON.stringify(loaded));
  await writeRecordedMail(join(folder, 'data'), loaded.policy, recorded);
  await writeFile(join(folder, 'postern.yaml'), config);
  return { workingFolder: folder };
}

const command = ['connector', 'suggest'];

test('a draft with the evidence, and what another domain is missing', async (t) => {
  const io = await prepare(t, mails);
  const { code, stdout, stderr } = await run(command, { io });
  assert.deepEqual([code, stderr], [0, '']);
  assert.match(stdout, /^21 messages of the last 30 days, the oldest record of 2026-11-13\n/);
  assert.match(stdout, /\n1 draft, each met by all mail of its domain:\n/);
  assert.match(
    stdout,
    /\nto partner\.test, of example \(connector "partner\.test"\)\n {2}mail +10 messages on 10 days, 2026-11-13 to 2026-11-22\n {2}names +mx\.partner\.test\n {2}hosts +mx\.partner\.test\n {2}TLS +TLS 1\.3\n {2}certificate +mx\.partner\.test, issued by CN=Test CA, until 2099-01-01\n/,
  );
  assert.match(
    stdout,
    /\nto bank\.test +example +11 +10\n +mx\.bank\.test: STARTTLS was not offered, 1 message \(\w{12}\)\n/,
  );
  assert.match(
    stdout,
    /Left out: 0 domains that a connector covers already\.\nNot even nearly: 0 /,
  );
  assert.match(stdout, /Judged is what was recorded/);
});

test('the YAML, put into the configuration, loads, and stops nothing of that mail', async (t) => {
  const io = await prepare(t, mails);
  const { code, stdout } = await run([...command, '--yaml'], { io });
  assert.equal(code, 0);
  assert.match(stdout, /^organizations:\n {2}- id: example\n {4}outboundConnectors:\n/);
  const lists = stdout.replace(/^organizations:\n {2}- id: example\n/, '');
  const candidate = `${minimalConfig()}${lists.replace('mode: observe', 'mode: enforce')}`;
  await writeFile(join(io.workingFolder, 'candidate.yaml'), candidate);
  const replayed = await run(['replay', '--config', 'candidate.yaml', '--days', '30'], { io });
  assert.equal(replayed.stderr, '');
  assert.match(replayed.stdout, /would have sent 10 messages to 1 partner another way/);
  assert.doesNotMatch(replayed.stdout, /stopped|refused|cannot be told/);
});

test('JSON is what the contract says', async (t) => {
  const io = await prepare(t, mails);
  const { stdout } = await run([...command, '--json', '--direction', 'outbound'], { io });
  const view = suggestionsSchema.parse(JSON.parse(stdout));
  assert.deepEqual(
    view.suggestions.map(({ domain }) => domain),
    ['partner.test'],
  );
  assert.deepEqual(
    view.near.map(({ domain, met }) => [domain, met]),
    [['bank.test', 10]],
  );
});

test('what the configuration covers is left out, also of a data folder alone', async (t) => {
  const covering = `${minimalConfig()}    outboundConnectors:
      - { name: own, recipientDomains: partner.test, enabled: false }
`;
  const io = await prepare(t, good, covering);
  const { stdout } = await run([...command, '--data', 'data'], { io });
  assert.match(stdout, /No domain is ready\.\n\nLeft out: 1 domain that/);
  const yaml = await run([...command, '--yaml'], { io });
  assert.match(yaml.stdout, /^# no domain is ready: .*\n\{\}\n$/);
});

test('a connector that only the control file keeps covers its domain, though no gateway runs', async (t) => {
  const fixed = minimalConfig().replace(/^(?:certificates|organizations):\n(?: .*\n)+/gm, '');
  const io = await prepare(t, good, fixed);
  const kept = `${minimalConfig()}    outboundConnectors:
      - { name: own, recipientDomains: partner.test, enabled: false }
`;
  const loaded = parseConfig(kept, 'postern.yaml');
  assert.ok(loaded.kind === 'loaded');
  const { control } = foldersOf(join(io.workingFolder, 'data'));
  await mkdir(dirname(control), { recursive: true });
  const file = openControl(control);
  new PolicyBook(file.policy).record(
    { objects: splitPolicy(loaded.raw), fileDigest: null },
    { author: 'ada', origin: 'change', reason: null },
  );
  file.close();
  for (const words of [[], ['--data', 'data']]) {
    const { stdout, stderr } = await run([...command, ...words], { io, offline: { loadInForce } });
    assert.match(stdout, /No domain is ready\.\n\nLeft out: 1 domain that/, stderr);
  }
});

test('where a gateway elsewhere is meant, the one here is not asked for its policy', async (t) => {
  let asked = 0;
  const { folder } = await startFakeGateway(t, {
    readConfig: async () => {
      asked++;
      throw new Error('asked');
    },
  });
  await writeFile(join(folder, 'postern.yaml'), minimalConfig());
  const io = { workingFolder: folder, env: { POSTERN_PROFILE: 'north', HOME: folder } };
  const { code, stdout, stderr } = await run(command, { io });
  assert.deepEqual([code, stdout, asked], [66, '', 0]);
  assert.match(stderr, /there is no profile "north"/);
});

test('of a running gateway the configuration in force counts, not the file', async (t) => {
  const io = await prepare(t, good);
  const covering = JSON.parse(
    JSON.stringify({
      hostName: 'gateway.example.test',
      listeners: [{ name: 'mx', host: '127.0.0.1', port: 2525, kind: 'mx' }],
      certificates: { own: { certificate: 'own.pem', key: 'own.key' } },
      serverCertificates: 'own',
      organizations: [
        {
          id: 'example',
          acceptedDomains: [{ domain: 'example.test' }],
          mailboxes: [
            {
              account: 'user',
              addresses: 'user@example.test',
              passwordHash: '(redacted by config print)',
            },
          ],
          outboundConnectors: [{ name: 'own', recipientDomains: 'partner.test' }],
        },
      ],
    }),
  ) as Record<string, unknown>;
  const records = await openRecords(join(io.workingFolder, 'data'));
  t.after(() => records.close());
  const { folder } = await startFakeGateway(t, {
    readRecords: (query) => records.readRecords(query),
    readConfig: async () => ({
      formatVersion: 1,
      file: '/etc/postern/postern.yaml',
      configRevision: '0123456789ab',
      policyRevision: '8c1f00d2',
      loadedAt: '2026-11-22T10:00:00.000Z',
      fileState: 'same',
      config: covering,
    }),
  });
  await writeFile(
    join(folder, 'postern.yaml'),
    await readFile(join(io.workingFolder, 'postern.yaml')),
  );
  const { stdout, stderr } = await run(command, { io: { workingFolder: folder } });
  assert.match(stdout, /Left out: 1 domain that/, stderr);
});

test('where nothing is recorded it says so, and options that make no sense are refused', async (t) => {
  const io = await prepare(t, []);
  const { code, stdout } = await run(command, { io });
  assert.equal(code, 0);
  assert.match(stdout, /^0 messages of the last 30 days\n\nNothing is recorded in this time\.\n$/);
  for (const wrong of [
    ['--min-messages', '0'],
    ['--min-days', 'x'],
    ['--direction', 'up'],
    ['--yaml', '--json'],
  ]) {
    assert.equal((await run([...command, ...wrong], { io })).code, 64, wrong.join(' '));
  }
});
