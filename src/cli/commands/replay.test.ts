import assert from 'node:assert/strict';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import type { RecordQuery } from '../../api/contract/records.ts';
import { makeFolder, nowMs, run, startFakeGateway } from '../../../test/support/command-line.ts';
import { address, clearSession, evidence } from '../../../test/support/policy.ts';
import { writeRecordedMail } from '../../../test/support/recorded-folder.ts';
import type { Mail } from '../../../test/support/recorded-mail.ts';
import { minimalConfig } from '../../../test/support/sample-config.ts';
import { openRecords } from '../../app/offline-records.ts';
import { loadConfig } from '../../config/load.ts';
import type { Policy } from '../../policy/policy.ts';
import type { ReplaySummaryView } from '../../policy/replay-summary.ts';

const dayMs = 24 * 3600_000;
const strict = `${minimalConfig()}    inboundConnectors:
      - { name: partner, senderDomains: partner.test, requireTls: true }
    outboundConnectors:
      - { name: fabrikam, recipientDomains: fabrikam.test, tlsSettings: EncryptionOnly }
`;

async function policyOf(file: string): Promise<Policy> {
  const loaded = await loadConfig(file);
  assert.ok(loaded.kind === 'loaded', JSON.stringify(loaded));
  return loaded.policy;
}

function arriving(from: string, daysAgo = 1): Mail {
  return {
    session: {
      listener: 'mx',
      clientAddress: '203.0.113.9',
      heloName: 'mail.partner.test',
      evidence: clearSession(),
      account: null,
      reversePath: address(from),
    },
    recipients: [address('user@example.test')],
    atMs: nowMs - daysAgo * dayMs,
  };
}

function leaving(to: string, daysAgo = 1): Mail {
  const { session, atMs } = arriving('user@example.test', daysAgo);
  const account = { organization: 'example', account: 'user' };
  const inClear = evidence({ encryption: 'not-offered', tls: null });
  return {
    session: { ...session, listener: 'submission', account },
    recipients: [address(to)],
    atMs,
    server: () => inClear,
  };
}

/** A folder with `postern.yaml`, `candidate.yaml` and mail recorded under the first. */
async function prepare(t: TestContext, mails: readonly Mail[]): Promise<string> {
  const folder = await makeFolder(t);
  await writeFile(join(folder, 'postern.yaml'), minimalConfig());
  await writeFile(join(folder, 'candidate.yaml'), strict);
  const policy = await policyOf(join(folder, 'postern.yaml'));
  await writeRecordedMail(join(folder, 'data'), policy, mails);
  return folder;
}

const threeMails = [
  arriving('ann@partner.test', 3),
  arriving('bea@partner.test', 2),
  arriving('eve@other.test', 2),
  leaving('bob@fabrikam.test'),
];

test('without a gateway it reads the data folder, counts by partner and reason, and exits with 2', async (t) => {
  const workingFolder = await prepare(t, threeMails);
  const result = await run(['replay', '--config', 'candidate.yaml'], { io: { workingFolder } });
  assert.equal(result.code, 2, result.stderr);
  assert.match(result.stdout, /^4 messages and 0 refusals of the last 7 days, the oldest of 2026-/);
  assert.match(result.stdout, /would have refused 2 messages from 1 partner\n/);
  assert.match(
    result.stdout,
    /\n +2 +partner\.test +454 4\.7\.0 by the connector "partner" +\w{12} \w{12}\n {4}connector "partner" requires encryption; the session was not encrypted\n/,
  );
  assert.match(result.stdout, /would have stopped 1 message to 1 partner\n/);
  assert.match(result.stdout, /fabrikam\.test +NoStartTls for connector "fabrikam"/);
  assert.match(result.stdout, /\n3 would change, 1 would stay as they were\.\n$/);
});

test('the configuration in force changes nothing: 0', async (t) => {
  const workingFolder = await prepare(t, threeMails);
  const result = await run(['replay', '--config', 'postern.yaml'], { io: { workingFolder } });
  assert.deepEqual([result.code, result.stderr], [0, '']);
  assert.match(result.stdout, /\nNothing would change for any of them\.\n$/);
});

