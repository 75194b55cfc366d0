import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  chainPem,
  expired,
  makeCa,
  makeIntermediate,
  makeLeaf,
  makeSelfSigned,
} from '../testing/certificates.ts';
import { assembleCertificate } from './import-certificate.ts';
import type { GivenFile, ImportedCertificate } from './import-certificate.ts';

const ca = makeCa('Root');
const upper = makeIntermediate(ca, 'Upper');
const lower = makeIntermediate(upper, 'Lower');
const leaf = makeLeaf(lower, ['mx.us.test']);
const other = makeLeaf(ca, ['other.test']);

function given(name: string, text: string | Buffer): GivenFile {
  return { name, bytes: Buffer.from(text) };
}

function assemble(
  texts: readonly (string | Buffer)[],
  key: string | null = null,
): ImportedCertificate {
  return assembleCertificate(
    texts.map((text, place) => given(`file${place}`, text)),
    key,
    Date.now(),
  );
}

test('whatever the order of files and certificates, the chain is leaf first without a root', () => {
  const expected = [leaf, lower, upper].map(({ der }) => der);
  const orders = [
    [chainPem(leaf, lower, upper), leaf.keyPem],
    [chainPem(ca, upper, lower, leaf), leaf.keyPem],
    [leaf.keyPem, leaf.pem, chainPem(upper, ca), lower.pem],
    [leaf.keyPem + chainPem(upper, lower, leaf)],
    [leaf.der, leaf.keyPem, lower.der, upper.der],
    [chainPem(other, leaf, leaf, lower, upper), leaf.keyPem],
  ];
  for (const texts of orders) {
    const made = assemble(texts);
    assert.deepEqual(made.chain, expected);
    assert.equal(made.chainPem, chainPem(leaf, lower, upper));
    assert.match(made.keyPem, /^-----BEGIN PRIVATE KEY-----/);
  }
});

test('what was left out or moved is said', () => {
  const notes = assemble([chainPem(ca, lower, leaf, other), leaf.keyPem]).notes.join('\n');
  assert.match(notes, /put in order/);
  assert.match(notes, /left out: .*Root.* \(a root/);
  assert.match(notes, /left out: .*other.* \(not on the way/);
  assert.deepEqual(assemble([chainPem(leaf, lower, upper), leaf.keyPem]).notes, []);
});

test('a certificate signed by itself stands alone', () => {
  const self = makeSelfSigned(['mx.us.test']);
  assert.deepEqual(assemble([self.pem, self.keyPem]).chain, [self.der]);
});

test('the key that is known is used where none is given', () => {
  assert.equal(assemble([leaf.pem], leaf.keyPem).chain.length, 1);
  assert.throws(() => assemble([leaf.pem], other.keyPem), { code: 'tls-key-mismatch' });
  assert.throws(() => assemble([leaf.pem]), { code: 'tls-key-malformed' });
});

test('what does not belong together, is outdated or unreadable is refused', () => {
  const old = makeLeaf(ca, ['mx.us.test'], expired);
  const early = makeLeaf(ca, ['mx.us.test'], { notBefore: new Date(Date.now() + 86_400_000) });
  const cases: [readonly (string | Buffer)[], string][] = [
    [[leaf.pem, other.keyPem], 'tls-key-mismatch'],
    // The key of an intermediate is not ours to present.
    [[chainPem(leaf, lower), ca.keyPem], 'tls-key-mismatch'],
    [[leaf.pem, leaf.keyPem, other.keyPem], 'tls-key-malformed'],
    [[old.pem, old.keyPem], 'tls-certificate-outdated'],
    [[early.pem, early.keyPem], 'tls-certificate-outdated'],
    [[leaf.keyPem], 'tls-certificate-malformed'],
    [['nothing'], 'tls-archive-unread'],
    [[Buffer.from('3082100002010330820fc6', 'hex')], 'tls-archive-unread'],
    [[leaf.pem.replace(/\n[A-Za-z0-9+/]{20}/, '\n'), leaf.keyPem], 'tls-certificate-malformed'],
    [[leaf.pem, leaf.keyPem.replace(/\n[A-Za-z0-9+/]{20}/, '\n')], 'tls-key-malformed'],
  ];
  for (const [texts, code] of cases) assert.throws(() => assemble(texts), { code });
});

test('an encrypted key is refused without a word of it', () => {
  const locked = leaf.key.export({
    type: 'pkcs8',
    format: 'pem',
    cipher: 'aes-256-cbc',
    passphrase: 'secret',
  });
  assert.throws(
    () => assemble([leaf.pem, String(locked)]),
    (error: Error) => /encrypted/.test(error.message) && !('cause' in error && error.cause),
  );
});
