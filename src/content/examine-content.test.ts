import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { test } from 'node:test';
import type { Content } from '../mail/content.ts';
import type { ContentQuestion } from '../policy/rules/rule-message.ts';
import { ContentExaminer } from './examine-content.ts';

const secret: ContentQuestion = { key: 's', kind: 'body-contains-words', words: ['secret'] };
const open: ContentQuestion = { key: 'o', kind: 'body-contains-words', words: ['open'] };
const memory = (text: string): Content => ({ kind: 'memory', bytes: Buffer.from(text) });

async function withFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'postern-facts-'));
  try {
    await work(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

test('answers by key, from memory and from a spool file, and leaves the bytes as they are', async () => {
  await withFolder(async (folder) => {
    const examiner = new ContentExaminer();
    const text = 'Subject: x\r\n\r\nsecret\r\n';
    const content = memory(text);
    const facts = await examiner.examine(content, [secret, open]);
    assert.deepEqual(
      [...facts],
      [
        ['s', { kind: 'yes' }],
        ['o', { kind: 'no' }],
      ],
    );
    assert.ok(content.kind === 'memory' && content.bytes.toString() === text);
    const path = join(folder, 'a.msg');
    await writeFile(path, `HEAD${text}`);
    const spooled: Content = { kind: 'spool', path, offset: 4, sizeBytes: text.length };
    assert.deepEqual((await examiner.examine(spooled, [secret])).get('s'), { kind: 'yes' });
    await examiner.close();
  });
});

test('asks nobody where nothing is asked', async () => {
  const examiner = new ContentExaminer({ workerUrl: new URL('file:///nowhere.ts') });
  assert.equal((await examiner.examine(memory('x'), [])).size, 0);
});

test('a spool file that is gone is unknown, and the next content is read', async () => {
  const troubles: string[] = [];
  const examiner = new ContentExaminer({ onTrouble: (text) => troubles.push(text) });
  const gone: Content = { kind: 'spool', path: '/nowhere/a.msg', offset: 0, sizeBytes: 9 };
  assert.equal((await examiner.examine(gone, [secret])).get('s')!.kind, 'unknown');
  assert.match(troubles[0]!, /ENOENT/);
  assert.deepEqual((await examiner.examine(memory('\r\nsecret'), [secret])).get('s'), {
    kind: 'yes',
  });
  await examiner.close();
});

/** A thread that says it is ready and then does as told. */
async function fakeWorker(folder: string, onJob: string): Promise<URL> {
  const path = join(folder, `${onJob.length}.mjs`);
  const code = `import { parentPort as port } from 'node:worker_threads';
port.on('message', (job) => { ${onJob} });
port.postMessage({ id: 0, answers: [] });`;
  await writeFile(path, code);
  return pathToFileURL(path);
}

test('a thread that hangs is ended in time, and started again for the next content', async () => {
  await withFolder(async (folder) => {
    const hangs =
      "if (job.id === 1) for (;;); port.postMessage({ id: job.id, answers: [{ kind: 'yes' }] });";
    const troubles: string[] = [];
    const examiner = new ContentExaminer({
      workerUrl: await fakeWorker(folder, hangs),
      limits: { jobMs: 200 },
      onTrouble: (text) => troubles.push(text),
    });
    const startedAt = performance.now();
    const [first, second] = await Promise.all([
      examiner.examine(memory('x'), [secret]),
      examiner.examine(memory('y'), [secret]),
    ]);
    assert.deepEqual(first.get('s'), {
      kind: 'unknown',
      reason: 'it took too long to read',
      isPassing: true,
    });
    assert.deepEqual(second.get('s'), { kind: 'yes' });
    assert.ok(performance.now() - startedAt < 5000);
    assert.equal(troubles.length, 1);
    await examiner.close();
  });
});

test('a thread that dies leaves its content unknown and the others served', async () => {
  await withFolder(async (folder) => {
    const dies =
      "if (job.id === 1) throw new Error('bang'); port.postMessage({ id: job.id, answers: [{ kind: 'no' }] });";
    const examiner = new ContentExaminer({ workerUrl: await fakeWorker(folder, dies) });
    const [first, second] = await Promise.all([
      examiner.examine(memory('x'), [secret]),
      examiner.examine(memory('y'), [secret]),
    ]);
    assert.match(JSON.stringify(first.get('s')), /it died: bang/);
    assert.deepEqual(second.get('s'), { kind: 'no' });
    await examiner.close();
  });
});

test('a thread that cannot start leaves every content unknown at once', async () => {
  const examiner = new ContentExaminer({ workerUrl: new URL('file:///nowhere/worker.mjs') });
  const all = await Promise.all([1, 2, 3].map(() => examiner.examine(memory('x'), [secret])));
  for (const facts of all) assert.equal(facts.get('s')!.kind, 'unknown');
  await examiner.close();
});

test('more than may wait, and what waits too long, are unknown', async () => {
  await withFolder(async (folder) => {
    const examiner = new ContentExaminer({
      workerUrl: await fakeWorker(folder, '/* never answers */'),
      limits: { waitingMax: 2, waitMs: 1500, jobMs: 9000 },
    });
    const first = examiner.examine(memory('x'), [secret]);
    const others = await Promise.all([2, 3, 4].map(() => examiner.examine(memory('x'), [secret])));
    assert.match(JSON.stringify(others.map((facts) => facts.get('s'))), /too many messages wait/);
    assert.match(JSON.stringify(others.map((facts) => facts.get('s'))), /waited too long/);
    await examiner.close();
    assert.match(JSON.stringify((await first).get('s')), /stopping/);
    const late = await examiner.examine(memory('x'), [secret]);
    assert.match(JSON.stringify(late.get('s')), /stopping/);
  });
});

test('a large content is read to its end', async () => {
  const examiner = new ContentExaminer({ limits: { jobMs: 30_000 } });
  const part = `--b\r\nContent-Type: application/zip; name=a.zip\r\n\r\n${'--AAAA\r\n'.repeat(2_000_000)}`;
  const text = `Content-Type: multipart/mixed; boundary=b\r\n\r\n${part}--b\r\n\r\nsecret\r\n--b--\r\n`;
  const facts = await examiner.examine(memory(text), [secret, open]);
  assert.deepEqual(facts.get('s'), { kind: 'yes' });
  assert.deepEqual(facts.get('o'), { kind: 'no' });
  await examiner.close();
});
