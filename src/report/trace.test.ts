/** Trace records: canonical, versioned, citing each decision and evidence once by hash. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { status } from '../mail/enhanced-status.ts';
import { formatQueueId } from '../mail/queue-id.ts';
import { reply } from '../mail/reply.ts';
import type { OutboundDecision } from '../policy/decision.ts';
import type { AttemptReport, IncomingMessage } from '../policy/delivery.ts';
import type { Evidence } from '../policy/evidence.ts';
import type { Outcome } from '../policy/outcome.ts';
import type { Clause } from '../policy/tls-requirement.ts';
import { canonicalJson } from '../standards/canonical-json/canonical-json.ts';
import { hashText } from './hash-text.ts';
import { describeTrace, formatTraceText } from './show-trace.ts';
import type { Recorded } from './trace.ts';
import {
  recordAttempt,
  recordDsn,
  recordExpired,
  recordHeld,
  recordReceived,
  recordRefusal,
  recordReleased,
} from './trace.ts';

const id = formatQueueId({ key: 890_000_000_000_000, shard: 3 });
const atMs = Date.UTC(2026, 10, 22, 3, 53, 43, 7);
const bob = { localPart: 'bob', domain: 'partner.example' };

function makeEvidence(changes: Partial<Evidence> = {}): Evidence {
  return {
    formatVersion: 1,
    connectionId: 'c1',
    observedAt: '2026-11-22T03:53:43.000Z',
    role: 'client',
    peer: { address: '192.0.2.9', port: 25, hostName: 'mx.partner.example' },
    encryption: 'established',
    failure: null,
    tls: {
      protocol: 'TLSv1.3',
      cipher: 'TLS_AES_256_GCM_SHA384',
      cipherStandardName: 'TLS_AES_256_GCM_SHA384',
      group: 'X25519MLKEM768',
      mode: 'starttls',
      sni: 'mx.partner.example',
      chain: [
        {
          fingerprint256: 'f',
          spki256: 'pin',
          subject: 'CN=other.example',
          issuer: 'CN=Some CA',
          serialNumber: '1',
          notBefore: '2026-01-01T00:00:00.000Z',
          notAfter: '2027-01-01T00:00:00.000Z',
          dnsNames: ['other.example'],
          commonName: null,
          isSelfSigned: false,
        },
      ],
      paths: [
        {
          kind: 'not-reached',
          anchors: 'bundled',
          purpose: 'serverAuth',
          problem: 'untrusted-root',
          detail: 'CN=Some CA is no anchor',
        },
      ],
      openssl: null,
      revocation: 'not-checked',
      ownCertificate: null,
      resumedFrom: null,
    },
    ...changes,
  };
}

const clause: Clause = { kind: 'encrypted', origin: { kind: 'connector', name: 'partner' } };
const decision: OutboundDecision = {
  formatVersion: 1,
  policyRevision: 'cafe',
  organization: 'o',
  recipientDomain: 'partner.example',
  considered: [
    { connector: 'partner', result: 'chosen', reason: 'names partner.example itself' },
    { connector: 'all', result: 'lost', reason: 'is less specific' },
  ],
  connector: 'partner',
  destination: { kind: 'mx' },
  requirement: { clauses: [clause] },
  shadow: [],
  anchors: 'bundled',
  clientCertificate: null,
  clearTextAfterFailedTls: false,
  postQuantum: 'prefer',
  cloudServicesMailEnabled: false,
  originatorOrg: null,
};
const session = makeEvidence({ role: 'server', tls: null, encryption: 'not-used' });
const inboundDecision = { recipients: [{ considered: decision.considered }] };
const message: IncomingMessage = {
  id,
  organization: 'o',
  reversePath: { localPart: 'alice', domain: 'example.test' },
  recipients: [bob],
  bodyType: '7bit',
  content: { kind: 'memory', bytes: Buffer.from('Subject: secret\r\n\r\n') },
  source: { kind: 'submission', account: 'alice' },
  receivedAtMs: atMs,
  clauses: [],
  evidence: session,
  decision: inboundDecision,
};
const deliveries = [{ ordinal: 0, recipients: [bob], routeKey: 'mx o', floor: [clause] }];
const deferred: Outcome = {
  kind: 'deferred',
  cause: 'tls-requirement',
  status: status('4.7.320'),
  reason: 'the path did not lead to a trusted CA',
  reply: reply(454, '4.7.0', 'one', 'two'),
  remoteMta: { hostName: 'mx.partner.example', address: '192.0.2.9', port: 25 },
  at: '2026-11-22T03:53:44.000Z',
};
const shared = makeEvidence();
const report: AttemptReport = {
  startedAtMs: atMs,
  endedAtMs: atMs + 1000,
  routes: [
    {
      decision,
      candidates: ['mx1', 'mx2'].map((name) => ({
        hostName: `${name}.partner.example`,
        address: '192.0.2.9',
        port: 25,
        addedClauses: [clause],
        evidence: shared,
        verdict: { kind: 'refuse', status: '4.7.320', reason: 'untrusted' },
      })),
      outcomes: [{ recipient: bob, outcome: deferred }],
      clauses: [clause],
      hasFailedTlsOnly: true,
    },
  ],
};
const delivery = { id, ordinal: 0, attempts: 1 };

const everything: readonly Recorded[] = [
  recordReceived(message, deliveries),
  recordAttempt(delivery, report, atMs + 900_000),
  recordHeld(delivery, { atMs: atMs + 2000, cause: 'policy-weakened', reason: 'was stricter' }),
  recordReleased(delivery, { atMs: atMs + 3000, by: 'root', lost: ['encryption'] }),
  recordExpired(delivery, { atMs: atMs + 4000, outcomes: [{ recipient: bob, outcome: deferred }] }),
  recordDsn(id, { ...message, id: id.replace(/.$/, '1'), receivedAtMs: atMs + 5000 }, [
    {
      recipient: bob,
      action: 'delayed',
      outcome: deferred,
      clauses: [],
      candidates: [],
      nextAttemptAtMs: atMs + 900_000,
      willRetryUntilMs: atMs + 86_400_000,
    },
  ]),
  recordRefusal({
    id,
    atMs: atMs + 6000,
    reply: reply(550, '5.7.51', 'no'),
    decision: { ...inboundDecision, reason: 'no connector allows it' },
    evidence: session,
    reversePath: null,
    recipient: bob,
    clientAddress: '192.0.2.1',
  }),
];
const stored = {
  records: everything.flatMap(({ records }) => records),
  facts: everything.flatMap(({ facts }) => facts),
};

test('writes canonical JSON with format version, id, time and kind', () => {
  for (const record of stored.records) {
    const data = JSON.parse(record.json) as Record<string, unknown>;
    assert.equal(canonicalJson(data), record.json);
    assert.equal(data['formatVersion'], 1);
    assert.equal(data['id'], id);
    assert.equal(data['kind'], record.kind);
    assert.equal(data['at'], new Date(record.atMs).toISOString());
    assert.equal(record.key, 890_000_000_000_000);
  }
});

test('cites facts by the hash of their canonical JSON', () => {
  for (const fact of stored.facts) assert.equal(fact.hash, hashText(fact.json));
  const cited = new Set(stored.facts.map(({ hash }) => hash));
  const hashes = stored.records.flatMap(({ json }) =>
    [...json.matchAll(/"(?:decision|evidence)":"([^"]+)"/g)].map((match) => match[1]!),
  );
  assert.ok(hashes.length >= 7);
  for (const hash of hashes) assert.ok(cited.has(hash));
});

test('hands over one fact where several candidates share the evidence', () => {
  const { facts } = recordAttempt(delivery, report);
  assert.deepEqual(facts.map(({ kind }) => kind).sort(), ['clauses', 'decision', 'evidence']);
});

test('makes the fact of a shared object once, and equal values get the same hash', () => {
  const [first] = recordAttempt(delivery, report).facts;
  const [second] = recordAttempt({ ...delivery, attempts: 2 }, report).facts;
  assert.equal(first, second);
  const equal = recordReceived({ ...message, evidence: structuredClone(session) }, deliveries);
  assert.deepEqual(equal.facts, recordReceived(message, deliveries).facts);
});

test('keeps nothing of the content', () => {
  for (const { json } of stored.records) assert.ok(!json.includes('secret'));
});

test('records a DSN of ours, which has neither evidence nor decision', () => {
  const own = { ...message, evidence: null, decision: null, reversePath: null };
  const { records, facts } = recordReceived(own, []);
  assert.deepEqual(facts, []);
  assert.match(records[0]!.json, /"reversePath":""/);
});

test('an alias that led to a recipient is kept, shown and found; without one nothing is written', () => {
  const named = { localPart: 'Sales', domain: 'example.test' };
  const led = { ...deliveries[0]!, recipients: [{ ...bob, aliasedFrom: named }] };
  const recorded = recordReceived(message, [led]);
  assert.deepEqual(recorded.records[0]!.index?.recipients, [
    'bob@partner.example',
    'Sales@example.test',
  ]);
  const attempt = recordAttempt(delivery, report, null);
  const view = describeTrace({
    records: [...recorded.records, ...attempt.records],
    facts: [...recorded.facts, ...attempt.facts],
  });
  const [received] = view.events;
  assert.ok(received?.kind === 'received');
  assert.deepEqual(received.deliveries[0]!.aliasedFrom, {
    'bob@partner.example': 'Sales@example.test',
  });
  assert.deepEqual(
    view.recipients.map(({ recipient, aliasedFrom }) => [recipient, aliasedFrom]),
    [['bob@partner.example', 'Sales@example.test']],
  );
  assert.notEqual(view.recipients[0]!.state, 'queued');
  assert.match(
    formatTraceText(view),
    /delivery 0 to bob@partner\.example \(by Sales@example\.test\)/,
  );
  assert.doesNotMatch(stored.records[0]!.json, /aliasedFrom/);
});

test('mail that a rule deleted was taken: it is not called refused', () => {
  const deleted = recordRefusal({
    id,
    atMs,
    reply: reply(250, '2.0.0', 'taken, and deleted by a rule'),
    decision: { ...inboundDecision, result: 'deleted' },
    evidence: session,
    reversePath: bob,
    recipient: null,
    clientAddress: '192.0.2.1',
  });
  const text = formatTraceText(describeTrace(deleted));
  assert.match(text, / taken and deleted, from client 192\.0\.2\.1, from bob@partner\.example\n/);
  assert.doesNotMatch(text, /refused/);
});

test('refuses an id that is no queue id', () => {
  assert.throws(() => recordHeld({ id: 'x', ordinal: 0 }, { atMs, cause: 'c', reason: 'r' }));
});

test('shows decisions and evidence in the place of their hashes, in order of time', () => {
  const shuffled = { records: stored.records.toReversed(), facts: stored.facts };
  const view = describeTrace(shuffled);
  assert.equal(view.id, id);
  assert.deepEqual(
    view.events.map(({ kind }) => kind),
    ['received', 'attempt', 'held', 'released', 'expired', 'dsn', 'refused'],
  );
  const [received, attempt] = view.events;
  assert.ok(received?.kind === 'received' && attempt?.kind === 'attempt');
  assert.deepEqual(received.evidence, session);
  assert.deepEqual(received.decision, inboundDecision);
  assert.deepEqual(attempt.routes[0]!.decision, decision);
  assert.deepEqual(attempt.routes[0]!.candidates[1]!.evidence, shared);
  assert.deepEqual(attempt.routes[0]!.outcomes[0]!.reply, {
    code: 454,
    lines: ['one', 'two'],
    status: '4.7.0',
  });
});

test('tells the story in words', () => {
  const text = formatTraceText(describeTrace(stored));
  const lines = [
    `trace of ${id}`,
    '2026-11-22T03:53:43.007Z  received from alice@example.test, 19 bytes',
    '    submitted by account alice',
    '    session with 192.0.2.9 port 25, TLS not used',
    '    connector "all" lost: is less specific',
    '      never with less than encryption (connector "partner")',
    '2026-11-22T03:53:44.007Z  attempt 2 of delivery 0, begun 2026-11-22T03:53:43.007Z',
    '    route for partner.example: MX (policy cafe)',
    '    required: encryption (connector "partner")',
    '    host mx1.partner.example [192.0.2.9] port 25',
    '      seen: 192.0.2.9 port 25, TLSv1.3 TLS_AES_256_GCM_SHA384, group X25519MLKEM768 (starttls)',
    '        leads to no CA of bundled (serverAuth): untrusted-root, CN=Some CA is no anchor',
    '      verdict: refuse 4.7.320, untrusted',
    '    bob@partner.example: deferred 4.7.320, the path did not lead to a trusted CA',
    '      answer 454 4.7.0 two',
    '    next attempt 2026-11-22T04:08:43.007Z',
    '2026-11-22T03:53:46.007Z  released: delivery 0, by root',
    '2026-11-22T03:53:49.007Z  refused 192.0.2.1, from <>, to bob@partner.example',
    '    answered 550 5.7.51 no',
    '    reason: no connector allows it',
  ];
  for (const line of lines) assert.ok(text.split('\n').includes(line), `${line}\nnot in\n${text}`);
});

test('says what was removed from the header and added to it', () => {
  const headerChanges = { removed: { 'Return-Path': 1, 'X-OriginatorOrg': 2 }, added: ['Date'] };
  const text = formatTraceText(
    describeTrace(recordReceived({ ...message, headerChanges }, deliveries)),
  );
  assert.match(text, /^ {4}removed from the header: Return-Path, 2 × X-OriginatorOrg$/m);
  assert.match(text, /^ {4}added to the header: Date$/m);
  const plain = formatTraceText(describeTrace(recordReceived(message, deliveries)));
  assert.doesNotMatch(plain, /the header/);
});

test('keeps what the rules said of a message, and nothing where they were silent', () => {
  const ruling = { connector: 'vault', rule: 'to the vault', overrides: [], clauses: [clause] };
  const [ruled] = describeTrace(recordReceived({ ...message, ruling }, deliveries)).events;
  assert.deepEqual(ruled?.kind === 'received' ? ruled.ruling : null, ruling);
  const [plain] = describeTrace(recordReceived(message, deliveries)).events;
  assert.equal('ruling' in plain!, false);
});

test('lets no control character of a peer reach the terminal', () => {
  const evil = { ...deferred, reason: 'x\u001b[2Jy\u202e\r\nz' };
  const { records } = recordExpired(delivery, {
    atMs,
    outcomes: [{ recipient: bob, outcome: evil }],
  });
  const text = formatTraceText(describeTrace({ records, facts: [] }));
  assert.match(text, /^[ -~\n]*$/);
});

test('names missing facts, later versions, damage and unknown ids instead of failing', () => {
  const view = describeTrace({ records: stored.records, facts: [] });
  assert.match(formatTraceText(view), /the decision is no longer stored/);
  assert.match(formatTraceText(view), /required: clauses that are no longer stored/);
  const later = { key: 1, atMs, kind: 'held' as const, json: `{"formatVersion":2,"id":"${id}"}` };
  const text = formatTraceText(describeTrace({ records: [later], facts: [] }));
  assert.match(text, /a record of format version 2/);
  const facts = stored.facts.map((fact) => ({ ...fact, json: fact.json.slice(1) }));
  const damaged = { ...later, json: later.json.slice(1) };
  const rest = describeTrace({ records: [...stored.records, damaged], facts });
  assert.match(formatTraceText(rest), /a record that is damaged in the store/);
  assert.match(formatTraceText(rest), /the decision is no longer stored/);
  assert.equal(rest.events.length, stored.records.length + 1);
  const nothing = formatTraceText(describeTrace({ records: [], facts: [] }));
  assert.equal(nothing, 'nothing is recorded under this id\n');
});
