/**
 * Seeded chains of certificates with combined faults, for comparing path validation with OpenSSL.
 *
 * A case is what a peer presents and which anchors are listed; whether it is valid is for others
 * to say. The same seed and index give the same case but for keys and times.
 */
import {
  expired,
  makeCa,
  makeIntermediate,
  makeLeaf,
  makeSelfSigned,
  notYetValid,
  unknownCriticalExtension,
} from '../../src/testing/certificates.ts';
import type { Overrides, TestCertificate } from '../../src/testing/certificates.ts';
import * as der from '../../src/testing/der-writer.ts';

export interface ChainCase {
  /** What was done to it, in words. */
  readonly faults: readonly string[];
  readonly leaf: TestCertificate;
  readonly sent: readonly TestCertificate[];
  readonly anchors: readonly TestCertificate[];
}

/** Numbers in [0, 1), the same for the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

type Named = readonly [string, Overrides];

const raw = (oid: string, value: Buffer, critical = false): Overrides => ({
  extensions: [{ oid, critical, value }],
});

/** Faults and harmless variations that any certificate may have. */
const anyone: readonly Named[] = [
  ['expired', expired],
  ['not yet valid', notYetValid],
  ['SHA-1', { hash: 'sha1' }],
  ['MD5 by RSA', { hash: 'md5', key: 'rsa2048' }],
  ['SHA-384', { hash: 'sha384' }],
  ['two algorithms', { innerHash: 'sha384' }],
  ['forged', { signature: 'forged' }],
  ['no signature', { signature: 'empty' }],
  ['unknown critical', unknownCriticalExtension],
  ['unknown, not critical', raw('1.3.6.1.4.1.99999.2', der.nothing)],
  ['version 1', { version: 1 }],
  ['no AKI', { authorityKeyId: 'absent' }],
  ['wrong AKI', { authorityKeyId: 'wrong' }],
  ['AKI by serial', { authorityKeyId: 'issuer-serial-only' }],
  ['no SKI', { subjectKeyId: 'absent' }],
  ['P-384', { key: 'p384' }],
  ['Ed25519', { key: 'ed25519' }],
  ['RSA 2048', { key: 'rsa2048' }],
  ['RSA 1024', { key: 'rsa1024' }],
  ['serverAuth', { extendedKeyUsage: ['serverAuth'] }],
  ['clientAuth', { extendedKeyUsage: ['clientAuth'] }],
  ['codeSigning', { extendedKeyUsage: ['codeSigning'] }],
  ['any purpose', { extendedKeyUsage: ['any'] }],
  ['key usage of nothing', { keyUsage: [] }],
  ['policy 1', { policies: ['1.3.6.1.4.1.99999.10'] }],
  ['policy 2', { policies: ['1.3.6.1.4.1.99999.11'] }],
  ['any policy', { policies: ['2.5.29.32.0'] }],
  ['explicit policy 0', { requireExplicitPolicy: 0 }],
  ['explicit policy 1', { requireExplicitPolicy: 1, policies: ['1.3.6.1.4.1.99999.10'] }],
  ['broken CRL points', raw('2.5.29.31', der.sequence(der.nothing))],
  ['broken AKI', { authorityKeyId: 'absent', ...raw('2.5.29.35', der.nothing) }],
  ['proxy', raw('1.3.6.1.5.5.7.1.14', proxyInfo(), true)],
  ['trailing octets in an extension', raw('2.5.29.36', Buffer.from('3003800100ff', 'hex'), true)],
];

