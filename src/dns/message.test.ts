import assert from 'node:assert/strict';
import test from 'node:test';
import { decode, encode } from 'dns-packet';
import type { Answer, MxData } from 'dns-packet';
import * as fc from 'fast-check';
import { encodeQuery, readMessage } from './message.ts';

const name = fc.domain();
const ttl = fc.nat({ max: 100_000 });

const anyAnswer: fc.Arbitrary<Answer> = fc.oneof(
  fc.record({ type: fc.constant('A' as const), name, ttl, data: fc.ipV4() }),
  fc.record({ type: fc.constant('CNAME' as const), name, ttl, data: name }),
  fc.record({
    type: fc.constant('MX' as const),
    name,
    ttl,
    data: fc.record({ preference: fc.nat({ max: 65535 }), exchange: name }),
  }),
);

void test('reads what dns-packet reads', () => {
  fc.assert(
    fc.property(fc.nat({ max: 65535 }), fc.array(anyAnswer, { maxLength: 8 }), (id, answers) => {
      const bytes = encode({ id, type: 'response', answers });
      const message = readMessage(bytes)!;
      assert.equal(message.id, id);
      assert.equal(message.isResponse, true);
      const theirs = (decode(bytes).answers ?? []) as {
        type: string;
        name: string;
        data: unknown;
      }[];
      const lower = (text: string): string => text.toLowerCase();
      const expected = theirs.map(({ type, name, data }) => {
        if (type === 'A') return [type, lower(name), data];
        if (type === 'CNAME') return [type, lower(name), lower(data as string)];
        const { preference, exchange } = data as MxData;
        return [type, lower(name), { preference, exchange: lower(exchange) }];
      });
      assert.deepEqual(
        message.answers.map(({ type, owner, data }) => [type, owner, data]),
        expected,
      );
    }),
  );
});

void test('never throws, whatever the bytes', () => {
  const bytes = fc.uint8Array({ maxLength: 600 });
  fc.assert(
    fc.property(bytes, (array) => void readMessage(Buffer.from(array))),
    { numRuns: 2000 },
  );
});

void test('never throws on an answer with bytes changed or cut', () => {
  const honest = encode({
    type: 'response',
    questions: [{ type: 'MX', name: 'contoso.com' }],
    answers: [
      { type: 'CNAME', name: 'contoso.com', data: 'a.example' },
      { type: 'MX', name: 'a.example', data: { preference: 1, exchange: 'mx.a.example' } },
      { type: 'AAAA', name: 'a.example', data: '2001:db8::1' },
      { type: 'TXT', name: 'a.example', data: ['one', 'two'] },
      {
        type: 'TLSA',
        name: 'a.example',
        data: { usage: 3, selector: 1, matchingType: 1, certificate: Buffer.alloc(32) },
      },
      { type: 'SOA', name: 'a.example', data: { mname: 'n.example', rname: 'h.example' } },
    ],
  });
  const change = fc.tuple(fc.nat({ max: honest.length - 1 }), fc.nat({ max: 255 }));
  fc.assert(
    fc.property(fc.array(change, { maxLength: 6 }), fc.nat({ max: honest.length }), (list, end) => {
      const bytes = Buffer.from(honest);
      for (const [at, value] of list) bytes[at] = value;
      readMessage(bytes);
      readMessage(bytes.subarray(0, end));
    }),
    { numRuns: 3000 },
  );
  for (let end = 0; end < honest.length; end++) {
    assert.equal(readMessage(honest.subarray(0, end)), null);
  }
});

/** A response with one raw answer: name bytes, type, data. */
function raw(nameBytes: readonly number[], type: number, data: readonly number[]): Buffer {
  const header = [0, 7, 0x81, 0x80, 0, 0, 0, 1, 0, 0, 0, 0];
  const fixed = [type >> 8, type & 255, 0, 1, 0, 0, 0, 60, data.length >> 8, data.length & 255];
  return Buffer.from([...header, ...nameBytes, ...fixed, ...data]);
}

