/** NOTIFY: who is told what. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { status } from '../mail/enhanced-status.ts';
import type { NotifyOn, Recipient } from '../mail/recipient.ts';
import type { HandedTo, Outcome } from '../policy/outcome.ts';
import { reportExpansions, reportOutcomes, withoutToldSuccess } from './reported.ts';

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
  const all = { localPart: 'all', domain: 'x.test' };
  const one = to(['success', 'failure'], { localPart: 'a', aliasedFrom: all });
  const two = to(['success', 'failure'], { localPart: 'b', aliasedFrom: all });

  it('with several recipients expands, which is told once; then only failures are', () => {
    const [told, ...others] = reportExpansions([one, two], 0);
    assert.equal(told!.action, 'expanded');
    assert.equal(told!.recipient.localPart, 'all');
    assert.equal(told!.recipient.aliasedFrom, undefined);
    assert.deepEqual(others, []);
    assert.deepEqual(
      withoutToldSuccess([one, two]).map(({ notify }) => notify),
      [['failure'], ['failure']],
    );
  });

  it('with one recipient is no expansion', () => {
    assert.deepEqual(reportExpansions([one], 0), []);
    assert.deepEqual(withoutToldSuccess([one]), [one]);
  });

  it('is told of where success was asked for only', () => {
    const silent = [one, two].map(({ localPart }) =>
      to(undefined, { localPart, aliasedFrom: all }),
    );
    assert.deepEqual(reportExpansions(silent, 0), []);
    assert.equal(withoutToldSuccess(silent), silent);
  });
});
