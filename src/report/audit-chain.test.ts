import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AuditEvent, AuditLink, ChainVerdict } from './audit-chain.ts';
import { ChainVerifier, linkAuditEvent } from './audit-chain.ts';
import { hashText } from './hash-text.ts';

function makeEvent(number: number): AuditEvent {
  return {
    at: '2026-11-28T20:00:00.000Z',
    actor: { kind: 'session', person: 'ada', credential: 's1', address: '192.0.2.1' },
    action: 'person.changed',
    organization: null,
    object: { kind: 'person', name: `p${number}` },
    reason: null,
    before: { isEnabled: true },
    after: { isEnabled: false },
  };
}

function makeChain(length: number): AuditLink[] {
  const links: AuditLink[] = [];
  for (let i = 0; i < length; i++) links.push(linkAuditEvent(makeEvent(i), links.at(-1) ?? null));
  return links;
}

function verify(links: readonly AuditLink[]): ChainVerdict {
  const verifier = new ChainVerifier();
  for (const link of links) if (!verifier.take(link)) break;
  return verifier.verdict();
}

const brokenAt = (links: readonly AuditLink[]): number | null => {
  const verdict = verify(links);
  return verdict.kind === 'broken' ? verdict.number : null;
};

test('an entry that was changed breaks the chain there', () => {
  const links = makeChain(5);
  const json = links[2]!.json.replace('"person":"ada"', '"person":"bob"');
  assert.equal(brokenAt(links.with(2, { ...links[2]!, json })), 3);
});

test('an entry that was changed together with its hash breaks the chain behind it', () => {
  const links = makeChain(5);
  const json = links[2]!.json.replace('"person":"ada"', '"person":"bob"');
  assert.equal(brokenAt(links.with(2, { ...links[2]!, json, hash: hashText(json) })), 4);
});

test('an entry that is missing, doubled, exchanged or put in between breaks the chain', () => {
  const links = makeChain(5);
  assert.equal(brokenAt(links.toSpliced(2, 1)), 3);
  assert.equal(brokenAt(links.slice(1)), 1);
  assert.equal(brokenAt(links.toSpliced(2, 0, links[1]!)), 3);
  assert.equal(brokenAt([links[0]!, links[2]!, links[1]!]), 2);
  const foreign = linkAuditEvent(makeEvent(9), { number: 2, hash: links[0]!.hash });
  assert.equal(brokenAt(links.with(2, foreign)), 3);
});

test('what is no entry breaks the chain', () => {
  for (const json of ['', '{', 'null', '[]', '{"formatVersion":2}', '"x"']) {
    assert.equal(brokenAt([{ number: 1, hash: hashText(json), json }]), 1, json);
  }
});

test('a whole chain is intact, and says how long it is and where it ends', () => {
  const links = makeChain(5);
  assert.deepEqual(verify(links), { kind: 'intact', entries: 5, newest: links[4]!.hash });
  assert.deepEqual(verify([]), { kind: 'intact', entries: 0, newest: null });
});

test('what is called like a secret does not get in, at any depth', () => {
  const { json } = linkAuditEvent(
    {
      ...makeEvent(1),
      before: { passwordHash: '$argon2id$x', list: [{ clientSecret: 'hunter2' }] },
      after: { digest: 'abcdef', recoveryCodes: ['hunter2'], hasPassword: true },
    },
    null,
  );
  assert.doesNotMatch(json, /argon2|hunter2|abcdef/);
  assert.match(json, /"hasPassword":true/);
});
