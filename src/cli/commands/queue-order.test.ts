import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import type { QueueOrderAnswer, QueueOrderView } from '../../api/contract/queue-orders.ts';
import { describeQueueRow } from '../../api/queue-view.ts';
import { sampleRows } from '../../../test/support/api-services.ts';
import { nowMs, run, startFakeGateway } from '../../../test/support/command-line.ts';

const id = '06X9T5K1G000';
const empty: QueueOrderAnswer = {
  changed: 0,
  pending: 0,
  unfit: 0,
  withheld: [],
  rows: [],
  next: null,
};

/** A gateway that answers these, one after another, and what it was ordered. */
async function startOrdered(t: Parameters<typeof startFakeGateway>[0], ...answers: object[]) {
  const orders: QueueOrderView[] = [];
  const { folder } = await startFakeGateway(t, {
    orderQueue: async (order) => {
      orders.push(order);
      return { ...empty, ...answers[Math.min(orders.length, answers.length) - 1] };
    },
  });
  return { orders, io: { workingFolder: folder, env: { SUDO_USER: 'eva' } } };
}

test('without an id, a filter or --all nothing is touched', async (t) => {
  const { orders, io } = await startOrdered(t);
  const result = await run(['queue', 'delete', '--yes'], { io });
  assert.equal(result.code, 64);
  assert.match(result.stderr, /an id, a filter, or --all/);
  assert.deepEqual(orders, []);
});

test('every filter goes to the gateway, and who asks', async (t) => {
  const { orders, io } = await startOrdered(t, { changed: 3, pending: 1, unfit: 2 });
  const filters = ['--domain', 'Contoso.com', '--sender', '<>', '--state', 'queued'];
  const more = ['--cause', 'timeout', '--connector', 'To Contoso', '--organization', 'o'];
  const age = ['--older-than', '2h', '--route', 'mx o contoso.com'];
  const argv = ['queue', 'retry', ...filters, ...more, ...age];
  const result = await run(argv, { io });
  assert.equal(result.code, 0);
  assert.equal(
    result.stdout,
    '3 deliveries due now\n1 delivery under way: when the attempt has ended\n2 deliveries left as they are: held, or due already\n',
  );
  const [order] = orders;
  assert.deepEqual(order?.match, {
    domain: 'contoso.com',
    sender: '<>',
    state: 'queued',
    cause: 'timeout',
    connector: 'To Contoso',
    organization: 'o',
    route: 'mx o contoso.com',
    receivedBefore: new Date(nowMs - 2 * 3_600_000).toISOString(),
  });
  assert.match(order?.by ?? '', /^eva \(as .+\)$/);
});

test('goes on until the gateway says that nothing is left, and adds up', async (t) => {
  const answers = [{ changed: 500, next: '0.5.1' }, { changed: 20, next: '1' }, { changed: 1 }];
  const { orders, io } = await startOrdered(t, ...answers);
  const result = await run(['queue', 'hold', '--all', '--json'], { io });
  assert.deepEqual(
    orders.map(({ after, all }) => [after, all]),
    [
      [null, true],
      ['0.5.1', true],
      ['1', true],
    ],
  );
  const { changed, formatVersion, action } = JSON.parse(result.stdout);
  assert.deepEqual([changed, formatVersion, action], [521, 1, 'hold']);
});

test('delete and expire of more than one ask first, and want --yes where nobody can answer', async (t) => {
  for (const action of ['delete', 'expire']) {
    const { orders, io } = await startOrdered(t, { changed: 2 });
    const asked = await run(['queue', action, '--all'], { io, input: '' });
    assert.equal(asked.code, 64);
    assert.match(asked.stderr, /2 deliveries\?.*\n.*--dry-run .*, then say --yes /);
    assert.ok(orders.every(({ dryRun }) => dryRun));
    const sure = await run(['queue', action, '--all', '--yes'], { io });
    assert.equal(sure.code, 0);
    assert.equal(orders.at(-1)?.dryRun, false);
  }
});

test('on a terminal the answer decides', async (t) => {
  const { orders, io } = await startOrdered(t, { changed: 2 });
  const answer = (text: string) => ({
    io: { ...io, isTty: true, stdin: Object.assign(Readable.from([text]), { isTTY: true }) },
  });
  const no = await run(['queue', 'delete', '--all'], answer('\n'));
  assert.equal(no.code, 75);
  assert.match(no.stderr, /Delete 2 deliveries\? \[y\/N\] /);
  assert.ok(orders.every(({ dryRun }) => dryRun));
  const yes = await run(['queue', 'delete', '--all'], answer('y\n'));
  assert.equal(yes.code, 0);
  assert.equal(orders.at(-1)?.dryRun, false);
});

test('one message is deleted without a question', async (t) => {
  const { orders, io } = await startOrdered(t, { changed: 1 });
  const result = await run(['queue', 'delete', id], { io });
  assert.equal(result.code, 0);
  assert.deepEqual(orders.at(-1)?.match, { id });
  assert.equal(orders.at(-1)?.dryRun, false);
});

test('mail under a weaker policy stays, and it is said what the policy no longer demands', async (t) => {
  const lost = ['a certificate for *.contoso.com'];
  const weaker = { lost, today: ['encryption'], connector: 'To Contoso' };
  const withheld = [{ id, ordinal: 0, recipients: ['doctor@contoso.com'], weaker }];
  const { orders, io } = await startOrdered(t, { changed: 1, withheld });
  const result = await run(['queue', 'release', '--all'], { io });
  assert.equal(result.code, 65);
  assert.match(result.stdout, /1 delivery still held: the policy of now is weaker/);
  assert.match(
    result.stdout,
    /no longer demanded: a certificate for \*\.contoso\.com; today connector "To Contoso" demands encryption/,
  );
  assert.match(result.stdout, /--accept-weaker-policy/);
  assert.equal(orders[0]?.acceptWeakerPolicy, false);
  await run(['queue', 'release', '--all', '--accept-weaker-policy'], { io });
  assert.equal(orders.at(-1)?.acceptWeakerPolicy, true);
});

test('a dry run shows the rows', async (t) => {
  const rows = sampleRows.map(describeQueueRow);
  const { orders, io } = await startOrdered(t, { changed: 2, rows });
  const result = await run(['queue', 'expire', '--all', '--dry-run'], { io });
  assert.equal(orders.length, 1);
  assert.match(result.stdout, /^2 deliveries would be given up/);
  assert.match(result.stdout, /06X9T5K1H000 +held/);
});

test('an id that is not queued exits with 66', async (t) => {
  const { io } = await startOrdered(t, {});
  const result = await run(['queue', 'retry', id], { io });
  assert.equal(result.code, 66);
});
