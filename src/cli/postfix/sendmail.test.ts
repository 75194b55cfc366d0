import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import * as fc from 'fast-check';
import type { Submission } from '../../api/contract.ts';
import { run, startFakeGateway } from '../../../test/support/command-line.ts';
import { parseSendmail } from './sendmail-arguments.ts';
import { toMessage } from './sendmail-message.ts';

const message = (text: string, ignoresDots = false): string =>
  toMessage(Buffer.from(text, 'latin1'), ignoresDots).toString('latin1');

test('the command lines of PHP, cron and mail(1) are understood', () => {
  const php = parseSendmail(['-t', '-i', '-fwww@example.test']);
  assert.deepEqual(
    [php.readsRecipients, php.ignoresDots, php.sender],
    [true, true, 'www@example.test'],
  );
  const cron = parseSendmail(['-i', '-FCronDaemon', '-B8BITMIME', '-oem', 'root']);
  assert.deepEqual([cron.fullName, cron.recipients], ['CronDaemon', ['root']]);
  const mail = parseSendmail(['-oi', '-r', 'a@b.test', '--', '-x@c.test', 'd@e.test']);
  assert.deepEqual([mail.ignoresDots, mail.sender], [true, 'a@b.test']);
  assert.deepEqual(mail.recipients, ['-x@c.test', 'd@e.test']);
  assert.equal(parseSendmail(['-ti']).ignoresDots, true);
  assert.equal(parseSendmail(['-bp']).mode, 'list');
  const dsn = parseSendmail(['-N', 'failure,delay', '-Rhdrs', '-V', 'id-1', 'x@y.test']);
  assert.deepEqual(
    [dsn.notify, dsn.ret, dsn.envelopeId],
    [['failure', 'delay'], 'headers', 'id-1'],
  );
  assert.deepEqual(parseSendmail(['-Nnever', 'x']).notify, []);
  for (const argv of [['-f'], ['-Z'], ['-bs'], ['-bd'], ['-q30m'], ['-Nsometimes', 'x']]) {
    assert.throws(() => parseSendmail(argv), { code: 'option-wrong' }, argv.join(' '));
  }
});

test('every line ends in CR LF, a dot alone ends the message unless -i', () => {
  assert.equal(message('Subject: x\n\nhi\n.\nmore\n'), 'Subject: x\r\n\r\nhi\r\n');
  assert.equal(message('Subject: x\n\nhi\n.\nmore', true), 'Subject: x\r\n\r\nhi\r\n.\r\nmore\r\n');
  assert.equal(message('A: 1\r\n\r\nold\rmac\r\n'), 'A: 1\r\n\r\nold\r\nmac\r\n');
  assert.equal(message('From x Sun Nov 22\nA: 1\n\nb\n'), 'A: 1\r\n\r\nb\r\n');
  assert.equal(message('A: 1\n folded\n'), 'A: 1\r\n folded\r\n\r\n');
  assert.equal(
    message('A: 1\ntext: no wait\nplain text\nb\n'),
    'A: 1\r\ntext: no wait\r\n\r\nplain text\r\nb\r\n',
  );
  assert.equal(message('just text\n'), '\r\njust text\r\n');
  assert.equal(message(''), '\r\n');
  const bytes = fc.uint8Array({ maxLength: 200 });
  fc.assert(
    fc.property(bytes, fc.boolean(), (input, ignoresDots) => {
      const text = toMessage(Buffer.from(input), ignoresDots).toString('latin1');
      assert.doesNotMatch(text, /\r(?!\n)|(?<!\r)\n/);
      assert.ok(text.endsWith('\r\n'));
    }),
  );
});

async function sendmail(t: TestContext, argv: readonly string[], input: string, env = {}) {
  const submitted: Submission[] = [];
  const { folder } = await startFakeGateway(t, {
    submit: async (each) => {
      submitted.push(each);
      return { id: '06X9T5K1G000' };
    },
  });
  const io = { workingFolder: folder, startedAs: '/usr/sbin/sendmail', env };
  const result = await run(argv, { io, input });
  const [first] = submitted;
  const content =
    first === undefined ? '' : Buffer.from(first.content, 'base64').toString('latin1');
  return { ...result, first, content };
}

