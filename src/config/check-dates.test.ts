import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkDates } from './check-dates.ts';
import { inbound, outbound } from './config-sample.ts';
import { parseConfig } from './load.ts';
import { formatProblem } from './problem.ts';

function datesOf(yaml: string, now: string): string[] {
  const result = parseConfig(yaml, '/etc/postern.yaml');
  assert.equal(result.kind, 'loaded', JSON.stringify(result));
  if (result.kind !== 'loaded') return [];
  return checkDates(result, Date.parse(now)).map(formatProblem);
}

const yaml = outbound('owner: Ada, reviewDate: 2027-03-31');

test('a review date is warned of from its day on, with its place and whose turn it is', () => {
  assert.deepEqual(datesOf(yaml, '2027-03-30T23:59:59.999Z'), []);
  const due = datesOf(yaml, '2027-03-31T00:00:00Z');
  assert.equal(due.length, 1);
  assert.match(
    due[0]!,
    /^\/etc\/postern\.yaml:13:\d+: warning: .*Connectors\[0\]\.reviewDate: 2027-03-31 has come, so Ada/,
  );
});

test('inbound likewise, without an owner', () => {
  assert.match(datesOf(inbound('reviewDate: 2020-01-01'), '2027-01-01')[0]!, /so it is due/);
});

test('a connector that is off is due for nothing, nor is one without a date', () => {
  assert.deepEqual(datesOf(inbound('reviewDate: 2020-01-01, enabled: false'), '2027-01-01'), []);
  assert.deepEqual(datesOf(inbound(''), '2027-01-01'), []);
});
