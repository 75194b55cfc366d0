import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatEnhancedStatus, status } from '../mail/enhanced-status.ts';
import { reply } from '../mail/reply.ts';
import { classifyAccepted, classifyTrouble } from './classify.ts';
import type { Trouble, WireStage } from './classify.ts';

const context = {
  remoteMta: { hostName: 'mx.partner.test', address: '192.0.2.1', port: 25 },
  at: '2026-11-22T12:00:00.000Z',
};

function words(trouble: Trouble): string {
  const outcome = classifyTrouble(trouble, context);
  assert(outcome.kind === 'deferred' || outcome.kind === 'bounced');
  assert.equal(outcome.status.class, outcome.kind === 'deferred' ? 4 : 5);
  assert.equal(outcome.remoteMta, context.remoteMta);
  assert.doesNotMatch(outcome.reason, /\.$/);
  return `${outcome.kind} ${formatEnhancedStatus(outcome.status)} ${outcome.cause}: ${outcome.reason}`;
}

function said(stage: WireStage, answer: ReturnType<typeof reply>, isEncrypted = true): string {
  return words({ kind: 'reply', stage, reply: answer, isEncrypted }).split(':')[0]!;
}

const connect = (code: string): Trouble => ({ kind: 'connect', code, detail: 'mx.partner.test' });

const facts: readonly [string, Trouble, string][] = [
  [
    'a DNS failure',
    { kind: 'dns', reason: 'servfail' },
    'deferred 4.4.312 dns: DNS query failed: servfail',
  ],
  [
    'a timeout',
    connect('ETIMEDOUT'),
    'deferred 4.4.315 timeout: Connection timed out: mx.partner.test',
  ],
  [
    'a refused connection',
    connect('ECONNREFUSED'),
    'deferred 4.4.316 connect: Connection refused: mx.partner.test',
  ],
  [
    'no route',
    connect('EHOSTUNREACH'),
    'deferred 4.4.317 connect: Cannot connect to remote server: mx.partner.test',
  ],
  [
    'a reset',
    connect('ECONNRESET'),
    'deferred 4.4.318 connect: Connection was closed abruptly: mx.partner.test',
  ],
  [
    'an untrusted root',
    {
      kind: 'tls',
      status: status('4.4.317'),
      cause: 'tls-requirement',
      problem: 'UntrustedRoot',
      reason: 'seen',
    },
    'deferred 4.4.317 tls-requirement: Cannot connect to remote server [Message=UntrustedRoot]: seen',
  ],
  [
    'an expired certificate',
    {
      kind: 'tls',
      status: status('4.7.320'),
      cause: 'tls-requirement',
      problem: 'Expired',
      reason: 'seen',
    },
    'deferred 4.7.320 tls-requirement: Certificate validation failed [Message=Expired]: seen',
  ],
  [
    'a connection that was not examined',
    {
      kind: 'tls',
      status: status('4.4.317'),
      cause: 'not-examined',
      problem: 'NotExamined',
      reason: 'seen',
    },
    'deferred 4.4.317 tls-requirement: Cannot connect to remote server [Message=NotExamined]: seen',
  ],
  [
    'a connection lost after the content',
    {
      kind: 'lost',
      stage: 'content',
      loss: { cause: 'closed', code: 'CLOSED', detail: 'the server closed the connection' },
      mayHaveArrived: true,
    },
    'deferred 4.4.318 connection-lost: Connection was closed abruptly: the server closed the connection ' +
      'in answer to the content; the content had been sent whole, so that a retry may make a duplicate',
  ],
  [
    'a policy that nothing meets',
    { kind: 'policy', reason: 'x', isPermanent: false },
    'deferred 4.7.5 policy: x',
  ],
  [
    'an unknown mailbox of ours',
    { kind: 'policy', reason: 'x', isPermanent: true },
    'bounced 5.1.1 policy: x',
  ],
];

for (const [what, trouble, expected] of facts) {
  test(`says of ${what}: ${expected.split(':')[0]}`, () => assert.equal(words(trouble), expected));
}

test('a refusal for good bounces, but not one that speaks of the host or of the order', () => {
  assert.equal(said('rcpt', reply(550, '5.1.1', 'no')), 'bounced 5.1.1 peer-reply');
  assert.equal(said('rcpt', reply(550, null, 'no')), 'bounced 5.0.0 peer-reply');
  assert.equal(said('content', reply(554, '5.7.1', 'spam')), 'bounced 5.7.1 peer-reply');
  assert.equal(said('greeting', reply(554, '5.7.1', 'listed')), 'deferred 4.0.0 peer-reply');
  assert.equal(said('greeting', reply(521, null, 'no mail here')), 'bounced 5.3.2 peer-reply');
  assert.equal(said('mail', reply(503, '5.5.1', 'nested MAIL')), 'deferred 4.5.0 peer-reply');
  assert.equal(said('rcpt', reply(450, '4.2.0', 'grey')), 'deferred 4.2.0 peer-reply');
  assert.equal(said('rcpt', reply(421, null, 'bye')), 'deferred 4.3.2 peer-reply');
  assert.equal(said('data', reply(250, '2.0.0', 'what')), 'deferred 4.5.0 peer-reply');
});

test('a demand of TLS on a connection in clear is no bounce', () => {
  assert.equal(
    said('mail', reply(530, '5.7.0', 'Must issue STARTTLS'), false),
    'deferred 4.4.317 tls-not-offered',
  );
  assert.equal(
    said('mail', reply(451, '5.7.3', 'STARTTLS is required'), false),
    'deferred 4.4.317 tls-not-offered',
  );
  assert.equal(
    said('mail', reply(530, '5.7.0', 'Authentication required')),
    'bounced 5.7.0 peer-reply',
  );
});

test('what the server accepted is delivered with its own words', () => {
  const outcome = classifyAccepted(reply(250, '2.6.0', 'queued as X'), context, {
    handedTo: 'relay',
    clearTextReason: null,
  });
  assert.equal(outcome.kind, 'delivered');
  assert.equal(formatEnhancedStatus(outcome.status), '2.6.0');
  assert.equal(outcome.reason, 'accepted by mx.partner.test [192.0.2.1]');
});