test('-t leaves the recipients to the gateway, names without a domain get ours', async (t) => {
  const text = 'To: a@b.test\nBcc: c@d.test\nSubject: \xfc\n\n\xe9\n';
  const php = await sendmail(t, ['-t', '-i', '-f', 'www'], text);
  assert.equal(php.code, 0);
  assert.equal(php.stdout + php.stderr, '');
  assert.deepEqual(
    [php.first?.from, php.first?.to, php.first?.recipientsFromHeader, php.first?.defaultDomain],
    ['www@example.test', [], true, 'example.test'],
  );
  const cron = await sendmail(t, ['-FCron "D"', 'root', '<x@y.test>'], 'To: root\n\nx\n', {
    POSTERN_ORIGIN: 'host.example.test',
  });
  assert.deepEqual(cron.first?.to, ['root@host.example.test', 'x@y.test']);
  assert.equal(cron.first?.defaultDomain, undefined);
  const origin = { POSTERN_ORIGIN: 'Host.Example.Test' };
  const named = await sendmail(t, ['-t'], 'To: root\n\nx\n', origin);
  assert.equal(named.first?.defaultDomain, 'host.example.test');
  const wrong = await sendmail(t, ['-t'], 'To: root\n\nx\n', { POSTERN_ORIGIN: 'a b' });
  assert.equal(wrong.code, 65);
  assert.match(wrong.stderr, /POSTERN_ORIGIN: "a b" is not a domain/);
  assert.match(
    cron.content,
    /^From: "Cron \\"D\\"" <.+@host\.example\.test>\r\nTo: root\r\n\r\nx\r\n$/,
  );
});

test('exit codes: nobody named 64, no address 65, gateway down 75 with a clear word', async (t) => {
  assert.equal((await sendmail(t, [], 'x')).code, 64);
  assert.equal((await sendmail(t, ['a b@@'], 'x')).code, 65);
  const io = { workingFolder: '/nonexistent', startedAs: '/usr/lib/sendmail' };
  const down = await run(['a@b.test'], { io, input: 'x' });
  assert.equal(down.code, 75);
  assert.match(down.stderr, /no gateway answers.*\n.*nothing was kept here/);
});

test('mailq and postqueue show the queue in the shape of Postfix', async (t) => {
  const { folder } = await startFakeGateway(t);
  const as = (startedAs: string, ...argv: string[]) =>
    run(argv, { io: { workingFolder: folder, startedAs } });
  const mailq = await as('/x/postern-mailq');
  assert.match(
    mailq.stdout,
    /^-Queue ID- {2}--Size-- ----Arrival Time---- -Sender\/Recipient-{7}\n/,
  );
  assert.match(
    mailq.stdout,
    /^06X9T5K1H000! {3}4096 Sun Nov 22 \d\d:00:00 {2}user@example\.test\n +\(STARTTLS was not offered\)\n {41}nurse@fabrikam\.com$/m,
  );
  assert.match(mailq.stdout, /\n-- 8 Kbytes in 2 Requests\.\n$/);
  assert.equal((await as('/x/postqueue', '-p')).stdout, mailq.stdout);
  assert.equal((await as('/x/sendmail', '-bp')).stdout, mailq.stdout);
  const [line = ''] = (await as('/x/postqueue', '-j')).stdout.split('\n');
  assert.equal(JSON.parse(line).recipients[0].address, 'doctor@contoso.com');
  assert.equal((await as('/x/postqueue')).code, 64);
  assert.equal((await as('/x/postqueue', '-f')).code, 0);
});

test('postqueue and postsuper order what they say', async (t) => {
  const orders: unknown[] = [];
  const { folder } = await startFakeGateway(t, {
    orderQueue: async ({ action, match, all }) => {
      orders.push([action, match, all]);
      return { changed: 1, pending: 0, unfit: 0, withheld: [], rows: [], next: null };
    },
  });
  const as = (startedAs: string, ...argv: string[]) =>
    run(argv, { io: { workingFolder: folder, startedAs } });
  const id = '06X9T5K1G000';
  for (const argv of [
    ['postqueue', '-i', id],
    ['postqueue', '-s', 'contoso.com'],
    ['postsuper', '-d', id],
    ['postsuper', '-h', 'ALL'],
    ['postsuper', '-H', id],
    ['sendmail', '-q'],
  ]) {
    assert.equal((await as(...(argv as [string]))).code, 0, argv.join(' '));
  }
  assert.deepEqual(orders, [
    ['retry', { id }, true],
    ['retry', { domain: 'contoso.com' }, true],
    ['delete', { id }, true],
    ['hold', {}, true],
    ['release', { id }, true],
    ['retry', {}, true],
  ]);
});
