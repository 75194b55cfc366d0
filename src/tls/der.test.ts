/** The strict reader: what it refuses, that it never runs away, and that pkijs reads the same. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { rootCertificates } from 'node:tls';
import { fromBER } from 'asn1js';
import * as fc from 'fast-check';
import { Certificate } from 'pkijs';
import { makeCa, makeIntermediate, makeLeaf } from '../testing/certificates.ts';
import * as writer from '../testing/der-writer.ts';
import { certificateFacts } from './certificate-facts.ts';
import {
  childrenOf,
  derTag,
  dottedOid,
  MalformedDer,
  readDer,
  smallIntegerOf,
  timeOf,
} from './der.ts';
import { parseCertificate } from './parsed-certificate.ts';
import { pemBlocks } from './pem.ts';

describe('refuses', () => {
  const refused: readonly (readonly [string, string])[] = [
    ['nothing', ''],
    ['a tag alone', '30'],
    ['an indefinite length', '30800000'],
    ['a long length where a short one does', '30810100'],
    ['a long length with a leading zero', '3082000100'],
    ['a length beyond the input', '300500'],
    ['a huge length', '3085ffffffffff'],
    ['octets after the element', '300000'],
    ['a high tag number', '3f810000'],
  ];
  for (const [name, hex] of refused) {
    test(name, () => {
      assert.throws(() => readDer(Buffer.from(hex, 'hex'), derTag.sequence), MalformedDer);
    });
  }

  test('integers that are padded, negative or large where a count belongs', () => {
    for (const hex of ['02020001', '0201ff', '02050100000000', '0200']) {
      const element = readDer(Buffer.from(hex, 'hex'), derTag.integer);
      assert.throws(() => smallIntegerOf(element), MalformedDer, hex);
    }
  });

  test('times with fractions, zones or dates that do not exist', () => {
    for (const text of ['2601010000Z', '260101000000+0100', '260231000000Z', '260101240000Z']) {
      const element = readDer(writer.tlv(0x17, Buffer.from(text)), derTag.utcTime);
      assert.throws(() => timeOf(element), MalformedDer, text);
    }
  });

  test('object identifiers with padding, or cut in an arc', () => {
    for (const hex of ['', '80', '2a80', '2a8001', `2a${'ff'.repeat(9)}7f`]) {
      assert.throws(() => dottedOid(Buffer.from(hex, 'hex')), MalformedDer, hex);
    }
  });
});

test('object identifiers and times are read as they are written', () => {
  for (const oid of ['2.5.29.15', '1.2.840.113549.1.1.11', '0.9.2342', '1.39.0']) {
    assert.equal(dottedOid(readDer(writer.oid(oid), 0x06).value), oid);
  }
  fc.assert(
    fc.property(fc.integer({ min: Date.UTC(1950, 0), max: Date.UTC(2200, 0) }), (at) => {
      const seconds = Math.floor(at / 1000) * 1000;
      const written = writer.time(new Date(seconds));
      assert.equal(timeOf(readDer(written, written[0]!)), seconds);
    }),
  );
});

describe('certificates', () => {
  const ca = makeCa();
  const middle = makeIntermediate(ca, 'Middle', {
    nameConstraints: { permitted: ['DNS:a.test', 'IP:10.0.0.0/8', 'dirName:O=x'] },
    pathLen: 3,
    policies: ['2.5.29.32.0'],
    requireExplicitPolicy: 1,
  });
  const rich = makeLeaf(middle, ['mx.a.test'], {
    subject: 'C=DE,O=Straße,CN=mx.a.test,E=a@a.test',
    ipAddresses: ['192.0.2.1', '2001:db8::1'],
    emails: ['a@a.test'],
    uris: ['https://a.test/'],
    authorityKeyId: 'issuer-serial-only',
  });

  test('any octet changed, cut or doubled: null or a certificate, never a throw', () => {
    for (const { der } of [middle, rich]) {
      const change = fc.record({
        at: fc.nat(der.length - 1),
        octet: fc.nat(255),
        kind: fc.constantFrom('change', 'cut', 'double', 'drop'),
      });
      fc.assert(
        fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
          let bytes = Buffer.from(der);
          for (const { at, octet, kind } of changes) {
            const place = Math.min(at, bytes.length - 1);
            if (kind === 'change') bytes[place] = octet;
            if (kind === 'cut') bytes = bytes.subarray(0, Math.max(1, place));
            const rest = bytes.subarray(kind === 'drop' ? place + 1 : place);
            if (kind === 'double' || kind === 'drop') {
              bytes = Buffer.concat([bytes.subarray(0, place + (kind === 'double' ? 1 : 0)), rest]);
            }
            if (bytes.length === 0) bytes = Buffer.from([octet]);
          }
          parseCertificate(bytes);
          certificateFacts(bytes);
        }),
        { numRuns: 2000 },
      );
    }
  });

  test('a signature with unused bits is malformed: OpenSSL would read it like another', () => {
    const [tbs, algorithm, signature] = childrenOf(readDer(rich.der, derTag.sequence));
    const remade = (unused: number): Buffer =>
      writer.sequence(
        tbs!.raw,
        algorithm!.raw,
        writer.bitString(Buffer.from(signature!.value.subarray(1)), unused),
      );
    assert.ok(parseCertificate(remade(0)) !== null);
    for (const unused of [1, 4, 7, 8]) assert.equal(parseCertificate(remade(unused)), null);
  });

  test('random octets are no certificate', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (octets) => {
        assert.equal(parseCertificate(Buffer.from(octets)), null);
      }),
    );
  });

  test('pkijs reads the same fields of all bundled roots and of ours', () => {
    const all = rootCertificates.flatMap((pem) => pemBlocks(pem).map((block) => block.der));
    for (const der of [...all, ca.der, middle.der, rich.der]) {
      const mine = parseCertificate(der);
      assert.ok(mine !== null);
      const theirs = new Certificate({ schema: fromBER(new Uint8Array(der).buffer).result });
      assert.equal(mine.version, theirs.version + 1);
      assert.equal(mine.notBefore, theirs.notBefore.value.getTime());
      assert.equal(mine.notAfter, theirs.notAfter.value.getTime());
      const serial = Buffer.from(theirs.serialNumber.valueBlock.valueHexView).toString('hex');
      assert.equal(mine.serialNumber, serial.toUpperCase());
      assert.equal(mine.extensions.count, theirs.extensions?.length ?? 0);
      assert.ok(mine.x509() !== null);
      assert.equal(mine.x509()!.ca, mine.extensions.basicConstraints?.ca ?? mine.version === 1);
    }
  });
});
