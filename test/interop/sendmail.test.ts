/** Programs that call sendmail, mailq and postqueue reach a started gateway by links of these names. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { mainFile, runProgram, startGateway } from '../support/gateway.ts';
import type { CommandResult, RunningGateway } from '../support/gateway.ts';
import { gatewaySetup } from '../support/gateway-config.ts';
import { freePort, waitFor } from '../support/ports.ts';

const noMailx = await whyMissing(['mail', '-V'], 'bsd-mailx', /mailx|invalid option/);
const noGit = await whyMissing(
  ['perl', '-MMail::Address', '-e', 'exec qw(git send-email -h)'],
  'git-email libmailtools-perl',
  /sendmail-cmd/,
);

let gateway: RunningGateway;
let links: string;

before(async () => {
  links = await mkdtemp(join(tmpdir(), 'postern-links-'));
  for (const name of ['sendmail', 'mailq', 'postqueue', 'postsuper']) {
    await symlink(mainFile, join(links, name));
  }
  const peerPort = await freePort();
  gateway = await startGateway(
    await gatewaySetup({
      peerPorts: [peerPort],
      organization: {
        aliases: [{ address: 'root@example.test', to: 'user@example.test' }],
        outboundConnectors: [
          { name: 'to nobody', recipientDomains: '*', smartHosts: `127.0.0.1:${peerPort}` },
        ],
      },
    }),
  );
});
after(async () => {
  await gateway?.remove();
  await rm(links, { recursive: true, force: true });
});

async function whyMissing(words: string[], what: string, sign: RegExp): Promise<string | null> {
  const { stdout, stderr } = await runProgram(words);
  return sign.test(stdout + stderr) ? null : `it is missing: apt-get install ${what}`;
}

/** With the surroundings of a cron job: no more than it gives. */
function call(words: readonly string[], input: string | Buffer = ''): Promise<CommandResult> {
  const surroundings = [
    `PATH=${dirname(process.execPath)}:/usr/bin:/bin`,
    `HOME=${links}`,
    `POSTERN_CONFIG=${gateway.configFile}`,
    `MAILRC=${join(links, 'mailrc')}`,
    'LOGNAME=root',
    'LC_ALL=C.UTF-8',
  ];
  return runProgram(['env', '-i', ...surroundings, ...words], { cwd: '/', input });
}

const linked = (name: string, ...words: readonly string[]): string[] => [
  join(links, name),
  ...words,
];

/** The mail with this subject in the user's mailbox. */
function findMail(subject: string): Promise<string> {
  return waitFor(`${subject} in the mailbox`, async () => {
    const messages = await gateway.mailbox('user');
    const found = messages.find((message) => message.includes(`Subject: ${subject}\r\n`));
    return found?.toString('utf8') ?? null;
  });
}

test("cron's call brings the output of a job of root to who reads root's mail", async () => {
  const job = [
    'From: root (Cron Daemon)',
    'To: root',
    'Subject: Cron <root@host> /usr/local/bin/backup',
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=UTF-8',
    'Content-Transfer-Encoding: 8bit',
    'Auto-Submitted: auto-generated',
    '',
    'gesichert: Köln',
    '.',
    'noch eine Zeile',
    '',
  ].join('\n');
  const words = linked('sendmail', '-FCronDaemon', '-i', '-B8BITMIME', '-oem', 'root');
  const sent = await call(words, job);
  assert.deepEqual([sent.code, sent.stdout, sent.stderr], [0, '', '']);
  const message = await findMail('Cron <root@host> /usr/local/bin/backup');
  assert.match(message, /^Return-Path: <root@example\.test>\r\n/m);
  assert.match(message, /^Message-ID: </im);
  assert.match(message, /\r\n\r\ngesichert: Köln\r\n\.\r\nnoch eine Zeile\r\n$/);
});

test("PHP's call takes recipients from the header; Bcc gets it and is not named", async () => {
  const text = [
    'To: nobody@example.test',
    'Subject: from php',
    'X-PHP-Originating-Script: 0:form.php',
    'From: shop@example.test',
    'Bcc: user@example.test',
    '',
    'an order',
    '',
  ].join('\r\n');
  const refused = await call(linked('sendmail', '-t', '-i'), text);
  assert.equal(refused.code, 65);
  assert.match(refused.stderr, /nobody@example\.test/);
  const sent = await call(
    linked('sendmail', '-t', '-i'),
    text.replace('nobody@', 'root@').replaceAll('\r\n', '\n'),
  );
  assert.deepEqual([sent.code, sent.stderr], [0, '']);
  const message = await findMail('from php');
  assert.match(message, /^From: shop@example\.test\r$/m);
  assert.doesNotMatch(message, /^bcc:/im);
});

