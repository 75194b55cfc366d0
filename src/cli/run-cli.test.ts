import assert from 'node:assert/strict';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import { Failure } from '../mail/failure.ts';
import { makeFolder, run, startFakeGateway } from '../../test/support/command-line.ts';

test('a wrong command line exits with 64, names what is wrong and where to read on', async () => {
  const cases: readonly [readonly string[], RegExp][] = [
    [['sned'], /^postern: unknown command 'sned'; did you mean send\?\n {2}Run `postern --help`/],
    [['queue', 'lst'], /did you mean list\?\n {2}Run `postern queue --help`/],
    [['send', '--too', 'x@y.test'], /unknown option '--too'; did you mean --to\?/],
    [['queue', 'list', '--sokcet', 'x'], /did you mean --socket\?\n {2}Run `postern queue list/],
    [['queue', 'list', '--state', 'lost'], /Allowed choices are queued, held/],
    [['queue', 'list', '--limit', '0'], /--limit: "0" is no whole number from 1 to 10000/],
    [['queue', 'list', '--domain', 'a b'], /--domain: "a b" is not a domain name/],
    [['queue', 'list', 'extra'], /too many arguments/],
    [['queue'], /Usage: postern queue/],
    [['queue', 'show'], /missing required argument 'id'/],
    [['trace', 'abc'], /"abc" is no queue id/],
    [['send'], /--to is needed/],
    [['send', '--to', 'nobody'], /--to: "nobody" is not a mail address/],
    [['send', '--to', 'a@b.test', '--from', 'x'], /--from: "x" is not a mail address/],
    [['send', '--to', 'a@b.test', '--timeout', 'soon'], /--timeout: "soon"/],
    [['explain', '--from', 'a@b.test'], /--to is needed/],
    [['explain', '--from', 'a', '--to', 'c@d.test'], /--from: "a" is not a mail address/],
    [
      ['explain', '--from', 'a@b.test', '--to', 'c@d.test', '--ip', '1.2.3'],
      /--ip: "1.2.3" is not an IP address/,
    ],
    [['\u001b[2Jevil'], /unknown command '\?\[2Jevil'/],
  ];
  for (const [argv, text] of cases) {
    const result = await run(argv);
    assert.equal(result.code, 64, argv.join(' '));
    assert.match(result.stderr, text);
    assert.equal(result.stdout, '');
  }
});

test('without a running gateway every online command exits with 69 and says how to start it', async (t) => {
  const folder = await makeFolder(t);
  const commands = [
    ['status'],
    ['queue', 'list'],
    ['trace', '06X9T5K1G000'],
    ['trace', '--to', 'a.test'],
    ['queue', 'show', '06X9T5K1G000'],
    ['queue', 'retry', '--all'],
    ['send', '--to', 'a@b.test'],
    ['explain', '--from', 'a@b.test', '--to', 'c@d.test'],
  ];
  for (const argv of commands) {
    const result = await run(argv, { io: { workingFolder: folder } });
    assert.equal(result.code, 69, argv.join(' '));
    const socket = join(folder, 'data', 'run', 'api.sock');
    assert.ok(result.stderr.includes(`no gateway answers on ${socket}`), result.stderr);
    assert.match(result.stderr, /postern serve/);
  }
});

test('a failure of an offline command keeps its room’s exit code and advice', async () => {
  const serve = async () => {
    throw new Failure('port-taken', 'port 25\u001b is taken');
  };
  const result = await run(['serve'], { offline: { serve } });
  assert.deepEqual(result, {
    code: 71,
    stdout: '',
    stderr: 'postern: port 25? is taken\n  Free the port.\n',
  });
});

test('each mistake of a refused configuration is on a line of its own, however many there are', async () => {
  const lines = Array.from({ length: 20 }, (_, i) => `postern.yaml:${i}:1: ${'x'.repeat(60)}`);
  const serve = async () => {
    throw new Failure('port-taken', lines.join('\n'));
  };
  const { stderr } = await run(['serve'], { offline: { serve } });
  assert.equal(stderr, `postern: ${lines.join('\n')}\n  Free the port.\n`);
});

test('a failure of the gateway keeps the exit code that the gateway gave', async (t) => {
  const { socketPath } = await startFakeGateway(t, {
    listQueue: async () => {
      throw new Failure('trace-unknown', 'gone \u001b[31m');
    },
  });
  const result = await run(['queue', 'list', '--socket', socketPath]);
  assert.equal(result.code, 66);
  assert.match(result.stderr, /^postern: gone \?\[31m\n {2}Look for the id/);
});

test('a defect exits with 70 and shows its place', async () => {
  const serve = async () => {
    throw new TypeError('x is not a function');
  };
  const result = await run(['serve'], { offline: { serve } });
  assert.equal(result.code, 70);
  assert.match(result.stderr, /defect of the program[^]*TypeError: x is not a function/);
});

test('a reader that goes away ends the command quietly', async () => {
  const stdout = new Writable({
    write: (_chunk, _encoding, done) => done(Object.assign(new Error('EPIPE'), { code: 'EPIPE' })),
  });
  const result = await run(['--help'], { io: { stdout } });
  assert.deepEqual(result, { code: 0, stdout: '', stderr: '' });
});

test('help and version go to standard output and exit with 0', async () => {
  for (const argv of [[], ['--help'], ['help', 'send'], ['send', '-h']]) {
    const result = await run(argv);
    assert.equal(result.code, 0);
    assert.match(result.stdout, /^Usage: postern/);
    assert.equal(result.stderr, '');
  }
  assert.equal((await run(['--version'])).stdout, '0.1.0\n');
  assert.match((await run(['version'])).stdout, /^postern 0\.1\.0 \(Node\.js \d/);
  assert.equal((JSON.parse((await run(['version', '--json'])).stdout) as object) !== null, true);
});

test('nothing is coloured, terminal or not', async (t) => {
  const { folder } = await startFakeGateway(t);
  for (const isTty of [true, false]) {
    for (const argv of [['queue', 'list'], ['status'], ['--help']]) {
      const result = await run(argv, { io: { workingFolder: folder, isTty, columns: 80 } });
      assert.equal(result.code, 0);
      assert.ok(!result.stdout.includes('\u001b'));
    }
  }
});
