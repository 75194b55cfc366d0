/** What decides about trust: DER, certificates, chains, PEM, TLS sessions; OpenSSL is the oracle. */
import assert from 'node:assert/strict';
import type { X509Certificate } from 'node:crypto';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import * as writer from '../../../src/testing/der-writer.ts';
import { Failure } from '../../../src/mail/failure.ts';
import {
  isCostlyKey,
  keyWeakness,
  signatureWeakness,
} from '../../../src/tls/algorithm-strength.ts';
import { AnchorSet } from '../../../src/tls/anchors.ts';
import { keyUsageBit } from '../../../src/tls/certificate-extensions.ts';
import { certificateFacts } from '../../../src/tls/certificate-facts.ts';
import { findPath } from '../../../src/tls/chain.ts';
import type { DerElement } from '../../../src/tls/der.ts';
import {
  bitsOf,
  booleanOf,
  childrenOf,
  derTag,
  MalformedDer,
  oidOf,
  readDer,
  smallIntegerOf,
  timeOf,
} from '../../../src/tls/der.ts';
import { assembleCertificate } from '../../../src/tls/import-certificate.ts';
import { nameConstraintViolation } from '../../../src/tls/name-constraints.ts';
import type { ParsedCertificate } from '../../../src/tls/parsed-certificate.ts';
import { parseCertificate } from '../../../src/tls/parsed-certificate.ts';
import { pemBlocks, toPem } from '../../../src/tls/pem.ts';
import { PresentedChain } from '../../../src/tls/presented-chain.ts';
import { readSessionGroup } from '../../../src/tls/session-group.ts';
import { hostName, joined, utf8, word } from '../arbitraries.ts';
import type { FuzzTarget } from '../target.ts';

/** The same reader for every element, so that each is tried on each. */
function readAs(read: (element: DerElement) => unknown, element: DerElement): string {
  try {
    read(element);
    return 'read';
  } catch (error) {
    assert.ok(error instanceof MalformedDer, 'malformed is the only way to fail');
    return error.message.replace(/\d+/g, '0');
  }
}

const derTokens = [
  '\x30\x80',
  '\x30\x82\xff\xff',
  '\x30\x84\xff\xff\xff\xff',
  '\x30\x00',
  '\x02\x01\x00',
  '\x01\x01\xff',
  '\x05\x00',
  '\x03\x02\x07\x80',
  '\x06\x03\x55\x1d\x11',
  '\x04\x02\x30\x00',
  '\x17\x0d260101000000Z',
  '\x18\x0f20260101000000Z',
  '\x0c\x02\xc3\x28',
  '\xa0\x03\x02\x01\x02',
  '\x1f\x81',
];

const leafElement: fc.Arbitrary<Buffer> = fc.oneof(
  fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }).map(writer.integer),
  fc.boolean().map(writer.boolean),
  fc.constantFrom('2.5.29.17', '1.2.840.113549.1.1.11', '2.16.840.1.113730.1.1').map(writer.oid),
  fc.date({ min: new Date(0), max: new Date('2199-01-01'), noInvalidDate: true }).map(writer.time),
  fc.string({ maxLength: 12 }).map(writer.utf8String),
  fc.uint8Array({ maxLength: 12 }).map((array) => writer.octetString(Buffer.from(array))),
  fc.uint8Array({ maxLength: 6 }).map((array) => writer.bitString(Buffer.from(array), 0)),
);
const tree: fc.Arbitrary<Buffer> = fc.letrec<{ node: Buffer }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 4 },
    leafElement,
    fc.array(tie('node'), { maxLength: 4 }).map((items) => writer.sequence(...items)),
    fc.array(tie('node'), { maxLength: 3 }).map((items) => writer.set(...items)),
  ),
})).node;

const der: FuzzTarget = {
  name: 'der',
  files: ['src/tls/der.ts', 'src/tls/session-group.ts'],
  structured: tree,
  tokens: derTokens,
  sizeBytesMax: 4000,
  parse: (input) => walk(input),
  check(input) {
    const group = readSessionGroup(input);
    assert.ok(group === null || group.length < 24);
    const outcomes = walk(input);
    return `${group === null ? '' : 'group '}${outcomes}`;
  },
};

