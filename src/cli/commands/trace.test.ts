import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sampleTrace } from '../../../test/support/api-services.ts';
import { run, startFakeGateway } from '../../../test/support/command-line.ts';

const id = '06X9T5K1G000';

test('an unknown id exits with 66', async (t) => {
  const { socketPath } = await startFakeGateway(t);
  const result = await run(['trace', id, '--socket', socketPath]);
  assert.equal(result.code, 66);
  assert.match(result.stderr, new RegExp(`nothing is known about "${id}"`));
});

test('shows the text of report, with what a terminal would obey taken out', async (t) => {
  const { socketPath } = await startFakeGateway(t, {
    readTrace: async (each) => sampleTrace(each),
  });
  const formatTrace = () => 'first\n    \u001b]0;evil\u0007second\u009b\n';
  const result = await run(['trace', id.toLowerCase(), '--socket', socketPath], {
    offline: { formatTrace },
  });
  assert.equal(result.stdout, 'first\n    ?]0;evil?second?\n');
  const json = await run(['trace', id, '--socket', socketPath, '--json']);
  assert.deepEqual(JSON.parse(json.stdout), sampleTrace(id));
});
