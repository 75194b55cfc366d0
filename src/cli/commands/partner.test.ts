import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { run, startFakeGateway } from '../../../test/support/command-line.ts';
import { ctrlC, pretendTerminal } from '../../../test/support/terminal.ts';
import type { ChangesOrder } from '../../api/contract/policy-objects.ts';

interface Started {
  readonly socket: string;
  readonly asked: ChangesOrder[];
}

/** A gateway with the organizations `one` and `two` and no connector. */
async function start(t: TestContext): Promise<Started> {
  const asked: ChangesOrder[] = [];
  const view = (name: string) => ({
    kind: 'organization' as const,
    organization: null,
    name,
    value: { id: name },
    place: 0,
    revision: 1,
    etag: 'x',
    changedAt: '2026-11-28T09:00:00.000Z',
    changedBy: 'root',
  });
  const { socketPath: socket } = await startFakeGateway(t, {
    listObjects: async ({ kind }) => ({
      formatVersion: 1,
      revision: 1,
      objects: kind === 'organization' ? ['one', 'two'].map(view) : [],
      next: null,
    }),
    readObject: async ({ name }) => view(name),
    changePolicy: async (order) => {
      asked.push(order);
      return {
        kind: 'done',
        view: {
          formatVersion: 1,
          kind: order.dryRun ? 'would-change' : 'changed',
          revision: order.dryRun ? 1 : 2,
          policyRevision: 'p',
          differences: [],
          weaker: [],
          warnings: [],
          object: null,
        },
      };
    },
  });
  return { socket, asked };
}

const names = ['--tls-domain', '*.clinic.example', '--tls-sender-certificate-name', 'a.example'];

test('where there are several organizations one is asked for, and without a terminal needed', async (t) => {
  const { socket, asked } = await start(t);
  const line = ['partner', 'add', 'clinic.example', ...names, '--socket', socket];
  const { code, stderr } = await run([...line, '--yes'], { input: '' });
  assert.equal(code, 64);
  assert.match(stderr, /--organization is needed: nobody is there to be asked "Whose partner/);
  const terminal = pretendTerminal(line);
  await terminal.sees(/Whose partner is it\?\n {2}1\) one\n {2}2\) two\n> $/);
  terminal.type('three\r');
  await terminal.sees(/Not so: the answer is one of one, two, not "three"\.\n> $/);
  terminal.type('2\r');
  await terminal.sees(/Which way/);
  terminal.type(ctrlC);
  assert.equal(await terminal.code, 75);
  assert.deepEqual(asked, []);
});

test('both connectors are one order, judged first and made then; JSON stands alone on standard output', async (t) => {
  const { socket, asked } = await start(t);
  const line = ['partner', 'add', '*.clinic.example', '--organization', 'two', ...names];
  const { code, stdout } = await run([...line, '--yes', '--json', '--socket', socket], {
    input: '',
  });
  assert.equal(code, 0);
  const view = JSON.parse(stdout) as Readonly<Record<string, unknown>>;
  assert.deepEqual(
    [view['kind'], view['organization'], view['revision'], view['rehearsalAddress']],
    ['changed', 'two', 2, null],
  );
  assert.deepEqual(
    asked.map(({ dryRun, reason, changes }) => [dryRun, reason, changes.length]),
    [
      [true, null, 2],
      [false, null, 2],
    ],
  );
  for (const change of asked[1]!.changes) {
    assert.equal(change.object.organization, 'two');
    assert.equal(change.expect, 'absent');
    const value = 'value' in change ? change.value : {};
    const domains = value['recipientDomains'] ?? value['senderDomains'];
    assert.deepEqual(domains, ['*.clinic.example']);
  }
});

test('a closed input is nobody who agrees', async (t) => {
  const { socket, asked } = await start(t);
  const line = ['partner', 'add', 'clinic.example', '--organization', 'one', ...names];
  const { code, stderr } = await run([...line, '--socket', socket], { input: 'y\ny\ny\n' });
  assert.equal(code, 64);
  assert.match(stderr, /nobody is there to be asked whether it is right/);
  assert.deepEqual(asked, []);
});
