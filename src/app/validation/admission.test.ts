import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Admission } from './admission.ts';
import type { ValidationOrder } from './order.ts';

const limits = {
  runsMax: 3,
  runsPerOrganizationMax: 2,
  ordersPerMinute: 3,
  recipientsPerHour: 60,
};

function order(
  organization: string,
  connector: string,
  trigger: 'order' | 'schedule' = 'order',
): ValidationOrder {
  return {
    organization,
    connector,
    draft: null,
    recipients: null,
    reversePath: null,
    from: null,
    subject: null,
    stopBefore: null,
    trigger,
    orderedBy: 'ann',
  };
}

test('runs at once are bounded: of one connector, one organization, and all', () => {
  const admission = new Admission(() => 0, limits);
  const refused = (each: ValidationOrder, text: RegExp): void =>
    assert.throws(() => admission.admit(each), { code: 'validation-busy', message: text });
  const release = admission.admit(order('a', 'one'));
  refused(order('a', 'one'), /being validated already/);
  admission.admit(order('a', 'two'));
  refused(order('a', 'three'), /2 validations of a run/);
  admission.admit(order('b', 'one'));
  refused(order('c', 'one'), /3 validations run/);
  release();
  release();
  admission.admit(order('c', 'one'));
});

test('orders of an organization are bounded over time; those of others and the schedule are not', () => {
  let nowMs = 0;
  const admission = new Admission(() => nowMs, limits);
  const run = (...args: Parameters<typeof order>): void => admission.admit(order(...args))();
  for (let i = 0; i < 3; i++) run('a', 'one');
  assert.throws(() => run('a', 'one'), /3 validations in a minute; the next may come in 20 s/);
  run('b', 'one');
  run('a', 'one', 'schedule');
  nowMs = 20_000;
  run('a', 'one');
  assert.throws(() => run('a', 'one'), { code: 'validation-busy' });
});

test('test messages of an organization go to a bounded number of addresses, whatever drafts say', () => {
  let nowMs = 0;
  const admission = new Admission(() => nowMs, limits);
  for (let i = 0; i < 6; i++) admission.admitMessage('a', 10);
  const text = /went to 60 addresses within an hour; the next may go in 10 min/;
  assert.throws(() => admission.admitMessage('a', 10), { code: 'validation-busy', message: text });
  admission.admitMessage('b', 10);
  nowMs = 9 * 60_000;
  assert.throws(() => admission.admitMessage('a', 10), { code: 'validation-busy' });
  admission.admitMessage('a', 9);
});
