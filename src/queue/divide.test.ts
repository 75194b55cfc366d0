/** What an attempt means for the rest of a delivery. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { formatAddress, parseAddress } from '../mail/address.ts';
import { formatEnhancedStatus, status } from '../mail/enhanced-status.ts';
import type { Outcome } from '../policy/outcome.ts';
import type { Clause } from '../policy/tls-requirement.ts';
import { sampleDelivery } from '../store/sample-batch.ts';
import type { DivideBy, Tried } from './divide.ts';
import { divideByFate } from './divide.ts';

const hourMs = 60 * 60_000;
const nowMs = 1_800_000_000_000;
const schedule = { firstRetryMs: 15 * 60_000, maxRetryMs: hourMs, expiryMs: 24 * hourMs };
const by: DivideBy = {
  schedule,
  notices: null,
  nowMs,
  random: () => 0,
  routeKeyOf: (recipients) => `today ${recipients[0]!.domain}`,
};
const encrypted: Clause = { kind: 'encrypted', origin: { kind: 'connector', name: 'a' } };
const tls13: Clause = {
  kind: 'min-version',
  version: 'TLSv1.3',
  origin: { kind: 'connector', name: 'b' },
};

function outcome(kind: Outcome['kind']): Outcome {
  const at = new Date(nowMs).toISOString();
  const detail = {
    status: status('4.2.0'),
    reason: `it ${kind}`,
    reply: null,
    remoteMta: null,
    at,
  };
  if (kind === 'delivered') return { kind, handedTo: 'relay', ...detail };
  return kind === 'held'
    ? { kind, cause: 'policy-weakened', ...detail }
    : { kind, cause: 'timeout', ...detail };
}

function tried(fates: Readonly<Record<string, Outcome['kind']>>, over: Partial<Tried> = {}): Tried {
  const outcomes = Object.entries(fates).map(([text, kind]) => ({
    recipient: parseAddress(text)!,
    outcome: outcome(kind),
  }));
  return { outcomes, clauses: [], candidates: [], hasFailedTlsOnly: false, ...over };
}

function deliveryTo(recipients: readonly string[], over = {}) {
  const addresses = recipients.map((text) => parseAddress(text)!);
  return sampleDelivery(1, 4, {
    recipients: addresses,
    retriesFromMs: nowMs - hourMs,
    floor: [],
    ...over,
  });
}

const divide = (delivery: ReturnType<typeof deliveryTo>, ...routes: Tried[]) =>
  divideByFate(delivery, { endedAtMs: nowMs, routes }, by);

describe('divideByFate', () => {
  it('leaves nothing where all were delivered', () => {
    const division = divide(
      deliveryTo(['a@x.test', 'b@x.test']),
      tried({ 'a@x.test': 'delivered', 'b@x.test': 'delivered' }),
    );
    assert.deepEqual(division, {
      left: [],
      expired: [],
      reported: [],
      nextAttemptAtMs: null,
    });
  });

  it('divides deferred, held and failed recipients', () => {
    const delivery = deliveryTo(['a@x.test', 'b@x.test', 'c@x.test', 'd@x.test', 'e@x.test']);
    const division = divide(
      delivery,
      tried({
        'a@x.test': 'deferred',
        'b@x.test': 'held',
        'c@x.test': 'bounced',
        'd@x.test': 'delivered',
        'e@x.test': 'deferred',
      }),
    );
    const [deferred, held] = division.left;
    assert.deepEqual(deferred!.recipients.map(formatAddress), ['a@x.test', 'e@x.test']);
    assert.equal(deferred!.dueAtMs, nowMs + 15 * 60_000);
    assert.equal(deferred!.attempts, 1);
    assert.equal(deferred!.routeKey, 'today x.test');
    assert.equal(deferred!.lastOutcome!.kind, 'deferred');
    assert.equal(division.nextAttemptAtMs, deferred!.dueAtMs);
    assert.deepEqual(held!.recipients.map(formatAddress), ['b@x.test']);
    assert.equal(held!.state, 'held');
    assert.deepEqual(
      division.reported.map(({ recipient }) => formatAddress(recipient)),
      ['c@x.test'],
    );
  });

  it('raises the floor by what was demanded, per route, and never lowers it', () => {
    const delivery = deliveryTo(['a@x.test', 'b@y.test'], { floor: [encrypted] });
    const { left } = divide(
      delivery,
      tried({ 'a@x.test': 'deferred' }, { clauses: [tls13] }),
      tried({ 'b@y.test': 'deferred' }),
    );
    assert.deepEqual(left[0]!.floor, [encrypted, tls13]);
    assert.deepEqual(left[1]!.floor, [encrypted]);
  });

  it('notes attempts that failed in TLS only, the last eight', () => {
    const failedTlsAtMs = [1, 2, 3, 4, 5, 6, 7, 8];
    const delivery = deliveryTo(['a@x.test'], { failedTlsAtMs });
    const failed = divide(delivery, tried({ 'a@x.test': 'deferred' }, { hasFailedTlsOnly: true }));
    assert.deepEqual(failed.left[0]!.failedTlsAtMs, [2, 3, 4, 5, 6, 7, 8, nowMs]);
    const other = divide(delivery, tried({ 'a@x.test': 'deferred' }));
    assert.deepEqual(other.left[0]!.failedTlsAtMs, failedTlsAtMs);
  });

  it('bounces what is deferred after the expiry, with 4.4.7 and the last reason', () => {
    const delivery = deliveryTo(['a@x.test', 'b@x.test'], { retriesFromMs: nowMs - 24 * hourMs });
    const division = divide(delivery, tried({ 'a@x.test': 'deferred', 'b@x.test': 'bounced' }));
    assert.deepEqual(division.left, []);
    assert.deepEqual(
      division.reported.map(({ action }) => action),
      ['failed', 'failed'],
    );
    assert.equal(division.expired.length, 1);
    const { outcome } = division.expired[0]!;
    assert.equal(outcome.kind, 'bounced');
    assert.equal(formatEnhancedStatus(outcome.status), '4.4.7');
    assert.equal(outcome.reason, 'not delivered within 24 hours; last: it deferred');
  });

  it('keeps what is held although its time is over', () => {
    const delivery = deliveryTo(['a@x.test'], { retriesFromMs: 0 });
    const division = divide(delivery, tried({ 'a@x.test': 'held' }));
    assert.equal(division.left[0]!.state, 'held');
    assert.deepEqual(division.expired, []);
  });

  it('names the clauses of failed recipients only', () => {
    const division = divide(
      deliveryTo(['a@x.test', 'b@y.test']),
      tried({ 'a@x.test': 'bounced' }),
      tried({ 'b@y.test': 'deferred' }, { clauses: [encrypted] }),
    );
    assert.deepEqual(division.reported[0]!.clauses, []);
    const forced = divide(
      deliveryTo(['a@x.test'], { floor: [encrypted] }),
      tried({ 'a@x.test': 'bounced' }),
    );
    assert.deepEqual(forced.reported[0]!.clauses, [encrypted]);
  });

  it('counts failed TLS as its own cause of delay where something was required, else not', () => {
    const lost: Outcome = { ...outcome('deferred'), kind: 'deferred', cause: 'tls-handshake' };
    const recipient = parseAddress('a@x.test')!;
    const route = tried({}, { outcomes: [{ recipient, outcome: lost }] });
    const notices = { tlsMs: 60_000, ordinaryMs: 4 * hourMs };
    for (const [floor, isTold] of [[[encrypted], true] as const, [[], false] as const]) {
      const delivery = deliveryTo(['a@x.test'], { floor });
      const report = { endedAtMs: nowMs, routes: [route] };
      const { reported, left } = divideByFate(delivery, report, { ...by, notices });
      assert.equal(reported.length, isTold ? 1 : 0);
      assert.equal(left[0]!.tlsDelayToldAtMs, isTold ? nowMs : undefined);
    }
  });

  it('defers a recipient that the report forgot, and ignores one that it made up', () => {
    const division = divide(
      deliveryTo(['a@x.test', 'b@x.test']),
      tried({ 'a@x.test': 'delivered', 'z@x.test': 'bounced' }),
      tried({ 'a@x.test': 'bounced' }),
    );
    assert.deepEqual(division.reported, []);
    assert.equal(division.left.length, 1);
    assert.deepEqual(division.left[0]!.recipients.map(formatAddress), ['b@x.test']);
  });

  it('puts every recipient in exactly one place', () => {
    const kinds = fc.constantFrom('delivered', 'deferred', 'bounced', 'held', 'silent');
    fc.assert(
      fc.property(
        fc.array(kinds, { minLength: 1, maxLength: 12 }),
        fc.boolean(),
        (fates, isOld) => {
          const texts = fates.map((_, i) => `r${i}@x.test`);
          const over = { retriesFromMs: isOld ? 0 : nowMs };
          const entries = texts.flatMap((text, i) =>
            fates[i] === 'silent' ? [] : [[text, fates[i]]],
          );
          const half = Math.floor(entries.length / 2);
          const routes = [entries.slice(0, half), entries.slice(half)].map((part) =>
            tried(Object.fromEntries(part) as Record<string, Outcome['kind']>),
          );
          const { left, reported } = divide(deliveryTo(texts, over), ...routes);
          const placed = [
            ...left.flatMap(({ recipients }) => recipients.map(formatAddress)),
            ...reported.map(({ recipient }) => formatAddress(recipient)),
            ...texts.filter((_, i) => fates[i] === 'delivered'),
          ];
          assert.deepEqual(placed.sort(), [...texts].sort());
        },
      ),
    );
  });
});