/** All elements, breadth first and bounded; children lie one behind the other within the parent. */
function walk(input: Buffer): string {
  const outcomes = new Set<string>();
  let left = 300;
  const pending: Buffer[] = [input];
  while (pending.length > 0 && left-- > 0) {
    const bytes = pending.shift()!;
    let element: DerElement | null = null;
    const failed = readAs(() => (element = readDer(bytes, bytes[0] ?? 0)), {
      tag: 0,
      raw: bytes,
      value: bytes,
    });
    if (element === null) {
      outcomes.add(failed);
      continue;
    }
    const { raw, value } = element as DerElement;
    assert.ok(raw.length === bytes.length && value.length < raw.length);
    for (const read of [booleanOf, smallIntegerOf, oidOf, timeOf, bitsOf]) readAs(read, element);
    const outcome = readAs((parent) => {
      const children = childrenOf(parent);
      assert.equal(
        children.reduce((sum, child) => sum + child.raw.length, 0),
        value.length,
      );
      pending.push(...children.map((child) => child.raw));
    }, element);
    outcomes.add(outcome);
  }
  return [...outcomes].sort().join('; ');
}

const kept = (name: string): Buffer =>
  readFileSync(join(import.meta.dirname, '..', 'certificates', `${name}.der`));
const anchor = kept('anchor');
const middle = kept('intermediate');
const leaf = kept('leaf');
const at = Date.UTC(2026, 10, 1);

const certificateTokens = [
  ...derTokens,
  '\x06\x03\x55\x1d\x13',
  '\x06\x03\x55\x1d\x1e',
  '\x06\x03\x55\x1d\x0f',
  '\x82\x09mx.a.test',
  '\x82\x00',
  '\x82\x03a\0b',
  '\x87\x04\x0a\x00\x00\x01',
  '\x1e\x03abc',
  '\x16\x04\xff\xff\xff\xff',
];

/** A certificate put together from pieces of a real one and from any others. */
const roughCertificate: fc.Arbitrary<Buffer> = fc
  .tuple(
    fc.array(tree, { maxLength: 3 }),
    fc.constantFrom(anchor, middle, leaf),
    fc.nat({ max: 7 }),
  )
  .map(([pieces, from, place]) => {
    const [tbs, ...rest] = childrenOf(readDer(from, derTag.sequence));
    const fields = childrenOf(tbs!).map((field) => field.raw);
    fields.splice(Math.min(place, fields.length), 1, ...pieces);
    return writer.sequence(writer.sequence(...fields), ...rest.map((part) => part.raw));
  });

const certificate: FuzzTarget = {
  name: 'certificate',
  files: [
    'src/tls/parsed-certificate.ts',
    'src/tls/certificate-extensions.ts',
    'src/tls/certificate-facts.ts',
    'src/tls/distinguished-name.ts',
    'src/tls/general-name.ts',
    'src/tls/algorithm-strength.ts',
    'src/tls/name-constraints.ts',
  ],
  structured: roughCertificate,
  tokens: certificateTokens,
  sizeBytesMax: 6000,
  parse: (input) => parseCertificate(input),
  check(input) {
    const parsed = parseCertificate(input);
    const facts = certificateFacts(input);
    assert.equal(facts.fingerprint256, createHash('sha256').update(input).digest('base64'));
    for (const text of [facts.subject, facts.issuer, facts.serialNumber]) {
      assert.ok(text.length <= 512);
      assert.doesNotMatch(text, /[\p{Cc}\u202a-\u202e]/u);
    }
    for (const name of facts.dnsNames) assert.match(name, /^(?:\*\.)?[a-z0-9_][a-z0-9_.-]*$/);
    if (parsed === null) return 'none';
    const theirs = parsed.x509();
    if (theirs !== null) checkAgainstOpenssl(parsed, theirs);
    const weak = keyWeakness(parsed) ?? signatureWeakness(parsed) ?? 'strong';
    if (isCostlyKey(parsed)) assert.notEqual(weak, 'strong', 'a costly key is weak too');
    const constraint = nameConstraintViolation([parsed, parsed]);
    return `${theirs === null ? 'ours alone' : 'both'} ${weak.replace(/\d+/g, '0')} ${constraint ?? ''}`;
  },
};