test('--days, --organization and an empty record', async (t) => {
  const workingFolder = await prepare(t, threeMails);
  const io = { workingFolder };
  const line = ['replay', '--config', 'candidate.yaml'];
  const recent = await run([...line, '--days', '1'], { io });
  assert.match(recent.stdout, /^1 message and 0 refusals of the last 1 day,/);
  const others = await run([...line, '--organization', 'nobody'], { io });
  assert.equal(others.code, 0);
  assert.match(others.stdout, /Nothing is recorded in this time, so nothing can be said\.\n$/);
  for (const days of ['0', 'x', '1.5', '4000']) {
    assert.equal((await run([...line, '--days', days], { io })).code, 64);
  }
});

test('--json is quiet, complete and bounded, and says so', async (t) => {
  const workingFolder = await prepare(t, threeMails);
  const line = ['replay', '--config', 'candidate.yaml', '--json'];
  let calls = 0;
  const io = { workingFolder, nowMs: () => nowMs + 5000 * calls++ };
  const result = await run(line, { io });
  assert.deepEqual([result.code, result.stderr], [2, '']);
  const view = JSON.parse(result.stdout) as ReplaySummaryView & Record<string, unknown>;
  assert.deepEqual(
    [view['formatVersion'], view['messages'], view['refusals'], view.changed, view.changesLeftOut],
    [1, 4, 0, 3, 0],
  );
  assert.deepEqual(
    view.changes.map(({ kind, partner }) => [kind, partner]),
    [
      ['routed', 'fabrikam.test'],
      ['deferred', 'fabrikam.test'],
      ['refused', 'partner.test'],
      ['refused', 'partner.test'],
    ],
  );
  assert.match(view.changes[0]!.id, /^\w{12}$/);
  assert.ok(!result.stdout.includes('hash of'));
});

test('it asks the running gateway, page by page, and says how far it is where no terminal is', async (t) => {
  const folder = await prepare(t, threeMails);
  const queries: RecordQuery[] = [];
  const records = await openRecords(join(folder, 'data'));
  t.after(() => records.close());
  const { socketPath } = await startFakeGateway(t, {
    readRecords: async (query) => {
      queries.push(query);
      return records.readRecords({ ...query, limit: 1 });
    },
  });
  let calls = 0;
  const io = { workingFolder: folder, nowMs: () => nowMs + 1500 * calls++ };
  const line = ['replay', '--config', 'candidate.yaml', '--socket', socketPath];
  const result = await run([...line, '--organization', 'example'], { io });
  assert.equal(result.code, 2, result.stderr);
  assert.match(result.stdout, /^4 messages and 0 refusals/);
  assert.match(result.stderr, /^read [234] messages and 0 refusals, now at 2026-11-\d\d\n/);
  assert.equal(queries.length, 4);
  assert.deepEqual(
    queries.map(({ organization }) => organization),
    ['example', 'example', 'example', 'example'],
  );
  assert.equal(queries[0]!.after, undefined);
  assert.match(queries[1]!.after ?? '', /^\w{12}$/);
});

test('a candidate that is missing or wrong is refused before anything is read', async (t) => {
  const workingFolder = await makeFolder(t);
  await writeFile(join(workingFolder, 'wrong.yaml'), 'hostName: 1\n');
  const io = { workingFolder };
  assert.equal((await run(['replay'], { io })).code, 64);
  assert.equal((await run(['replay', '--config', 'none.yaml'], { io })).code, 66);
  const wrong = await run(['replay', '--config', 'wrong.yaml'], { io });
  assert.equal(wrong.code, 78);
  assert.match(wrong.stderr, /the candidate cannot be used: .*wrong\.yaml:1:\d+: /);
});

test('where neither a gateway nor data is, the gateway is what is missing', async (t) => {
  const workingFolder = await prepare(t, []);
  await rm(join(workingFolder, 'data'), { recursive: true });
  const io = { workingFolder };
  const line = ['replay', '--config', 'candidate.yaml'];
  const none = await run(line, { io });
  assert.equal(none.code, 69);
  assert.match(none.stderr, /no gateway answers/);
  await mkdir(join(workingFolder, 'empty'));
  const empty = await run([...line, '--data', 'empty'], { io });
  assert.match(empty.stderr, /holds no queue-N\.db/);
});
