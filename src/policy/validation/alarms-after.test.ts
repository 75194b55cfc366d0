import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failedRun, hostVerdict, validationRun } from '../../../test/support/validation-run.ts';
import { alarmsAfter } from './alarms-after.ts';
import type { RunsBefore, ValidationTrigger } from './alarms-after.ts';
import type { ValidationRun } from './run.ts';

const good = validationRun();
const bad = validationRun(failedRun);
const never: RunsBefore = { last: null, lastWithTls: null };

function changes(
  run: ValidationRun,
  before: RunsBefore,
  trigger: ValidationTrigger = 'order',
): string[] {
  return alarmsAfter(run, before, trigger).map((change) =>
    change.kind === 'clear' ? `clear ${change.code}` : `${change.kind} ${change.alarm.code}`,
  );
}

test('a failure opens an alarm where it held before, or where nobody looked on', () => {
  const failed = 'connector-validation-failed';
  assert.deepEqual(changes(bad, { last: good, lastWithTls: good }), [`open ${failed}`]);
  assert.deepEqual(changes(bad, never, 'schedule'), [`open ${failed}`]);
  assert.deepEqual(changes(bad, never), [`update ${failed}`]);
  assert.deepEqual(changes(bad, { last: bad, lastWithTls: good }), [`update ${failed}`]);
  assert.deepEqual(changes({ ...bad, result: 'partial' }, { last: good, lastWithTls: good }), [
    `open ${failed}`,
  ]);
});

test('a success clears it', () => {
  assert.deepEqual(changes(good, never), ['clear connector-validation-failed']);
});

test('a draft opens and clears nothing', () => {
  const before = { last: good, lastWithTls: good };
  assert.deepEqual(changes({ ...bad, isDraft: true }, before, 'schedule'), []);
  assert.deepEqual(changes({ ...good, isDraft: true }, before), []);
});

test('another certificate opens an alarm, whatever the verdict is', () => {
  const renewed = validationRun({ hosts: [hostVerdict({ fingerprint256: 'new' })] });
  const before = { last: good, lastWithTls: good };
  assert.deepEqual(changes(renewed, before), [
    'clear connector-validation-failed',
    'open connector-certificate-changed',
  ]);
  const opened = alarmsAfter(renewed, before, 'order').find(({ kind }) => kind === 'open');
  assert.ok(opened?.kind === 'open');
  assert.match(opened.alarm.text, /mx\.partner\.test shows another certificate.*the same key/);
  const moved = validationRun({ hosts: [hostVerdict({ fingerprint256: 'n', spki256: 'k' })] });
  const [, other] = alarmsAfter(moved, before, 'order');
  assert.ok(other?.kind === 'open');
  assert.match(other.alarm.text, /another key, the same issuer, the same names/);
});

test('a person who sees the new certificate again ends the alarm; the schedule does not', () => {
  const renewed = validationRun({ hosts: [hostVerdict({ fingerprint256: 'new' })] });
  const before = { last: renewed, lastWithTls: renewed };
  assert.ok(changes(renewed, before).includes('clear connector-certificate-changed'));
  assert.ok(!changes(renewed, before, 'schedule').some((each) => each.includes('certificate')));
});

test('an alarm about a certificate does not end while its host shows none', () => {
  const other = hostVerdict({ fingerprint256: 'other' }, { host: 'mx2.partner.test' });
  const renewed = hostVerdict({ fingerprint256: 'new' });
  const both = validationRun({ hosts: [renewed, other] });
  const before = { last: both, lastWithTls: both };
  const down = hostVerdict({}, { state: 'failed', evidence: null, chain: [] });
  const partly = validationRun({ result: 'partial', hosts: [down, other] });
  assert.ok(!changes(partly, before).some((each) => each.includes('certificate')));
  const moved = validationRun({ hosts: [other] });
  assert.ok(changes(moved, before).includes('clear connector-certificate-changed'));
});

test('certificates are compared host by host, and several of one host are all known', () => {
  const [one, two] = ['one', 'two'].map((fingerprint256) => hostVerdict({ fingerprint256 }));
  const both = validationRun({ hosts: [one!, two!] });
  const single = validationRun({ hosts: [two!] });
  const certificates = (run: ValidationRun, before: ValidationRun): string[] =>
    changes(run, { last: before, lastWithTls: before }, 'schedule').filter((each) =>
      each.includes('certificate'),
    );
  assert.deepEqual(certificates(single, both), []);
  assert.deepEqual(certificates(both, single), ['open connector-certificate-changed']);
  const elsewhere = validationRun({
    hosts: [hostVerdict({ fingerprint256: 'x' }, { host: 'new.partner.test' })],
  });
  assert.deepEqual(certificates(elsewhere, both), []);
});
