/** Stored traces read back: as they were written, and what is damaged or gone is said. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatQueueId } from '../mail/queue-id.ts';
import type { RecordedMessage, RecordedRefusal } from '../policy/recorded.ts';
import {
  address,
  clearSession,
  inboundConnector,
  noon,
  patterns,
  policy,
  serverEvidence,
} from '../../test/support/policy.ts';
import type { Mail } from '../../test/support/recorded-mail.ts';
import { recordMail } from '../../test/support/recorded-mail.ts';
import { RecordedReader } from './read-recorded.ts';

const key = 890_000_000_000_000;
const id = formatQueueId({ key, shard: 0 });
const observed = inboundConnector('partner', {
  mode: 'observe',
  senderDomains: patterns('partner.test'),
  requireTls: true,
});

function mail(shown = clearSession(), to = ['user@example.test']): Mail {
  return {
    session: {
      listener: 'mx',
      clientAddress: '203.0.113.9',
      heloName: 'mail.partner.test',
      evidence: { ...shown, peer: { ...shown.peer, address: '203.0.113.9' } },
      account: null,
      reversePath: address('ann@partner.test'),
    },
    recipients: to.map(address),
    atMs: noon,
  };
}

const value = policy({
  inboundConnectors: [observed],
  aliases: [{ address: address('sales@example.test'), to: [address('user@example.test')] }],
});
const written = recordMail(value, mail(), key);
const jsons = written.records.map(({ json }) => json);

function read(records: readonly string[], facts = written.facts) {
  const reader = new RecordedReader();
  reader.takeFacts(facts);
  return reader.read({ id, records }, noon);
}

test('a message is read as it was decided: session, who was asked, what connectors would have said', () => {
  const recorded = read(jsons) as RecordedMessage;
  assert.equal(recorded.kind, 'message');
  assert.equal(recorded.isPartial, false);
  assert.equal(recorded.organization, 'org');
  assert.deepEqual(recorded.arrival?.session, mail().session);
  const [accepted] = recorded.arrival.accepted;
  assert.deepEqual(accepted?.recipient, address('user@example.test'));
  assert.deepEqual(
    accepted?.shadow.map(({ connector, isMet }) => [connector, isMet]),
    [['partner', false]],
  );
  assert.equal(recorded.recipients[0]?.last?.kind, 'delivered');
});

test('who was asked is told from the alias that led to a recipient', () => {
  const aliased = recordMail(value, mail(clearSession(), ['sales@example.test']), key);
  const one = read(
    aliased.records.map(({ json }) => json),
    aliased.facts,
  ) as RecordedMessage;
  assert.deepEqual(one.arrival?.accepted[0]?.recipient, address('sales@example.test'));
  assert.deepEqual(one.recipients[0]?.recipient, address('user@example.test'));
  assert.deepEqual(one.recipients[0]?.named, address('sales@example.test'));
});

test('a refusal names whose policy it was', () => {
  const enforced = { ...observed, mode: 'enforce' } as const;
  const refused = recordMail(policy({ inboundConnectors: [enforced] }), mail(), key);
  const recorded = read(
    refused.records.map(({ json }) => json),
    refused.facts,
  ) as RecordedRefusal;
  assert.deepEqual(
    [recorded.kind, recorded.organization, recorded.connector, recorded.code, recorded.status],
    ['refusal', 'org', 'partner', 454, '4.7.0'],
  );
  assert.deepEqual(recorded.session, mail().session);
  const relay = recordMail(policy(), mail(serverEvidence(), ['bob@far.test']), key);
  const denied = read(
    relay.records.map(({ json }) => json),
    relay.facts,
  ) as RecordedRefusal;
  assert.equal(denied.organization, null);
});

test('what is damaged, of a later version or without its beginning is unreadable, with the reason', () => {
  const reasons = [
    ['{ damaged', ...jsons.slice(1)],
    [jsons[0]!.replace('"formatVersion":1', '"formatVersion":2')],
    jsons.slice(1),
    [jsons[0]!.replace('"recipients":["user@example.test"]', '"recipients":["\\u0000"]')],
    [jsons[0]!.replace('"deliveries":[', '"deliverie5":[')],
    ['[]'],
    [],
  ].map((records) => {
    const recorded = read(records);
    assert.equal(recorded.kind, 'unreadable');
    return recorded.kind === 'unreadable' ? recorded.reason : '';
  });
  assert.deepEqual(reasons, [
    'a record is damaged',
    'a record is of a later version',
    'its first record is forgotten',
    'a record is damaged',
    'a record is damaged',
    'a record is of a later version',
    'its first record is forgotten',
  ]);
});

test('a fact that is gone or damaged makes a record partial', () => {
  const isPartial = (facts: typeof written.facts): unknown => {
    const recorded = read(jsons, facts);
    return recorded.kind === 'message' ? recorded.isPartial : recorded.kind;
  };
  assert.equal(isPartial(written.facts), false);
  assert.equal(isPartial([]), true);
  for (const kind of ['decision', 'evidence']) {
    assert.equal(isPartial(written.facts.filter((fact) => fact.kind !== kind)), true, kind);
    const damaged = written.facts.map((fact) =>
      fact.kind === kind ? { ...fact, json: '{' } : fact,
    );
    assert.equal(isPartial(damaged), true, kind);
  }
});
