/** The command line of the relay benchmark. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseThroughputOptions } from './options.ts';

test('without options all six lines are measured for both servers', () => {
  const options = parseThroughputOptions([]);
  assert.ok(options !== 'help');
  assert.deepEqual(
    [options.sessions, options.perSession, options.peers],
    [
      [1, 20, 100],
      [1, 100],
      ['postfix', 'postern'],
    ],
  );
});

test('sessions are measured in rising order', () => {
  const options = parseThroughputOptions(['--sessions', '100,1']);
  assert.ok(options !== 'help');
  assert.deepEqual(options.sessions, [1, 100]);
});

for (const words of [
  ['--sessions', '0'],
  ['--sessions', '1,'],
  ['--runs', '1.5'],
  ['--peers', 'exim'],
  ['--unknown'],
]) {
  test(`refuses ${words.join(' ')}`, () => {
    assert.throws(() => parseThroughputOptions(words));
  });
}