const label = (text: string): number[] => [text.length, ...Buffer.from(text, 'latin1')];

void test('a dot or another odd octet inside a label never looks like a host name', () => {
  const target = [...label('mx.partner'), ...label('exa\0mple'), ...label('\xe4'), 0];
  const message = readMessage(raw([0], 5, target));
  assert.deepEqual(message?.answers, [
    { type: 'CNAME', owner: '', ttlSeconds: 60, data: 'mx\\046partner.exa\\000mple.\\228' },
  ]);
});

void test('skips records of types that it does not read by their length, whatever they hold', () => {
  const odd = raw([0], 47, [0xff, 0xff, 0xff, 0xc0]);
  const both = Buffer.concat([odd, raw([0], 1, [192, 0, 2, 1]).subarray(12)]);
  both.writeUInt16BE(2, 6);
  assert.deepEqual(
    readMessage(both)?.answers.map((record) => record.data),
    ['192.0.2.1'],
  );
});

void test('refuses data that is longer or shorter than its record', () => {
  assert.equal(readMessage(raw([0], 1, [127, 0, 0])), null);
  assert.equal(readMessage(raw([0], 1, [127, 0, 0, 1, 1])), null);
  assert.equal(readMessage(raw([0], 28, [1, 2, 3, 4])), null);
  assert.equal(readMessage(raw([0], 15, [0, 10])), null);
  assert.equal(readMessage(raw([0], 5, [5, 97, 98])), null);
  assert.equal(readMessage(raw([0], 16, [9, 97, 98])), null);
});

void test('follows pointers backwards only, and not for ever', () => {
  assert.equal(readMessage(raw([0xc0, 12], 5, [0]))?.answers.length, undefined);
  assert.equal(readMessage(raw([0xc0, 14], 5, [0]))?.answers.length, undefined);
  assert.equal(readMessage(raw([0], 5, [0xc0, 23]))?.answers.length, undefined);
  const back = readMessage(raw([...label('example'), 0], 5, [...label('www'), 0xc0, 12]));
  assert.equal(back?.answers[0]?.data, 'www.example');
});

void test('refuses a name of more than 255 octets', () => {
  const long = Array.from({ length: 5 }, () => label('a'.repeat(60))).flat();
  assert.equal(readMessage(raw([0], 5, [...long, 0])), null);
  assert.equal(readMessage(raw([0], 5, [...long.slice(0, 244), 0]))?.answers.length, 1);
});

void test('reads a message full of pointers in little time', () => {
  const header = Buffer.from([0, 7, 0x81, 0x80, 0, 0, 3, 0xe7, 0, 0, 0, 0]);
  const pointers = Buffer.alloc(16_000);
  for (let at = 0; at < pointers.length; at += 2) {
    pointers.writeUInt16BE(0xc000 | Math.max(0, at + 12 - 2), at);
  }
  const startedAt = process.cpuUsage().user;
  readMessage(Buffer.concat([header, pointers]));
  assert.ok(process.cpuUsage().user - startedAt < 100_000);
});

void test('a TTL with the top bit set counts as zero', () => {
  const bytes = raw([0], 5, [0]);
  bytes.writeUInt32BE(0xffffffff, 17);
  assert.equal(readMessage(bytes)?.answers[0]?.ttlSeconds, 0);
});

void test('reads the extended part of the response code', () => {
  const bytes = encode({
    type: 'response',
    additionals: [
      {
        type: 'OPT',
        name: '.',
        udpPayloadSize: 1232,
        extendedRcode: 1,
        ednsVersion: 0,
        flags: 0,
        flag_do: false,
        options: [],
      },
    ],
  });
  assert.equal(readMessage(bytes)?.responseCode, 16);
});

void test('a query without EDNS carries none', () => {
  const question = { type: 'MX', name: 'contoso.com' } as const;
  assert.equal(decode(encodeQuery(1, question, false)).additionals!.length, 0);
  assert.equal(decode(encodeQuery(1, question, true)).additionals!.length, 1);
});
