import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allFailures } from '../app/all-failures.ts';
import type { ConfigProblem } from '../config/problem.ts';
import { describeRefusedConfig } from './problem.ts';

const place = { file: 'postern.yaml', line: 0, column: 0, key: 'mode', suggestion: null };
const warning: ConfigProblem = { ...place, text: 'only observes', severity: 'warning' };
const error: ConfigProblem = { ...place, text: 'is no mode', severity: 'error' };

test('why a change is refused comes before what the policy warns of, and is the detail', () => {
  const problem = describeRefusedConfig([warning, error], allFailures, 'policy-refused');
  assert.deepEqual(problem.problems, [error, warning]);
  assert.match(problem.detail, /the change is refused: .*is no mode/);
});

test('what is wrong with a file stays in the order of the file', () => {
  const problem = describeRefusedConfig([warning, error], allFailures);
  assert.deepEqual(problem.problems, [warning, error]);
});
