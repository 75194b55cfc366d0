import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ExplainQuestion } from '../../api/contract.ts';
import { explainMail } from '../../api/explain.ts';
import { readSupposedHeader as readHeader } from '../../app/explain-header.ts';
import { loadConfig } from '../../config/load.ts';
import type { Policy } from '../../policy/policy.ts';
import { partnerConfig } from '../../../test/support/sample-config.ts';
import { makeFolder, nowMs, run, startFakeGateway } from '../../../test/support/command-line.ts';

const examineCertificate = async () => {
  throw new Error('no certificate expected');
};
const explain = (policy: Policy, question: ExplainQuestion) =>
  explainMail(policy, question, { nowMs, examineCertificate, readHeader });

async function loadSample(folder: string): Promise<{ file: string; policy: Policy }> {
  const file = join(folder, 'postern.yaml');
  await writeFile(file, partnerConfig());
  const result = await loadConfig(file);
  assert.ok(result.kind === 'loaded', JSON.stringify(result));
  return { file, policy: result.policy };
}

const toPartner = ['explain', '--from', 'user@example.test', '--to', 'doctor@contoso.com'];
const fromPartner = ['explain', '--from', 'doctor@contoso.com', '--to', 'user@example.test'];

test('refuses a certificate that cannot be read, is none, or comes without TLS', async (t) => {
  const workingFolder = await makeFolder(t);
  await writeFile(join(workingFolder, 'text.pem'), 'hello');
  await writeFile(join(workingFolder, 'large.pem'), Buffer.alloc(200_000));
  await mkdir(join(workingFolder, 'folder.pem'));
  const pem = '-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n';
  await writeFile(join(workingFolder, 'good.pem'), pem);
  const cases: readonly [readonly string[], number, RegExp][] = [
    [['--client-cert', 'missing.pem'], 66, /cannot read .*missing\.pem: ENOENT/],
    [['--client-cert', 'text.pem'], 66, /holds no certificate in PEM/],
    [['--client-cert', 'large.pem'], 66, /too large/],
    [['--client-cert', 'folder.pem'], 66, /is not a file/],
    [['--client-cert', 'good.pem', '--tls', 'none'], 64, /exclude one another/],
  ];
  for (const [extra, code, text] of cases) {
    const result = await run([...fromPartner, ...extra], { io: { workingFolder } });
    assert.equal(result.code, code);
    assert.match(result.stderr, text);
  }
});

test('a broken configuration file is refused with its place', async (t) => {
  const workingFolder = await makeFolder(t);
  await writeFile(join(workingFolder, 'x.yaml'), 'hostName: 1\n');
  const result = await run([...toPartner, '--config', 'x.yaml'], { io: { workingFolder } });
  assert.equal(result.code, 78);
  assert.match(result.stderr, /x\.yaml:1:\d+: /);
});

