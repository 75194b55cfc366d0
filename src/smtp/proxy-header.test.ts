import assert from 'node:assert/strict';
import test from 'node:test';
import ipaddr from 'ipaddr.js';
import * as fc from 'fast-check';
import { crc32c, proxyHeaderBytesMax, readProxyHeader } from './proxy-header.ts';

const signature = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');

interface Parts {
  readonly versionAndCommand?: number;
  readonly family?: number;
  readonly source?: string;
  readonly port?: number;
  readonly tlvs?: readonly (readonly [type: number, value: Buffer])[];
  readonly hasCrc?: boolean;
}

function writeHeader(parts: Parts): Buffer {
  const { versionAndCommand = 0x21, source = '192.0.2.1', port = 4711, tlvs = [] } = parts;
  const from = Buffer.from(ipaddr.parse(source).toByteArray());
  const family = parts.family ?? (from.length === 4 ? 0x11 : 0x21);
  const ports = Buffer.alloc(4);
  ports.writeUInt16BE(port, 0);
  ports.writeUInt16BE(25, 2);
  const all = parts.hasCrc === true ? [...tlvs, [0x03, Buffer.alloc(4)] as const] : tlvs;
  const written = all.map(([type, value]) => {
    const head = Buffer.from([type, 0, 0]);
    head.writeUInt16BE(value.length, 1);
    return Buffer.concat([head, value]);
  });
  const body = Buffer.concat([from, Buffer.alloc(from.length), ports, ...written]);
  const fixed = Buffer.from([versionAndCommand, family, 0, 0]);
  fixed.writeUInt16BE(body.length, 2);
  const header = Buffer.concat([signature, fixed, body]);
  if (parts.hasCrc === true) header.writeUInt32BE(crc32c(header), header.length - 4);
  return header;
}

void test('knows the check value of CRC-32C', () => {
  assert.equal(crc32c(Buffer.from('123456789')), 0xe3069283);
});

const tlv = fc.tuple(
  fc.integer({ min: 0x20, max: 0xff }),
  fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
);

void test('reads the client of any header, and wants more of each part of one', () => {
  const source = fc.oneof(
    fc.ipV4(),
    fc.ipV6().filter((text) => ipaddr.IPv6.isValid(text)),
  );
  const parts = fc.record({
    source,
    port: fc.integer({ min: 0, max: 65_535 }),
    tlvs: fc.array(tlv, { maxLength: 5 }),
    hasCrc: fc.boolean(),
  });
  fc.assert(
    fc.property(parts, (given) => {
      const header = writeHeader(given);
      const read = readProxyHeader(Buffer.concat([header, Buffer.from('EHLO x\r\n')]));
      const address = ipaddr.process(given.source).toString();
      assert.deepEqual(read, {
        kind: 'proxied',
        sizeBytes: header.length,
        address,
        port: given.port,
      });
      for (let size = 0; size < header.length; size++) {
        assert.equal(readProxyHeader(header.subarray(0, size)).kind, 'incomplete');
      }
    }),
  );
});

void test('reads LOCAL, whatever stands behind it', () => {
  const header = writeHeader({ versionAndCommand: 0x20, family: 0 });
  assert.deepEqual(readProxyHeader(header), { kind: 'local', sizeBytes: header.length });
});

const refused: readonly (readonly [fact: string, header: Buffer, reason: RegExp])[] = [
  ['version 1', Buffer.from('PROXY TCP4 192.0.2.1 192.0.2.2 1 25\r\n'), /version 1.*send-proxy-v2/],
  ['SMTP', Buffer.from('EHLO x\r\n'), /missing/],
  ['TLS', Buffer.from([0x16, 3, 1]), /missing/],
  ['a version to come', writeHeader({ versionAndCommand: 0x31 }), /version 3/],
  ['an unknown command', writeHeader({ versionAndCommand: 0x22 }), /command 2/],
  ['a client of no family', writeHeader({ family: 0 }), /no TCP client/],
  ['a UDP client', writeHeader({ family: 0x12 }), /no TCP client/],
  ['a Unix socket', writeHeader({ family: 0x31 }), /no TCP client/],
  ['an IPv4 length for IPv6', writeHeader({ family: 0x21 }), /within its addresses/],
  [
    'too long a header',
    writeHeader({ tlvs: [[0x20, Buffer.alloc(proxyHeaderBytesMax)]] }),
    /longer/,
  ],
  ['a wrong checksum', writeHeader({ tlvs: [[0x03, Buffer.alloc(4)]] }), /wrong checksum/],
  ['a short checksum', writeHeader({ tlvs: [[0x03, Buffer.alloc(3)]] }), /wrong length/],
  [
    'a cut TLV',
    Buffer.concat([withLength(writeHeader({}), 2), Buffer.from([0x20, 0])]),
    /within a TLV/,
  ],
  [
    'a TLV beyond the end',
    Buffer.concat([withLength(writeHeader({}), 3), Buffer.from([0x20, 0, 9])]),
    /within a TLV/,
  ],
];

function withLength(header: Buffer, more: number): Buffer {
  header.writeUInt16BE(header.readUInt16BE(14) + more, 14);
  return header;
}

for (const [fact, header, reason] of refused) {
  void test(`refuses ${fact}`, () => {
    const read = readProxyHeader(header);
    assert.equal(read.kind, 'refused');
    assert.match(read.kind === 'refused' ? read.reason : '', reason);
  });
}

void test('takes any bytes without throwing, and no flipped bit of a summed header', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (b) => void readProxyHeader(Buffer.from(b))),
  );
  const tail = fc.uint8Array({ maxLength: 300 });
  fc.assert(
    fc.property(tail, (b) => void readProxyHeader(Buffer.concat([signature, Buffer.from(b)]))),
  );
  const header = writeHeader({
    source: '2001:db8::1',
    port: 4711,
    tlvs: [[0x02, Buffer.from('mx')]],
    hasCrc: true,
  });
  for (let bit = 0; bit < header.length * 8; bit++) {
    const flipped = Buffer.from(header);
    flipped[bit >> 3]! ^= 1 << (bit & 7);
    const read = readProxyHeader(flipped);
    // It may read as LOCAL, as incomplete, or have lost its checksum, but never as another client.
    if (read.kind === 'proxied') assert.equal(read.address, '2001:db8::1', `bit ${bit}`);
  }
});
