import assert from 'node:assert/strict';
import test from 'node:test';
import * as fc from 'fast-check';
import { policy } from '../../test/support/policy.ts';
import { headerEnd } from '../content/header-block.ts';
import { FakeServices } from './fake-services.ts';
import { IncomingContent } from './incoming-content.ts';
import { MemoryBudget } from './memory-budget.ts';
import { headerBytesMax } from './settings.ts';

const prefix = Buffer.from('Received: x\r\n');

interface Taken {
  readonly text: string;
  readonly header: string;
  readonly kind: 'memory' | 'spool';
}

function open(memoryBytesMax: number, memory = new MemoryBudget(1e9)) {
  const services = new FakeServices(policy());
  const reservedBytes = 10;
  assert.equal(memory.tryReserve(reservedBytes), true);
  const headers: string[] = [];
  const content = new IncomingContent({
    editHeader: (header) => {
      headers.push(header.toString('latin1'));
      return [prefix, header];
    },
    memory,
    reservedBytes,
    memoryBytesMax,
    openSpool: () => services.openSpool('org'),
  });
  return { services, content, memory, headers };
}

async function take(text: string, size: number, memoryBytesMax: number): Promise<Taken> {
  const { services, content, memory, headers } = open(memoryBytesMax);
  const bytes = Buffer.from(text, 'latin1');
  for (let at = 0; at < bytes.length; at += size) {
    await content.push(Buffer.from(bytes.subarray(at, at + size)));
  }
  assert.equal(content.problem, null);
  content.closeHeader();
  const whole = await content.finish();
  content.handOver();
  assert.equal(memory.usedBytes, 0);
  assert.equal(headers.length, 1);
  return { text: services.textOf(whole), header: headers[0]!, kind: whole.kind };
}

void test('keeps every byte and finds the header, however the content is cut and kept', async () => {
  const piece = fc.constantFrom('\r\n', '\r', '\n', 'a: b', '\r\n\r\n', 'body', '.');
  await fc.assert(
    fc.asyncProperty(
      fc.array(piece, { maxLength: 20 }),
      fc.integer({ min: 1, max: 9 }),
      fc.constantFrom(0, 5, 20, 1000),
      async (pieces, size, memoryBytesMax) => {
        const text = pieces.join('');
        const taken = await take(text, size, memoryBytesMax);
        assert.equal(taken.text, `${prefix.toString()}${text}`);
        const end = headerEnd(Buffer.from(text, 'latin1'));
        assert.equal(taken.header, text.slice(0, end));
      },
    ),
    { numRuns: 500 },
  );
});

void test('stays in memory up to the limit, and not beyond', async () => {
  const text = `a: b\r\n\r\n${'x'.repeat(92)}`;
  assert.equal((await take(text, 7, 100)).kind, 'memory');
  assert.equal((await take(text, 7, 99)).kind, 'spool');
});

void test('content in memory is one buffer of its exact size', async () => {
  const { content } = open(1000);
  void content.push(Buffer.from('a: b\r\n'));
  void content.push(Buffer.from('\r\nbody'));
  const whole = await content.finish();
  assert.ok(whole.kind === 'memory');
  assert.equal(whole.bytes.buffer.byteLength, whole.bytes.length);
});

void test('a client that sends byte by byte costs no object per byte', async () => {
  const size = 100_000;
  const { text } = await take(`a: b\r\n\r\n${'x'.repeat(size)}`, 1, 1e6);
  assert.equal(text.length, prefix.length + 8 + size);
});

for (const memoryBytesMax of [100, 1e6]) {
  void test(`refuses a header above 256 KB and gives the memory back (${memoryBytesMax})`, async () => {
    const { content, memory, services } = open(memoryBytesMax);
    const line = Buffer.from(`X: ${'x'.repeat(1019)}\r\n`);
    for (let i = 0; i <= headerBytesMax / line.length; i++) await content.push(line);
    assert.equal(content.problem?.reply.code, 552);
    assert.equal(memory.usedBytes, 0);
    assert.equal(content.push(line), undefined);
    assert.equal(services.files.length, 0);
  });
}

void test('abandons while the spool file is being opened or written', async () => {
  for (const turns of [0, 1, 2, 3]) {
    const { content, memory, services } = open(10);
    void content.push(Buffer.from('a: b\r\n\r\nlonger than the limit'));
    for (let i = 0; i < turns; i++) await Promise.resolve();
    await content.abandon();
    assert.equal(services.files[0]?.state, 'abandoned');
    assert.equal(memory.usedBytes, 0);
  }
});
