/** NOTIFY: who is told what. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { status } from '../mail/enhanced-status.ts';
import type { NotifyOn, Recipient } from '../mail/recipient.ts';
import type { HandedTo, Outcome } from '../policy/outcome.ts';
import type { Clause } from '../policy/tls-requirement.ts';
import { reportExpansions, reportOutcomes } from './reported.ts';

const detail = {
  status: status('4.0.0'),
  reason: 'why',
  reply: null,
  remoteMta: null,
  at: '2026-11-22T00:00:00.000Z',
};
const bounced: Outcome = { kind: 'bounced', cause: 'peer-reply', ...detail };
const deferred: Outcome = { kind: 'deferred', cause: 'connect', ...detail };
const held: Outcome = { kind: 'held', cause: 'policy-weakened', ...detail };
const delivered = (handedTo: HandedTo): Outcome => ({ kind: 'delivered', handedTo, ...detail });

function to(notify?: readonly NotifyOn[], over: Partial<Recipient> = {}): Recipient {
  const asked = notify === undefined ? {} : { notify };
  return { localPart: 'bob', domain: 'x.test', ...asked, ...over };
}

function actionsOf(outcome: Outcome, notify?: readonly NotifyOn[]): readonly string[] {
  const outcomes = [{ recipient: to(notify), outcome }];
  return reportOutcomes(outcomes, { clauses: [], candidates: [] }).map(({ action }) => action);
}

describe('reportOutcomes', () => {
  it('without NOTIFY tells failures and delays', () => {
    assert.deepEqual(actionsOf(bounced), ['failed']);
    assert.deepEqual(actionsOf(deferred), ['delayed']);
    assert.deepEqual(actionsOf(held), ['delayed']);
    for (const handedTo of ['mailbox', 'relay', 'relay-with-dsn'] as const) {
      assert.deepEqual(actionsOf(delivered(handedTo)), []);
    }
  });

  it('with NOTIFY=NEVER tells nothing at all', () => {
    for (const outcome of [bounced, deferred, held, delivered('mailbox'), delivered('relay')]) {
      assert.deepEqual(actionsOf(outcome, []), []);
    }
  });

  it('with SUCCESS tells delivered or relayed, and nothing where the next hop will', () => {
    assert.deepEqual(actionsOf(delivered('mailbox'), ['success']), ['delivered']);
    assert.deepEqual(actionsOf(delivered('relay'), ['success']), ['relayed']);
    assert.deepEqual(actionsOf(delivered('relay-with-dsn'), ['success']), []);
    assert.deepEqual(actionsOf(bounced, ['success']), []);
    assert.deepEqual(actionsOf(deferred, ['success']), []);
  });

  it('with FAILURE or DELAY tells that and nothing else', () => {
    assert.deepEqual(actionsOf(bounced, ['failure']), ['failed']);
    assert.deepEqual(actionsOf(deferred, ['failure']), []);
    assert.deepEqual(actionsOf(deferred, ['delay']), ['delayed']);
    assert.deepEqual(actionsOf(bounced, ['delay']), []);
  });
});

describe('an alias', () => {
  const named = to(['success', 'failure'], { localPart: 'all' });
  const aliasedFrom = { localPart: 'all', domain: 'x.test' };
  const behind = (localPart: string, notify?: readonly NotifyOn[]): Recipient =>
    to(notify, { localPart, aliasedFrom });

  it('that became several has expanded, which is told once', () => {
    const recipients = [behind('a', ['failure']), behind('b', ['failure'])];
    const [told, ...others] = reportExpansions([named, to()], [{ recipients, floor: [] }], 0);
    assert.equal(told!.action, 'expanded');
    assert.equal(told!.recipient, named);
    assert.deepEqual(others, []);
  });

  it('is told under what its targets are protected by, and not by what others are', () => {
    const clause = (name: string): Clause => ({
      kind: 'encrypted',
      origin: { kind: 'alias', name },
    });
    const other = to(['success'], { aliasedFrom: { localPart: 'other', domain: 'x.test' } });
    const deliveries = [
      { recipients: [behind('a', ['failure'])], floor: [] },
      { recipients: [behind('b', ['failure'])], floor: [clause('all')] },
      { recipients: [other], floor: [clause('other')] },
    ];
    const [told] = reportExpansions([named], deliveries, 0);
    assert.deepEqual(told!.clauses, [clause('all')]);
  });

  it('that led to one address has not: its success is told', () => {
    const recipients = [behind('a', ['success', 'failure'])];
    assert.deepEqual(reportExpansions([named], [{ recipients, floor: [] }], 0), []);
  });

  it('is not told of where success was not asked for', () => {
    const recipients = [behind('a'), behind('b')];
    assert.deepEqual(
      reportExpansions([to(undefined, { localPart: 'all' })], [{ recipients, floor: [] }], 0),
      [],
    );
  });
});