const authorities: readonly Named[] = [
  ['no basic constraints', { ca: null }],
  ['basic constraints say no', { ca: false }],
  ['basic constraints not critical', { basicConstraintsCritical: false }],
  ['pathLen 0', { pathLen: 0 }],
  ['pathLen 1', { pathLen: 1 }],
  ['pathLen negative', { pathLen: -1 }],
  ['pathLen without CA', { ca: false, pathLen: 1 }],
  ['no keyCertSign', { keyUsage: ['digitalSignature', 'cRLSign'] }],
  ['no key usage', { keyUsage: null }],
  ['permits a.test', { nameConstraints: { permitted: ['DNS:a.test'] } }],
  ['permits .a.test', { nameConstraints: { permitted: ['DNS:.a.test'] } }],
  ['permits others', { nameConstraints: { permitted: ['DNS:b.test'] } }],
  ['excludes mx.a.test', { nameConstraints: { excluded: ['DNS:mx.a.test'] } }],
  ['excludes b.test', { nameConstraints: { excluded: ['DNS:b.test'] } }],
  ['permits an address', { nameConstraints: { permitted: ['IP:192.0.2.0/24'] } }],
  [
    'excludes an address',
    { nameConstraints: { excluded: ['IP:192.0.2.0/25', 'IP:2001:db8::/32'] } },
  ],
  ['permits O=Good', { nameConstraints: { permitted: ['dirName:O=Good'] } }],
  ['excludes O=Bad', { nameConstraints: { excluded: ['dirName:O=Bad'] } }],
  ['permits mailboxes', { nameConstraints: { permitted: ['email:a.test'] } }],
  ['excludes a mailbox', { nameConstraints: { excluded: ['email:bob@a.test'] } }],
  ['permits URIs', { nameConstraints: { permitted: ['URI:a.test'] } }],
  [
    'permits and excludes',
    { nameConstraints: { permitted: ['DNS:test'], excluded: ['DNS:c.test'] } },
  ],
];

const leaves: readonly Named[] = [
  ['key encipherment only', { keyUsage: ['keyEncipherment'] }],
  ['key agreement only', { keyUsage: ['keyAgreement'] }],
  ['data encipherment only', { keyUsage: ['dataEncipherment'] }],
  ['leaf with keyCertSign', { keyUsage: ['digitalSignature', 'keyCertSign'] }],
  [
    'leaf with keyCertSign, no constraints',
    { ca: null, keyUsage: ['digitalSignature', 'keyCertSign'] },
  ],
  ['leaf that is a CA', { ca: true, keyUsage: ['digitalSignature', 'keyCertSign'] }],
  ['leaf without key usage', { keyUsage: null }],
  ['leaf without constraints', { ca: null }],
  ['leaf with pathLen', { pathLen: 0 }],
  ['no extended key usage', { extendedKeyUsage: null }],
  ['P-224', { key: 'p224' }],
  ['secp256k1', { key: 'secp256k1' }],
  ['address', { ipAddresses: ['192.0.2.7'] }],
  ['two addresses', { ipAddresses: ['192.0.2.200', '2001:db8::7'] }],
  ['mailbox', { emails: ['bob@a.test'] }],
  ['mailbox in the subject', { subject: 'O=Good,CN=mx.a.test,E=eve@b.test' }],
  ['URI', { uris: ['https://www.b.test/'] }],
  ['common name only', { dnsNames: [] }],
  ['common name of another', { dnsNames: [], subject: 'O=Bad,CN=mx.b.test' }],
  ['O=Good', { subject: 'O=good ,CN=mx.a.test' }],
  ['O=Bad', { subject: 'O=BAD,CN=mx.a.test' }],
  ['empty subject', { subject: '' }],
  ['empty subject, names not critical', { subject: '', subjectAltNameCritical: false }],
  ['wildcard', { dnsNames: ['*.a.test'] }],
  ['name elsewhere', { dnsNames: ['mx.a.test', 'mx.b.test'] }],
  ['name that ends alike', { dnsNames: ['mx.evila.test'] }],
  ['Netscape server', raw('2.16.840.1.113730.1.1', der.bitString(Buffer.from([0x40]), 6))],
  ['Netscape client', raw('2.16.840.1.113730.1.1', der.bitString(Buffer.from([0x80]), 7))],
  ['server gated', { extendedKeyUsage: ['2.16.840.1.113730.4.1'] }],
];

/** A proxyCertInfo that decodes: policy language "inherit all". RFC 3820 */
function proxyInfo(): Buffer {
  return der.sequence(der.sequence(der.oid('1.3.6.1.5.5.7.21.1')));
}