test('-t with a name alone is mail to that name here, as on the command line', async () => {
  const text = 'To: root\nSubject: from a script\n\nx\n';
  const sent = await call(linked('sendmail', '-t', '-oi'), text);
  assert.deepEqual([sent.code, sent.stderr], [0, '']);
  const message = await findMail('from a script');
  assert.match(message, /^To: root\r$/m);
});

test('mail(1) of Debian sends by it', { skip: noMailx ?? false }, async () => {
  await writeFile(join(links, 'mailrc'), `set sendmail=${join(links, 'sendmail')}\n`);
  const sent = await call(['mail', '-s', 'from mailx', 'user@example.test'], 'a note\n.x\n');
  assert.equal(sent.code, 0, sent.stderr);
  const message = await findMail('from mailx');
  assert.match(message, /^To: user@example\.test\r$/m);
  assert.match(message, /\r\n\r\na note\r\n\.x\r\n$/);
});

test('git send-email sends a patch by it', { skip: noGit ?? false }, async () => {
  const folder = join(links, 'patches');
  await mkdir(folder);
  const patch = join(folder, '0001-x.patch');
  const text = [
    'From 0123456789012345678901234567890123456789 Mon Sep 17 00:00:00 2001',
    'From: Ada <user@example.test>',
    'Date: Sun, 22 Nov 2026 10:00:00 +0000',
    'Subject: [PATCH] a change',
    '',
    'From here on it is better.',
    '---',
    ' x | 1 +',
    '',
  ];
  await writeFile(patch, text.join('\n'));
  const sent = await call([
    'env',
    'GIT_COMMITTER_NAME=Ada',
    'GIT_AUTHOR_NAME=Ada',
    'GIT_AUTHOR_EMAIL=user@example.test',
    'GIT_COMMITTER_EMAIL=user@example.test',
    'git',
    'send-email',
    `--sendmail-cmd=${join(links, 'sendmail')}`,
    '--from=Ada <user@example.test>',
    '--to=user@example.test',
    '--confirm=never',
    '--suppress-cc=all',
    patch,
  ]);
  assert.equal(sent.code, 0, sent.stderr + sent.stdout);
  assert.match(await findMail('[PATCH] a change'), /\r\nFrom here on it is better\.\r\n/);
});

test('mailq and postqueue show what waits and try it again', async () => {
  assert.equal((await call(linked('mailq'))).stdout, 'Mail queue is empty\n');
  const text = 'Subject: waits\n\nx\n';
  const words = linked('sendmail', '-f', 'user@example.test', 'doctor@partner.test');
  assert.equal((await call(words, text)).code, 0);
  const [{ id } = assert.fail('nothing is queued')] = await gateway.queue();
  const first = await gateway.waitForRow(id);
  for (const words of [linked('mailq'), linked('postqueue', '-p'), linked('sendmail', '-bp')]) {
    const { code, stdout } = await call(words);
    assert.equal(code, 0);
    assert.match(stdout, new RegExp(`^-Queue ID-.*\n${id} .*user@example\\.test\n`));
    assert.match(stdout, / +doctor@partner\.test\n\n?-- 1 Kbytes in 1 Request\.\n$/);
  }
  const json = await call(linked('postqueue', '-j'));
  const { recipients, ...rest } = JSON.parse(json.stdout) as Record<string, unknown>;
  assert.deepEqual([rest['queue_id'], rest['queue_name']], [id, 'deferred']);
  assert.match(JSON.stringify(recipients), /"address":"doctor@partner\.test","delay_reason":"/);
  let { attempts } = first;
  for (const words of [linked('postqueue', '-i', id), linked('postqueue', '-f')]) {
    assert.equal((await call(words)).code, 0);
    const before = attempts;
    ({ attempts } = await gateway.waitForRow(id, (row) => row.attempts > before));
  }
  assert.equal((await call(linked('postqueue', '-i', '000000000000'))).code, 66);
  assert.equal((await call(linked('postsuper', '-d', id))).code, 0);
  await gateway.waitUntilGone(id);
});

test('what is not there is refused as a wrong call', async () => {
  for (const words of [['-bs'], ['-bd'], ['-q30m'], []]) {
    const { code, stderr } = await call(linked('sendmail', ...words), 'x');
    assert.equal(code, 64, words.join(' '));
    assert.match(stderr, /^postern: .+\n {2}.+\n$/);
  }
});

// Last: it ends the gateway.
test('while the gateway is down every one of them exits with 75 and says that nothing was kept', async () => {
  await gateway.stop();
  const calls = [
    linked('sendmail', '-i', 'user@example.test'),
    linked('mailq'),
    linked('postqueue', '-p'),
  ];
  for (const words of calls) {
    const { code, stdout, stderr } = await call(words, 'Subject: x\n\nx\n');
    assert.deepEqual([code, stdout], [75, '']);
    assert.match(stderr, /no gateway answers on .*api\.sock\n.*nothing was kept/);
  }
});
