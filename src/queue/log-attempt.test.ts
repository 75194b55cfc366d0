import assert from 'node:assert/strict';
import { it } from 'node:test';
import { address, evidence, policy } from '../../test/support/policy.ts';
import { status } from '../mail/enhanced-status.ts';
import { chooseOutbound } from '../policy/choose-outbound.ts';
import type { AttemptReport } from '../policy/delivery.ts';
import { logAttempt } from './log-attempt.ts';
import { silentLog } from '../report/log.ts';

it('a line for each outcome says where to, over what, with which result and why', () => {
  const lines: [string, Readonly<Record<string, unknown>>, string][] = [];
  const log = {
    ...silentLog,
    info: (fields: Readonly<Record<string, unknown>>, text: string) =>
      void lines.push(['info', fields, text]),
    warn: (fields: Readonly<Record<string, unknown>>, text: string) =>
      void lines.push(['warn', fields, text]),
  };
  const remoteMta = { hostName: 'mx.partner.test', address: '192.0.2.9', port: 25 };
  const common = { reply: null, remoteMta, at: '2026-11-22T12:00:00.000Z' };
  const report: AttemptReport = {
    startedAtMs: 0,
    endedAtMs: 7,
    routes: [
      {
        decision: chooseOutbound(policy(), 'org', address('a@partner.test')),
        candidates: [
          {
            hostName: 'mx.partner.test',
            address: '192.0.2.9',
            port: 25,
            addedClauses: [],
            evidence: evidence(),
            verdict: { kind: 'proceed', met: [] },
          },
        ],
        outcomes: [
          {
            recipient: address('a@partner.test'),
            outcome: {
              kind: 'delivered',
              handedTo: 'relay',
              status: status('2.0.0'),
              reason: 'accepted',
              ...common,
            },
          },
          {
            recipient: address('b@partner.test'),
            outcome: {
              kind: 'deferred',
              cause: 'peer-reply',
              status: status('4.2.2'),
              reason: 'mailbox full',
              ...common,
            },
          },
        ],
        clauses: [],
        hasFailedTlsOnly: false,
      },
    ],
  };
  const division = { expired: [], nextAttemptAtMs: Date.UTC(2026, 10, 22) };
  logAttempt(log, { id: '0SA699YZW000', ordinal: 0, attempts: 1 }, report, division);
  assert.deepEqual(
    lines.map(([level, fields, text]) => [
      level,
      text,
      fields['recipients'],
      fields['status'],
      fields['cause'],
    ]),
    [
      ['info', 'delivered', ['a@partner.test'], '2.0.0', undefined],
      ['warn', 'deferred', ['b@partner.test'], '4.2.2', 'peer-reply'],
    ],
  );
  for (const [, fields] of lines) {
    assert.equal(fields['queueId'], '0SA699YZW000');
    assert.equal(fields['remote'], 'mx.partner.test[192.0.2.9]:25');
    assert.equal(fields['tls'], 'TLSv1.3 TLS_AES_256_GCM_SHA384 X25519MLKEM768');
    assert.equal(fields['attempt'], 2);
  }
});