test('outbound: names the connector, the clauses in words, and why the others lost', async (t) => {
  const workingFolder = await makeFolder(t);
  const { file } = await loadSample(workingFolder);
  const result = await run([...toPartner, '--config', file], {
    offline: { explain },
    io: { workingFolder },
  });
  assert.equal(result.code, 0, result.stderr);
  assert.ok(
    result.stdout.startsWith('From user@example.test to doctor@contoso.com, judged by the'),
  );
  assert.match(
    result.stdout,
    /Outbound: by connector "to contoso", to the MX hosts of contoso\.com/,
  );
  assert.match(
    result.stdout,
    /all of this must hold, or the mail waits:\n {4}encryption \(connector/,
  );
  assert.match(result.stdout, /TLS 1\.2 or newer/);
  assert.match(result.stdout, /a certificate for \*\.contoso\.com/);
  assert.match(result.stdout, /to fabrikam +lost +its recipient domains do not cover contoso\.com/);
});

test('inbound: tells the reply at RCPT and its reason, within the width of the terminal', async (t) => {
  const workingFolder = await makeFolder(t);
  await loadSample(workingFolder);
  const result = await run([...fromPartner, '--tls', 'none', '--ip', '2001:db8::1'], {
    offline: { explain },
    io: { workingFolder, isTty: true, columns: 72 },
  });
  assert.equal(result.code, 0, result.stderr);
  assert.match(result.stdout, /Inbound: REFUSED/);
  assert.match(result.stdout, /session of 2001:db8::1 \(contoso\.com\) in clear/);
  assert.match(result.stdout, /answer at RCPT TO: 454 4\.7\.0/);
  assert.match(result.stdout, /revoked is not checked/);
  assert.ok(result.stdout.split('\n').every((line) => line.length <= 72));
});

test('asks the running gateway first, and hands it the certificate', async (t) => {
  const questions: ExplainQuestion[] = [];
  const sample = await loadSample(await makeFolder(t));
  const { folder } = await startFakeGateway(t, {
    explain: async (question) => {
      questions.push(question);
      return explain(sample.policy, { ...question, clientCertificate: null });
    },
  });
  const pem = '-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n';
  await writeFile(join(folder, 'partner.pem'), pem);
  const argv = [...fromPartner, '--client-cert', 'partner.pem', '--json'];
  const result = await run(argv, { io: { workingFolder: folder } });
  assert.equal(result.code, 0, result.stderr);
  const answer = JSON.parse(result.stdout) as { judge: string; direction: string };
  assert.equal(answer.judge, 'the running gateway');
  assert.equal(answer.direction, 'inbound');
  assert.equal(questions[0]?.clientCertificate, pem);
});

test('the null reverse-path is asked with <>', async (t) => {
  const workingFolder = await makeFolder(t);
  const { file } = await loadSample(workingFolder);
  const argv = ['explain', '--from', '<>', '--to', 'user@example.test', '--config', file];
  const result = await run([...argv, '--helo', 'mail.contoso.com'], { offline: { explain } });
  assert.equal(result.code, 0, result.stderr);
  assert.match(result.stdout, /^From <> to user@example\.test/);
  assert.match(result.stdout, /Inbound: REFUSED/);
});

test('what a certificate or a reply says cannot command the terminal', async (t) => {
  const sample = await loadSample(await makeFolder(t));
  const { folder } = await startFakeGateway(t, {
    explain: async (question) => {
      const answer = await explain(sample.policy, question);
      assert.ok(answer.inbound !== null);
      return { ...answer, inbound: { ...answer.inbound, reply: '550 \u001b[2J\u202e' } };
    },
  });
  const argv = [...fromPartner, '--tls', 'none'];
  const result = await run(argv, { io: { workingFolder: folder } });
  assert.match(result.stdout, /answer at RCPT TO: 550 \?\[2J\?/);
  assert.ok(!result.stdout.includes('\u001b'));
});

test('header fields and size reach the gateway; what is none is refused with the option', async (t) => {
  const questions: ExplainQuestion[] = [];
  const sample = await loadSample(await makeFolder(t));
  const { folder } = await startFakeGateway(t, {
    explain: async (question) => {
      questions.push(question);
      return explain(sample.policy, question);
    },
  });
  const io = { workingFolder: folder };
  const fields = ['--header', 'Subject: x', '--header', 'X-Label: y'];
  const result = await run([...toPartner, ...fields, '--size', '2000'], { io });
  assert.equal(result.code, 0, result.stderr);
  assert.deepEqual(questions[0]?.headers, ['Subject: x', 'X-Label: y']);
  assert.equal(questions[0]?.sizeBytes, 2000);
  const wrong: readonly [readonly string[], RegExp][] = [
    [['--header', 'Subject'], /--header: "Subject" is not a header field on one line/],
    [['--header', 'A: b', '--header', ''], /--header: "" is not/],
    [Array.from({ length: 65 }, () => ['--header', 'A: b']).flat(), /at most 64/],
    [['--size', '20 KB'], /--size: "20 KB" is not a number of bytes/],
    [['--size', ''], /--size: "" is not/],
    [['--size', '-1'], /--size/],
  ];
  for (const [extra, text] of wrong) {
    const refused = await run([...toPartner, ...extra], { io });
    assert.equal(refused.code, 64, String(extra));
    assert.match(refused.stderr, text);
  }
  assert.equal(questions.length, 1);
});