/** The case of this number. */
export function makeChainCase(seed: number, index: number): ChainCase {
  const random = seeded(seed * 1_000_003 + index);
  const faults: string[] = [];
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!;
  const places = 2 + Math.floor(random() * 4);
  const changes = planChanges(random, pick, places, faults);
  const root = makeCa('Root', changes[0]);
  const authoritiesMade = [root];
  for (let depth = 1; depth < places - 1; depth += 1) {
    const isSelfIssued = random() < 0.08;
    if (isSelfIssued) faults.push(`CA ${depth} self-issued`);
    const name = isSelfIssued && depth > 1 ? `CA ${depth - 1}` : `CA ${depth}`;
    authoritiesMade.push(makeIntermediate(authoritiesMade.at(-1)!, name, changes[depth]));
  }
  const leaf = makeLeaf(authoritiesMade.at(-1)!, ['mx.a.test'], changes[places - 1]);
  return arrange(random, faults, leaf, authoritiesMade);
}

/** Overrides per place, 0 the root, the last the leaf: none, one, two or three changes in all. */
function planChanges(
  random: () => number,
  pick: <T>(from: readonly T[]) => T,
  places: number,
  faults: string[],
): Overrides[] {
  const changes: Overrides[] = Array.from({ length: places }, () => ({}));
  const count = [0, 1, 1, 1, 2, 2, 3][Math.floor(random() * 7)]!;
  for (let each = 0; each < count; each += 1) {
    const place = Math.floor(random() * places);
    const isLeaf = place === places - 1;
    const own = isLeaf ? leaves : authorities;
    const [name, overrides] = pick(random() < 0.5 ? anyone : own);
    changes[place] = { ...changes[place], ...overrides };
    faults.push(`${isLeaf ? 'leaf' : `CA ${place}`}: ${name}`);
  }
  return changes;
}

/** What is sent, in which order, and which certificates are anchors. */
function arrange(
  random: () => number,
  faults: string[],
  leaf: TestCertificate,
  made: readonly TestCertificate[],
): ChainCase {
  const [root, ...rest] = made as [TestCertificate, ...TestCertificate[]];
  const sent = rest.toReversed();
  const plain = { faults, leaf, sent, anchors: [root] };
  const chance = random();
  const note = (text: string): void => void faults.push(text);
  if (chance < 0.55) return plain;
  if (chance < 0.62) {
    note('the root is sent too');
    return { ...plain, sent: [...sent, root] };
  }
  if (chance < 0.68) {
    note('an intermediate is missing');
    return { ...plain, sent: sent.slice(1) };
  }
  if (chance < 0.73) {
    note('the anchors are another root');
    return { ...plain, sent: [...sent, root], anchors: [makeCa('Root')] };
  }
  if (chance < 0.78) {
    note('self-signed');
    return { ...plain, leaf: makeSelfSigned(['mx.a.test']) };
  }
  if (chance < 0.82) {
    note('the leaf is listed');
    return { ...plain, anchors: [leaf] };
  }
  if (chance < 0.86) {
    note('the last intermediate is listed');
    return { ...plain, anchors: [sent[0] ?? root] };
  }
  return crossSign(random, plain, made);
}

function crossSign(
  random: () => number,
  plain: ChainCase,
  made: readonly TestCertificate[],
): ChainCase {
  const [root, first] = made as [TestCertificate, TestCertificate | undefined];
  if (first === undefined) return plain;
  const stranger = makeCa('Stranger');
  const validity = random() < 0.5 ? expired : {};
  const isReversed = random() < 0.5;
  const cross = makeIntermediate(stranger, 'CA 1', { key: first.key, ...validity });
  const twin = makeIntermediate(root, 'CA 1', validity);
  const other = random() < 0.5 ? cross : twin;
  const faults = [
    ...plain.faults,
    `${isReversed ? 'before it' : 'after it'}: ${other === cross ? 'cross-signed' : 'same name'}` +
      (validity === expired ? ', expired' : ''),
  ];
  const sent = isReversed ? [other, ...plain.sent] : [...plain.sent, other];
  const anchors = random() < 0.3 ? [stranger, root] : [root];
  return { ...plain, faults, sent: [...sent, stranger], anchors };
}
