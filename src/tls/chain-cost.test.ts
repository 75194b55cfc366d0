/** What a stranger's certificates may cost: signatures by keys that are made to be slow. */
import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { distinguishedName, makeCa } from '../testing/certificates.ts';
import * as der from '../testing/der-writer.ts';
import { AnchorSet } from './anchors.ts';
import { examineChain } from './chain.ts';
import { PresentedChain } from './presented-chain.ts';

const set = new AnchorSet('file:/test.pem', [makeCa().der]);
const leafKey = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey;
const leafSpki = leafKey.export({ type: 'spki', format: 'der' });
const sha256WithRsa = der.sequence(der.oid('1.2.840.113549.1.1.11'), der.nothing);
const day = 86_400_000;

/** A public key whose private half nobody has. */
function rsaSpki(bits: number, exponent: bigint): Buffer {
  const modulus = randomBytes(bits / 8);
  modulus[0]! |= 0x80;
  modulus[modulus.length - 1]! |= 1;
  const hex = exponent.toString(16);
  const octets = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
  const jwk = { kty: 'RSA', n: modulus.toString('base64url'), e: octets.toString('base64url') };
  return createPublicKey({ key: jwk, format: 'jwk' }).export({ type: 'spki', format: 'der' });
}

/** Issued by `CN=X`, with a signature that is nobody's. */
function forged(subject: string, spki: Buffer, signatureBytes: number): Buffer {
  const validity = [new Date(Date.now() - day), new Date(Date.now() + day)].map(der.time);
  const tbs = der.sequence(
    der.context(0, der.integer(2)),
    der.integer(BigInt(`0x${randomBytes(8).toString('hex')}`)),
    sha256WithRsa,
    distinguishedName('X'),
    der.sequence(...validity),
    distinguishedName(subject),
    spki,
  );
  return der.sequence(tbs, sha256WithRsa, der.bitString(randomBytes(signatureBytes)));
}

/** A leaf and many possible issuers of it with keys of this size. */
function examineForged(bits: number, exponent: bigint) {
  const chain = [forged('leaf', leafSpki, bits / 8)];
  for (let i = 0; i < 15; i++) chain.push(forged('X', rsaSpki(bits, exponent), bits / 8));
  const search = { anchors: set.name, set, purpose: 'clientAuth', at: Date.now() } as const;
  const result = examineChain(new PresentedChain(chain), search);
  assert(result.kind === 'not-reached');
  return result.problem;
}

test('signatures by keys of usual cost are checked', () => {
  assert.equal(examineForged(2048, 65_537n), 'bad-signature');
  assert.equal(examineForged(4096, 65_537n), 'bad-signature');
});

test('no signature is checked by an RSA key with a huge exponent or modulus', () => {
  assert.equal(examineForged(3072, (1n << 3063n) + 1n), 'weak-key');
  assert.equal(examineForged(2048, (1n << 32n) + 1n), 'weak-key');
  assert.equal(examineForged(16_384, 65_537n), 'weak-key');
});
