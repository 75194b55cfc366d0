/** Validation over the API: told live or at the end, refused before it begins, malformed input refused. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { fakeServices } from '../../test/support/api-services.ts';
import { validationRun } from '../../test/support/validation-run.ts';
import { Failure } from '../mail/failure.ts';
import type { ValidationStep } from '../policy/validation/run.ts';
import { createApiClient } from './client.ts';
import { EventReader } from './client/event-reader.ts';
import type { ValidationOrderView } from './contract/validation.ts';
import { startApi } from './server.ts';
import type { ApiServices } from './services.ts';
import type { ConnectorOf } from './validation-services.ts';

const failures = {
  'validation-busy': { httpStatus: 429, exitCode: 75, whatToDo: 'Wait.' },
  'lane-died': { httpStatus: 503, exitCode: 75, whatToDo: 'Wait.' },
};
const of = { organization: 'org', name: 'to partner/x' };
const path = '/v1/organizations/org/outbound-connectors/partner/validate';

function step(name: ValidationStep['step']): ValidationStep {
  return {
    kind: 'step',
    host: 'mx.partner.test',
    address: '192.0.2.1',
    family: 'IPv4',
    recipient: null,
    step: name,
    state: 'succeeded',
    startedAt: '2026-11-28T20:00:00.000Z',
    tookMs: 1.5,
    text: 'ä – well',
  };
}

async function start(t: TestContext, overrides: Partial<ApiServices> = {}): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'postern-api-'));
  const socketPath = join(folder, 'run', 'api.sock');
  const limits = { handlerTimeoutMs: 100 };
  const api = await startApi({ socketPath, failures, limits }, fakeServices(overrides));
  t.after(async () => {
    await api.close();
    await rm(folder, { recursive: true, force: true });
  });
  return socketPath;
}

interface RawAnswer {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

function post(socketPath: string, body: string, accept = 'application/json'): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const headers = { accept, 'content-type': 'application/json' };
    const outgoing = request({ socketPath, method: 'POST', path, headers }, (incoming) => {
      let text = '';
      incoming.setEncoding('utf8');
      incoming.on('data', (chunk: string) => (text += chunk));
      incoming.on('end', () => {
        const { statusCode = 0, headers: got } = incoming;
        resolve({ status: statusCode, type: got['content-type'] ?? '', text });
      });
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

test('steps are told before the run has ended, then the run', async (t) => {
  const done = Promise.withResolvers<ReturnType<typeof validationRun>>();
  let asked: readonly [ConnectorOf, ValidationOrderView] | null = null;
  const socketPath = await start(t, {
    startValidation: async (...args) => {
      asked = args;
      return {
        run: done.promise,
        watch: (onStep) => {
          onStep(step('connect'));
          setTimeout(() => onStep(step('banner')), 10);
        },
      };
    },
  });
  const told: string[] = [];
  const client = createApiClient({ socketPath, timeoutMs: 200 });
  const run = await client.validateConnector(
    of,
    { recipients: ['a@partner.test'], stopBefore: 'data', draft: { tlsSettings: 'Pinned' } },
    (each) => {
      told.push(each.step);
      // Longer than the time of other requests, at both ends.
      if (each.step === 'banner') setTimeout(() => done.resolve(validationRun()), 300);
    },
  );
  assert.deepEqual(told, ['connect', 'banner']);
  assert.deepEqual(run, validationRun());
  assert.deepEqual(asked![0], of);
  assert.deepEqual(asked![1].draft, { tlsSettings: 'Pinned' });
  assert.equal(asked![1].reversePath, '<>');
});

test('without events the answer is the run alone', async (t) => {
  const begun = { run: Promise.resolve(validationRun()), watch: () => undefined };
  const socketPath = await start(t, { startValidation: async () => begun });
  const { status, type, text } = await post(socketPath, '{}');
  assert.equal(status, 200);
  assert.match(type, /^application\/json/);
  assert.deepEqual(JSON.parse(text), validationRun());
});

test('what is refused before it begins is a problem, also where events were asked for', async (t) => {
  const socketPath = await start(t, {
    startValidation: () => Promise.reject(new Failure('validation-busy', '4 run already')),
  });
  const { status, text } = await post(socketPath, '{}', 'text/event-stream');
  assert.equal(status, 429);
  assert.equal((JSON.parse(text) as { code: string }).code, 'validation-busy');
  await assert.rejects(
    createApiClient({ socketPath }).validateConnector(of, {}, () => undefined),
    { code: 'validation-busy' },
  );
});

test('a run that is lost is told as a problem', async (t) => {
  const socketPath = await start(t, {
    startValidation: async () => ({
      run: Promise.reject(new Failure('lane-died', 'lane 0 ended')),
      watch: () => undefined,
    }),
  });
  const { status, text } = await post(socketPath, '{}', 'text/event-stream');
  assert.equal(status, 200);
  assert.match(text, /^event: problem\ndata: .*"code":"lane-died"/m);
  await assert.rejects(
    createApiClient({ socketPath }).validateConnector(of, {}, () => undefined),
    { code: 'lane-died' },
  );
});

test('malformed orders are refused and nothing begins', async (t) => {
  let begun = 0;
  const socketPath = await start(t, {
    startValidation: () => {
      begun++;
      return Promise.reject(new Error('must not begin'));
    },
  });
  const cases: readonly [string, string][] = [
    ['no JSON', '{'],
    ['a list', '[]'],
    ['an unknown key', '{"recipient":"a@b.test"}'],
    ['no address', '{"recipients":["nobody"]}'],
    ['a header in an address', '{"recipients":["a@b.test\\r\\nBcc: c@d.test"]}'],
    ['too many addresses', JSON.stringify({ recipients: Array(11).fill('a@b.test') })],
    ['a draft that is no mapping', '{"draft":"x"}'],
    ['another step', '{"stopBefore":"rcpt"}'],
    ['an endless subject', JSON.stringify({ subject: 'x'.repeat(201) })],
    ['a sender that is none', '{"reversePath":"me"}'],
  ];
  for (const [what, body] of cases) {
    assert.equal((await post(socketPath, body)).status, 400, what);
  }
  const big = JSON.stringify({ draft: { comment: 'x'.repeat(300_000) } });
  assert.equal((await post(socketPath, big)).status, 413);
  assert.equal(begun, 0);
});

test('events are read whatever way they are cut', () => {
  const text = 'event: step\ndata: {"a":"ä"}\n\n: comment\n\nevent: run\ndata: {\ndata: "b":1}\n\n';
  const bytes = Buffer.from(text);
  for (let size = 1; size <= bytes.length; size++) {
    const seen: unknown[] = [];
    const reader = new EventReader((event, data) => void seen.push([event, data]));
    for (let at = 0; at < bytes.length; at += size) reader.take(bytes.subarray(at, at + size));
    assert.deepEqual(seen, [
      ['step', { a: 'ä' }],
      ['run', { b: 1 }],
    ]);
  }
  assert.throws(() => new EventReader(() => undefined).take(Buffer.from('data: {\n\n')), {
    code: 'gateway-answer-unreadable',
  });
});
