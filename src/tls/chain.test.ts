/** Path building: what the oracle cannot ask, limits, anchors, purposes and memory. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  chainPem,
  clientAuthOnly,
  expired,
  makeCa,
  makeIntermediate,
  makeLeaf,
  makeSelfSigned,
  serverAuthOnly,
} from '../testing/certificates.ts';
import type { TestCertificate } from '../testing/certificates.ts';
import * as der from '../testing/der-writer.ts';
import type { PathPurpose } from '../policy/tls-requirement.ts';
import { AnchorSet } from './anchors.ts';
import { examineChain, findPath } from './chain.ts';
import { PresentedChain } from './presented-chain.ts';

const now = Date.now();
const day = 86_400_000;

function anchorSet(...anchors: readonly TestCertificate[]): AnchorSet {
  return new AnchorSet(
    'file:/test.pem',
    anchors.map((each) => each.der),
  );
}

function examine(
  chain: readonly TestCertificate[],
  set: AnchorSet | null,
  purpose: PathPurpose = 'either',
  at = now,
) {
  const presented = new PresentedChain(chain.map((each) => each.der));
  return examineChain(presented, { anchors: 'file:/test.pem', set, purpose, at });
}

function verdict(...args: Parameters<typeof examine>): string {
  const result = examine(...args);
  return result.kind === 'reached' ? 'reached' : result.problem;
}

describe('what is never accepted', () => {
  const ca = makeCa();
  const set = anchorSet(ca);

  test('nothing presented', () => assert.equal(verdict([], set), 'no-certificate'));

  test('anchors that are not available', () =>
    assert.equal(verdict([makeLeaf(ca)], null), 'anchors-unavailable'));

  test('a name of a form that nobody reads here, where it is broken', () => {
    const upn = der.oid('1.3.6.1.4.1.311.20.2.3');
    const text = der.tlv(0x0c, Buffer.from('ann@partner.test'));
    const value = der.tlv(0xa0, text);
    const withName = (name: Buffer): string =>
      verdict([makeLeaf(ca, ['mx.partner.test'], { otherNames: [name] })], set);
    assert.equal(withName(der.tlv(0xa0, upn, value)), 'reached');
    for (const broken of [
      der.tlv(0xa0),
      der.tlv(0xa0, upn),
      der.tlv(0xa0, value),
      der.tlv(0xa0, upn, text),
      der.tlv(0xa0, upn, der.tlv(0xa0)),
      der.tlv(0xa0, upn, value, value),
      der.tlv(0xa0, Buffer.from([1, 2, 3])),
      der.tlv(0xa5, Buffer.from([0x30, 9])),
      der.tlv(0x88, Buffer.from([0x80])),
    ]) {
      assert.equal(withName(broken), 'malformed', broken.toString('hex'));
    }
  });

  test('a leaf issued by a leaf', () => {
    const issuer = makeLeaf(ca, ['mx.partner.test']);
    const leaf = makeLeaf(issuer, ['mx.bank.test']);
    assert.equal(verdict([leaf, issuer], set), 'not-a-ca');
  });

  test('a leaf issued by a leaf that says keyCertSign', () => {
    const issuer = makeLeaf(ca, ['a.test'], { keyUsage: ['digitalSignature', 'keyCertSign'] });
    assert.equal(verdict([makeLeaf(issuer, ['mx.bank.test']), issuer], set), 'not-a-ca');
  });

  test('a self-signed leaf with the name and key identifier of the anchor', () => {
    const impostor = makeCa('Test CA', { subjectKeyId: 'right' });
    const leaf = makeLeaf({ ...impostor, keyId: ca.keyId }, ['mx.partner.test']);
    assert.equal(verdict([leaf], set), 'bad-signature');
    assert.equal(verdict([makeSelfSigned()], set), 'self-signed');
  });

  test('an intermediate of a constrained CA that issues for others', () => {
    const bound = makeIntermediate(ca, 'Bound', {
      nameConstraints: { permitted: ['DNS:partner.test'] },
    });
    const below = makeIntermediate(bound, 'Below');
    assert.equal(verdict([makeLeaf(below, ['mx.partner.test']), below, bound], set), 'reached');
    assert.equal(
      verdict([makeLeaf(below, ['mx.bank.test']), below, bound], set),
      'name-constraint',
    );
  });

  test('a common name outside of the constraint, where it would count as a name', () => {
    const bound = makeIntermediate(ca, 'Bound', {
      nameConstraints: { permitted: ['DNS:partner.test'] },
    });
    const leaf = makeLeaf(bound, [], { subject: 'CN=mx.bank.test' });
    assert.equal(verdict([leaf, bound], set), 'name-constraint');
  });

  test('a wildcard that reaches into what is excluded', () => {
    const bound = makeIntermediate(ca, 'Bound', {
      nameConstraints: { excluded: ['DNS:secret.partner.test'] },
    });
    assert.equal(verdict([makeLeaf(bound, ['*.partner.test']), bound], set), 'name-constraint');
    assert.equal(verdict([makeLeaf(bound, ['*.other.test']), bound], set), 'reached');
  });

  test('SHA-1 anywhere but in the anchor, and short RSA', () => {
    assert.equal(verdict([makeLeaf(ca, ['a.test'], { hash: 'sha1' })], set), 'weak-signature');
    const oldRoot = makeCa('Old', { hash: 'sha1' });
    assert.equal(verdict([makeLeaf(oldRoot)], anchorSet(oldRoot)), 'reached');
    assert.equal(verdict([makeLeaf(ca, ['a.test'], { key: 'rsa1024' })], set), 'weak-key');
  });

  test('an expired anchor', () => {
    const old = makeCa('Old', expired);
    assert.equal(verdict([makeLeaf(old)], anchorSet(old)), 'expired');
  });

  test('a certificate that is not strict DER', () => {
    const leaf = makeLeaf(ca);
    const padded = { ...leaf, der: Buffer.concat([leaf.der, Buffer.from([0])]) };
    assert.equal(verdict([padded], set), 'malformed');
    const garbage = { ...leaf, der: Buffer.from('nonsense') };
    assert.equal(verdict([garbage], set), 'malformed');
    assert.equal(verdict([makeLeaf(makeIntermediate(ca)), garbage], set), 'malformed');
  });

  test('an extension twice', () => {
    const usage = der.bitString(Buffer.from([0x80]), 7);
    const leaf = makeLeaf(ca, ['a.test'], {
      extensions: [{ oid: '2.5.29.15', critical: true, value: usage }],
    });
    assert.equal(verdict([leaf], set), 'malformed');
  });
});

describe('purposes', () => {
  const ca = makeCa();
  const set = anchorSet(ca);

  test('serverAuth only is met by serverAuth and either, not by clientAuth', () => {
    const leaf = makeLeaf(ca, ['a.test'], serverAuthOnly);
    assert.equal(verdict([leaf], set, 'clientAuth'), 'wrong-purpose');
    assert.equal(verdict([leaf], set, 'serverAuth'), 'reached');
    assert.equal(verdict([leaf], set, 'either'), 'reached');
  });

  test('either is not met by a leaf for one and a CA for the other', () => {
    const bound = makeIntermediate(ca, 'Servers', serverAuthOnly);
    const leaf = makeLeaf(bound, ['a.test'], clientAuthOnly);
    assert.equal(verdict([leaf, bound], set, 'either'), 'wrong-purpose');
  });

  test('the wrong purpose does not hide an untrusted CA', () => {
    const leaf = makeLeaf(makeCa('Stranger'), ['a.test'], serverAuthOnly);
    assert.equal(verdict([leaf], set, 'clientAuth'), 'untrusted-root');
  });
});

describe('anchors', () => {
  const ca = makeCa();
  const intermediate = makeIntermediate(ca);
  const leaf = makeLeaf(intermediate);

  test('a listed intermediate is enough, without its root', () => {
    assert.equal(verdict([leaf, intermediate], anchorSet(intermediate)), 'reached');
    assert.equal(verdict([leaf], anchorSet(intermediate)), 'reached');
  });

  test('a listed leaf is accepted by equality, and accepts no other', () => {
    const single = makeSelfSigned(['mx.partner.test']);
    const set = anchorSet(single, leaf);
    assert.equal(verdict([single], set), 'reached');
    assert.equal(verdict([leaf], set), 'reached');
    assert.equal(verdict([makeLeaf(single, ['mx.bank.test'])], set), 'not-a-ca');
    assert.equal(verdict([makeSelfSigned(['mx.partner.test'])], set), 'self-signed');
  });

  test('a listed leaf still expires and keeps its purpose', () => {
    const old = makeSelfSigned(['a.test'], expired);
    assert.equal(verdict([old], anchorSet(old)), 'expired');
    const servers = makeSelfSigned(['a.test'], serverAuthOnly);
    assert.equal(verdict([servers], anchorSet(servers), 'clientAuth'), 'wrong-purpose');
  });

  test('the result names the anchor and the overlap of all validities', () => {
    const notBefore = new Date(Math.floor((now - day / 2) / 1000) * 1000);
    const notAfter = new Date(Math.floor((now + day) / 1000) * 1000);
    const short = makeIntermediate(ca, 'Short', { notAfter });
    const result = examine([makeLeaf(short, ['a.test'], { notBefore }), short], anchorSet(ca));
    assert.ok(result.kind === 'reached');
    assert.equal(result.anchorFingerprint256, ca.fingerprint256);
    assert.equal(result.notBefore, notBefore.toISOString());
    assert.equal(result.notAfter, notAfter.toISOString());
  });
});

describe('several possible paths', () => {
  const ca = makeCa('Root');
  const stranger = makeCa('Stranger');
  const good = makeIntermediate(ca, 'Middle');
  const leaf = makeLeaf(good);

  test('an expired cross-sign beside a good one does not stand in the way', () => {
    const old = makeIntermediate(ca, 'Middle', { key: good.key, ...expired });
    const foreign = makeIntermediate(stranger, 'Middle', { key: good.key });
    for (const sent of [
      [old, good],
      [good, old],
      [foreign, good],
      [foreign, old, good],
    ]) {
      assert.equal(
        verdict([leaf, ...sent], anchorSet(ca)),
        'reached',
        chainPem(...sent).slice(0, 9),
      );
    }
    assert.equal(verdict([leaf, foreign, old], anchorSet(ca)), 'expired');
  });

  test('the same name with another key is passed over', () => {
    const other = makeCa('Root');
    assert.equal(verdict([leaf, good], anchorSet(other, ca)), 'reached');
  });

  test('certificates in any order, with others in between', () => {
    const deep = makeIntermediate(good, 'Deep');
    const last = makeLeaf(deep);
    assert.equal(verdict([last, stranger, good, leaf, deep], anchorSet(ca)), 'reached');
  });
});

describe('limits', () => {
  test('an anchor at depth 8 is reached, at depth 9 it is not', () => {
    const ca = makeCa();
    const chain: TestCertificate[] = [];
    let issuer = ca;
    for (let depth = 1; depth < 8; depth += 1) {
      issuer = makeIntermediate(issuer, `Depth ${depth}`);
      chain.unshift(issuer);
    }
    assert.equal(verdict([makeLeaf(issuer), ...chain], anchorSet(ca)), 'reached');
    const ninth = makeIntermediate(issuer, 'Depth 8');
    assert.equal(verdict([makeLeaf(ninth), ninth, ...chain], anchorSet(ca)), 'limit-exceeded');
  });

  test('many CAs of one name cost a bounded number of signature checks', () => {
    const ca = makeCa();
    // Without key identifiers each of them could be the issuer.
    const none = { subjectKeyId: 'absent', authorityKeyId: 'absent' } as const;
    const twins = Array.from({ length: 40 }, () => makeCa('Twin', none));
    const leaf = makeLeaf(makeCa('Twin', none), ['a.test'], none);
    assert.equal(verdict([leaf], anchorSet(ca, ...twins)), 'limit-exceeded');
  });

  test('a mesh of cross-signed CAs ends', () => {
    const ca = makeCa();
    const names = Array.from({ length: 4 }, (_, index) => makeCa(`Mesh ${index}`));
    const mesh = names.flatMap((subject, at) =>
      names
        .filter((issuer) => issuer !== subject)
        .map((issuer) => makeIntermediate(issuer, `Mesh ${at}`, { key: subject.key })),
    );
    const leaf = makeLeaf(names[0]!, ['a.test']);
    const before = process.cpuUsage();
    assert.match(verdict([leaf, ...mesh], anchorSet(ca)), /^(untrusted-root|limit-exceeded)$/);
    assert.ok(process.cpuUsage(before).user < 1_000_000);
  });
});

describe('memory of examinations', () => {
  const ca = makeCa();

  test('a remembered path ends with its validity', () => {
    const set = anchorSet(ca);
    const leaf = makeLeaf(ca, ['a.test'], { notAfter: new Date(now + day) });
    assert.equal(verdict([leaf], set), 'reached');
    assert.equal(set.examined.size, 1);
    assert.equal(verdict([leaf], set, 'either', now + 2 * day), 'expired');
    assert.equal(verdict([leaf], set, 'either', now - 2 * day), 'not-yet-valid');
    assert.equal(verdict([leaf], set), 'reached');
  });

  test('purposes and chains are remembered apart', () => {
    const set = anchorSet(ca);
    const middle = makeIntermediate(ca);
    const leaf = makeLeaf(middle, ['a.test'], serverAuthOnly);
    assert.equal(verdict([leaf, middle], set, 'serverAuth'), 'reached');
    assert.equal(verdict([leaf, middle], set, 'clientAuth'), 'wrong-purpose');
    assert.equal(verdict([leaf], set, 'serverAuth'), 'untrusted-root');
  });

  test('the search itself tells the path, leaf first', () => {
    const middle = makeIntermediate(ca);
    const leaf = makeLeaf(middle);
    const chain = new PresentedChain([leaf.der, middle.der]);
    const set = anchorSet(ca);
    const found = findPath(chain, { anchors: 'x', set, purpose: 'either', at: now });
    assert.ok('path' in found);
    assert.deepEqual(
      found.path.map((each) => each.fingerprint256),
      [leaf, middle, ca].map((each) => each.fingerprint256),
    );
  });
});