/** Where OpenSSL reads the same octets it reads the same facts. */
function checkAgainstOpenssl(ours: ParsedCertificate, theirs: X509Certificate): void {
  const hex = theirs.fingerprint256.replaceAll(':', '');
  assert.equal(Buffer.from(ours.fingerprint256, 'base64').toString('hex').toUpperCase(), hex);
  const serial = (text: string): bigint => BigInt(`0x${text}`);
  const isPositive = Number.parseInt(ours.serialNumber.slice(0, 2), 16) < 0x80;
  if (isPositive) assert.equal(serial(ours.serialNumber), serial(theirs.serialNumber), 'serial');
  assert.equal(ours.notBefore, theirs.validFromDate.getTime(), 'notBefore');
  assert.equal(ours.notAfter, theirs.validToDate.getTime(), 'notAfter');
  const { basicConstraints, keyUsage, subjectAltName, nameConstraints } = ours.extensions;
  // What we do not process (forms of names, values that are no text) we do not decode; OpenSSL does,
  // and a broken one makes a certificate invalid. Path validation fails on such a constraint.
  const names = [
    ...(subjectAltName?.names ?? []),
    ...(nameConstraints?.permitted ?? []),
    ...(nameConstraints?.excluded ?? []),
  ];
  const isOdd = names.some((name) =>
    name.form === 'directory' ? !name.name.isComparable : name.form === 'unprocessed',
  );
  if (basicConstraints === null || isOdd) return;
  // OpenSSL's word for a CA includes that it may sign certificates.
  const maySign = keyUsage === null || (keyUsage & keyUsageBit.keyCertSign) !== 0;
  assert.equal(basicConstraints.ca && maySign, theirs.ca, 'ca');
}

const anchors = new AnchorSet('file:/fuzz', [anchor]);

const chain: FuzzTarget = {
  name: 'certificate-chain',
  files: ['src/tls/chain.ts', 'src/tls/path-checks.ts', 'src/tls/presented-chain.ts'],
  structured: roughCertificate,
  tokens: certificateTokens,
  sizeBytesMax: 4000,
  parse: (input) => search([input, middle, leaf]),
  check(input) {
    const [asLeaf, asMiddle] = [search([input, middle]), search([leaf, input])];
    // Nobody but the CA makes a certificate: what was changed in any octet reaches no anchor.
    const isOurs = input.equals(leaf) || input.equals(middle) || input.equals(anchor);
    if (asLeaf === 'reached') assert.ok(isOurs, 'a changed leaf reaches the anchor');
    if (asMiddle === 'reached') assert.ok(input.equals(middle), 'a changed issuer is taken');
    if (input.equals(leaf)) assert.equal(asLeaf, 'reached');
    if (input.equals(middle)) assert.equal(asMiddle, 'reached');
    return `${asLeaf}, ${asMiddle}`;
  },
};

function search(certificates: readonly Buffer[]): string {
  const presented = new PresentedChain(certificates);
  const name = anchors.name;
  const found = findPath(presented, { anchors: name, set: anchors, purpose: 'serverAuth', at });
  return 'path' in found ? 'reached' : found.fault.problem;
}

const pem: FuzzTarget = {
  name: 'pem',
  files: ['src/tls/pem.ts', 'src/tls/import-certificate.ts'],
  structured: utf8(
    fc
      .array(
        fc.oneof(
          fc
            .tuple(word('ABC 09', 20), fc.uint8Array({ maxLength: 90 }))
            .map(([label, octets]) => toPem(label, Buffer.from(octets))),
          fc.constant(toPem('CERTIFICATE', leaf)),
          joined('# ', hostName, '\n'),
        ),
        { maxLength: 4 },
      )
      .map((parts) => parts.join('')),
  ),
  tokens: [
    '-----BEGIN ',
    '-----END ',
    '-----',
    'CERTIFICATE',
    'PRIVATE KEY',
    '\n',
    '\r\n',
    '\0',
    '=',
    ' ',
  ],
  sizeBytesMax: 9000,
  parse: (input) => pemBlocks(input.toString('latin1')),
  check(input) {
    const blocks = pemBlocks(input.toString('latin1'));
    assert.ok(blocks.reduce((sum, block) => sum + block.der.length, 0) <= input.length);
    const written = blocks.map((block) => toPem(block.label, block.der)).join('');
    assert.deepEqual(pemBlocks(written), blocks, 'is read back as it was written');
    let imported = 'imported';
    try {
      assembleCertificate([{ name: 'x', bytes: input }], null, at);
    } catch (error) {
      assert.ok(error instanceof Failure, 'an import fails with a code');
      imported = error.code;
    }
    return `${Math.min(3, blocks.length)} blocks, ${imported}`;
  },
};

export const trustTargets: readonly FuzzTarget[] = [der, certificate, chain, pem];
