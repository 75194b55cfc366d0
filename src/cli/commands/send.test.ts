import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { sampleStatus, sampleTrace } from '../../../test/support/api-services.ts';
import type { Submission } from '../../api/contract.ts';
import { readInput } from '../read-input.ts';
import { nowMs, run, startFakeGateway } from '../../../test/support/command-line.ts';

const id = '06X9T5K1G000';

test('refuses to send without a sender when the gateway has no mailbox', async (t) => {
  const status = async () => ({ ...sampleStatus, defaultSender: null });
  const { socketPath } = await startFakeGateway(t, { status });
  const result = await run(['send', '--to', 'a@b.test', '--socket', socketPath]);
  assert.equal(result.code, 64);
  assert.match(result.stderr, /no mailbox that could be the sender\n {2}Say who sends with --from/);
});

test('an input that never ends is given up, a too large one refused', async () => {
  await assert.rejects(readInput(new PassThrough(), 10), { code: 'input-silent' });
  const endless = new PassThrough();
  const refused = assert.rejects(readInput(endless, 5000), { code: 'input-too-large' });
  endless.write(Buffer.alloc(17 * 1024 * 1024));
  await refused;
});

test('hands the message over and prints the id and the trace command', async (t) => {
  const submissions: Submission[] = [];
  const { folder, socketPath } = await startFakeGateway(t, {
    submit: async (message) => {
      submissions.push(message);
      return { id };
    },
  });
  const io = { workingFolder: folder };
  const first = await run(['send', '--to', 'a@b.test,c@d.test', '--to', 'E@F.test'], { io });
  assert.deepEqual(first, {
    code: 0,
    stdout: `queued as ${id}\nwhat becomes of it: postern trace ${id}\n`,
    stderr: '',
  });
  assert.deepEqual(submissions[0]?.to, ['a@b.test', 'c@d.test', 'E@f.test']);
  assert.equal(submissions[0]?.from, 'user@example.test');
  const content = Buffer.from(submissions[0]?.content ?? '', 'base64').toString();
  assert.match(content, /^Message-ID: <[0-9a-f-]{36}@example\.test>\r$/m);
  assert.match(content, /^Date: Sun, 22 Nov 2026 10:02:00 \+0000\r$/m);

  const piped = await run(
    ['send', '--to', 'a@b.test', '--from', 'x@y.test', '--subject', 'S', '--socket', socketPath],
    { input: 'line 1\nline 2' },
  );
  assert.ok(piped.stdout.endsWith(`postern trace ${id} --socket ${socketPath}\n`));
  const body = Buffer.from(submissions[1]?.content ?? '', 'base64').toString();
  assert.match(body, /^Subject: S\r$/m);
  assert.ok(body.endsWith('\r\n\r\nline 1\r\nline 2\r\n'));

  const json = await run(['send', '--to', 'a@b.test', '--body', 'B', '--json'], { io });
  const answer = JSON.parse(json.stdout) as Record<string, unknown>;
  assert.deepEqual([answer['id'], answer['traceCommand']], [id, `postern trace ${id}`]);
});

test('--wait ends with the outcome, and its exit code says which', async (t) => {
  const kinds = [
    ['delivered', 0],
    ['bounced', 69],
    ['held', 75],
  ] as const;
  for (const [kind, code] of kinds) {
    let reads = 0;
    const { folder } = await startFakeGateway(t, {
      readTrace: async () => {
        reads++;
        if (reads === 1) return null;
        return sampleTrace(id, reads === 2 ? null : reads === 3 ? 'deferred' : kind);
      },
    });
    const result = await run(['send', '--to', 'a@b.test', '--wait'], {
      io: { workingFolder: folder },
    });
    assert.equal(result.code, code);
    assert.equal(reads, 4);
    assert.match(result.stdout, new RegExp(`doctor@contoso\\.com +${kind}`));
  }
});

test('--wait gives up after its time with 75', async (t) => {
  const { folder } = await startFakeGateway(t, { readTrace: async () => sampleTrace(id) });
  let clockMs = nowMs;
  const result = await run(['send', '--to', 'a@b.test', '--wait', '--timeout', '2'], {
    io: {
      workingFolder: folder,
      nowMs: () => clockMs,
      wait: async (ms) => void (clockMs += ms),
    },
  });
  assert.equal(result.code, 75);
  assert.match(result.stdout, /doctor@contoso\.com +queued/);
  assert.equal(clockMs, nowMs + 2000);
});
