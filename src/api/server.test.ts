import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdtemp, rm, stat } from 'node:fs/promises';
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { Failure } from '../mail/failure.ts';
import { parseQueueId } from '../mail/queue-id.ts';
import type { QueueFilter } from '../store/store.ts';
import { createApiClient, meaningOfFailure } from './client.ts';
import type { Problem, Submission } from './contract.ts';
import {
  fakeServices,
  sampleRows,
  sampleStatus,
  sampleTrace,
} from '../../test/support/api-services.ts';
import type { ApiSettings } from './server.ts';
import { startApi } from './server.ts';
import type { ApiServices } from './services.ts';

async function start(
  t: TestContext,
  overrides: Partial<ApiServices> = {},
  settings: Partial<ApiSettings> = {},
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'postern-api-'));
  const socketPath = join(folder, 'run', 'api.sock');
  const api = await startApi({ ...settings, socketPath }, fakeServices(overrides));
  t.after(async () => {
    await api.close();
    await rm(folder, { recursive: true, force: true });
  });
  return socketPath;
}

interface RawCall {
  readonly method?: string;
  readonly path: string;
  readonly body?: string;
  readonly headers?: OutgoingHttpHeaders;
}

function raw(socketPath: string, call: RawCall): Promise<{ status: number; problem: Problem }> {
  return new Promise((resolve, reject) => {
    const { method = 'GET', path, body, headers = {} } = call;
    const outgoing = request({ socketPath, method, path, headers, agent: false }, (incoming) => {
      let text = '';
      incoming.setEncoding('utf8');
      incoming.on('data', (chunk: string) => (text += chunk));
      incoming.on('end', () => {
        assert.match(incoming.headers['content-type'] ?? '', /^application\/problem\+json/);
        resolve({ status: incoming.statusCode ?? 0, problem: JSON.parse(text) as Problem });
      });
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

async function failureOf(promise: Promise<unknown>): Promise<Failure> {
  const error: unknown = await promise.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof Failure, `no Failure but ${String(error)}`);
  return error;
}

test('answers unknown routes and methods with a problem document', async (t) => {
  const socketPath = await start(t);
  for (const call of [{ path: '/' }, { path: '/v1/../etc/passwd' }]) {
    const { status, problem } = await raw(socketPath, call);
    assert.equal(status, 404);
    assert.equal(problem.code, 'api-route-unknown');
    assert.equal(problem.type, 'about:blank');
    assert.equal(problem.title, 'Not Found');
  }
  const { status, problem } = await raw(socketPath, { path: '/v1/status', method: 'DELETE' });
  assert.equal(status, 405);
  assert.equal(problem.code, 'api-method-wrong');
});

test('names each wrong field of a request', async (t) => {
  const socketPath = await start(t);
  const { status, problem } = await raw(socketPath, { path: '/v1/queue?limit=0&state=lost' });
  assert.equal(status, 400);
  assert.deepEqual(problem.invalid?.map((entry) => entry.path).sort(), ['limit', 'state']);
});

test('refuses bodies that are no JSON, not the contract, or of another type', async (t) => {
  const socketPath = await start(t);
  const json = { 'content-type': 'application/json' };
  const bodies = [
    { body: '{', headers: json },
    { body: '{"from":null,"to":[],"content":""}', headers: json },
    { body: '{"from":null,"to":["x"],"content":"AA=="}', headers: json },
    { body: '{"from":null,"to":["a@b.test"],"content":"***"}', headers: json },
  ];
  const wrongTypes = [
    { body: 'to=a@b.test', headers: { 'content-type': 'application/x-www-form-urlencoded' } },
    { body: '{"from":null,"to":["a@b.test"],"content":"AA=="}' },
  ];
  for (const call of bodies) {
    const { status, problem } = await raw(socketPath, {
      ...call,
      method: 'POST',
      path: '/v1/messages',
    });
    assert.equal(status, 400, call.body);
    assert.equal(problem.code, 'api-request-invalid');
  }
  for (const call of wrongTypes) {
    const { status, problem } = await raw(socketPath, {
      ...call,
      method: 'POST',
      path: '/v1/messages',
    });
    assert.equal(status, 415, call.body);
    assert.equal(problem.code, 'api-media-type-wrong');
  }
});

test('takes a body whose length is not declared', async (t) => {
  const submissions: Submission[] = [];
  const submit = async (message: Submission) => {
    submissions.push(message);
    return { id: sampleRows[0]!.id };
  };
  const socketPath = await start(t, { submit });
  const message = { from: null, to: ['a@example.test'], content: 'AA==' };
  const headers = { 'content-type': 'application/json', 'transfer-encoding': 'chunked' };
  const outgoing = request({ socketPath, method: 'POST', path: '/v1/messages', headers });
  outgoing.end(JSON.stringify(message));
  const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
  incoming.resume();
  assert.equal(incoming.statusCode, 202);
  assert.deepEqual(submissions, [message]);
});

test('refuses a body above the limit, declared or chunked', async (t) => {
  const socketPath = await start(t, {}, { limits: { bodyBytesMax: 1000 } });
  const message = { from: null, to: ['a@example.test'], content: 'A'.repeat(4000) };
  const body = JSON.stringify(message);
  for (const headers of [
    { 'content-type': 'application/json', 'content-length': body.length },
    { 'content-type': 'application/json', 'transfer-encoding': 'chunked' },
  ]) {
    const call = { method: 'POST', path: '/v1/messages', body, headers };
    const { status, problem } = await raw(socketPath, call);
    assert.equal(status, 413);
    assert.equal(problem.code, 'api-body-too-large');
  }
});

test('answers 503 above the number of submissions at once, and recovers', async (t) => {
  const gate = Promise.withResolvers<void>();
  const entered = Promise.withResolvers<void>();
  const submit = async () => {
    entered.resolve();
    await gate.promise;
    return { id: sampleRows[0]!.id };
  };
  const socketPath = await start(t, { submit }, { limits: { submissionsMax: 1 } });
  const client = createApiClient({ socketPath });
  const message: Submission = { from: null, to: ['a@example.test'], content: 'AA==' };
  const first = client.submit(message);
  await entered.promise;
  const failure = await failureOf(client.submit(message));
  assert.equal(failure.code, 'api-busy');
  gate.resolve();
  await first;
  assert.equal((await client.submit(message)).id, sampleRows[0]!.id);
});

test('stops waiting for a service that does not answer', async (t) => {
  const gate = Promise.withResolvers<never>();
  const socketPath = await start(
    t,
    { status: () => gate.promise },
    { limits: { handlerTimeoutMs: 20 } },
  );
  const failure = await failureOf(createApiClient({ socketPath }).status());
  assert.equal(failure.code, 'api-timeout');
  assert.equal(meaningOfFailure(failure)?.exitCode, 75);
});

test('tells nothing of a defect, and logs it', async (t) => {
  const logged: unknown[] = [];
  const note = (fields: unknown) => void logged.push(fields);
  const log = { info: () => undefined, warn: note, error: note, debug: () => undefined };
  const status = async () => {
    throw new Error('secret path /root/.key');
  };
  const socketPath = await start(t, { status }, { log });
  const { problem } = await raw(socketPath, { path: '/v1/status' });
  assert.equal(problem.code, 'api-internal');
  assert.doesNotMatch(JSON.stringify(problem), /secret/);
  assert.equal(logged.length, 1);
  const listQueue = async () => {
    throw new Failure('in-no-table', 'secret');
  };
  const other = await raw(await start(t, { listQueue }), { path: '/v1/queue' });
  assert.equal(other.problem.code, 'api-internal');
  assert.doesNotMatch(JSON.stringify(other.problem), /secret/);
});

test('a failure of another room keeps its code, text and exit code', async (t) => {
  const failures = {
    'store-full': { httpStatus: 507, exitCode: 75, whatToDo: 'Free some space.' },
  };
  const submit = async () => {
    throw new Failure('store-full', 'the disk has 3 MB left');
  };
  const socketPath = await start(t, { submit }, { failures });
  const message: Submission = { from: null, to: ['a@example.test'], content: 'AA==' };
  const failure = await failureOf(createApiClient({ socketPath }).submit(message));
  assert.equal(failure.code, 'store-full');
  assert.equal(failure.message, 'the disk has 3 MB left');
  assert.deepEqual(meaningOfFailure(failure), failures['store-full']);
});

test('serves the OpenAPI document', async (t) => {
  const socketPath = await start(t);
  const response = await new Promise<string>((resolve, reject) => {
    const outgoing = request({ socketPath, path: '/v1/openapi.json' }, (incoming) => {
      let text = '';
      incoming.on('data', (chunk: Buffer) => (text += chunk.toString()));
      incoming.on('end', () => resolve(text));
    });
    outgoing.on('error', reject).end();
  });
  const document = JSON.parse(response) as { openapi: string; paths: Record<string, unknown> };
  assert.equal(document.openapi, '3.1.0');
  assert.ok('/v1/traces/{id}' in document.paths);
});

test('client and server agree on every call', async (t) => {
  const filters: QueueFilter[] = [];
  const submissions: Submission[] = [];
  const traced: string[] = [];
  const socketPath = await start(t, {
    listQueue: async (filter) => {
      filters.push(filter);
      return sampleRows;
    },
    submit: async (message) => {
      submissions.push(message);
      return { id: '06X9T5K1G000' };
    },
    readTrace: async (id) => {
      traced.push(id);
      return id.startsWith('06') ? sampleTrace(id) : null;
    },
  });
  const client = createApiClient({ socketPath });
  assert.deepEqual(await client.status(), sampleStatus);

  const list = await client.listQueue({ state: 'queued', domain: 'Contoso.COM', limit: 5 });
  assert.deepEqual(filters, [{ state: 'queued', recipientDomain: 'contoso.com', limit: 5 }]);
  assert.equal(list.rows[0]?.receivedAt, '2026-11-22T10:00:00.000Z');
  assert.deepEqual(list.rows[0]?.clauses, ['encryption']);
  assert.equal(list.rows[1]?.dueAt, null);
  await client.listQueue({});
  assert.deepEqual(filters[1], { limit: 100 });

  const message: Submission = {
    from: 'user@example.test',
    to: ['doctor@contoso.com'],
    content: Buffer.from('Subject: x\r\n\r\nü\r\n').toString('base64'),
  };
  assert.deepEqual(await client.submit(message), { id: '06X9T5K1G000' });
  assert.deepEqual(submissions, [message]);

  assert.deepEqual(await client.readTrace('06x9t5k1g000'), sampleTrace('06X9T5K1G000'));
  assert.equal((await failureOf(client.readTrace('0AAAAAAAAAAA'))).code, 'trace-unknown');
  assert.equal((await failureOf(client.readTrace('../../status'))).code, 'trace-unknown');
  assert.deepEqual(traced, ['06X9T5K1G000', '0AAAAAAAAAAA']);
});

test('a full page of the queue says how to go on, and takes no cursor that is not ours', async (t) => {
  const filters: object[] = [];
  const socketPath = await start(t, {
    listQueue: async (filter) => {
      filters.push(filter);
      return sampleRows.slice(0, filter.limit);
    },
  });
  const client = createApiClient({ socketPath });
  assert.equal((await client.listQueue({ limit: 3 })).next, null);
  const { next } = await client.listQueue({ limit: 2 });
  assert.equal(next, '06X9T5K1H000.0');
  await client.listQueue({ limit: 2, after: next });
  const { key, shard } = parseQueueId('06X9T5K1H000')!;
  assert.deepEqual(filters.at(-1), { limit: 2, after: { key, shard, ordinal: 0 } });
  for (const after of ['06X9T5K1H000', 'x.0', '06X9T5K1H000.-1', '06X9T5K1H000.0.0']) {
    const { problem } = await raw(socketPath, { path: `/v1/queue?after=${after}` });
    assert.equal(problem.invalid?.[0]?.path, 'after');
  }
});

test('the folder is 0700, the socket 0600, and closing removes it', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'postern-api-'));
  const socketPath = join(folder, 'run', 'api.sock');
  const api = await startApi({ socketPath }, fakeServices());
  t.after(async () => {
    await api.close();
    await rm(folder, { recursive: true, force: true });
  });
  assert.equal((await stat(dirname(socketPath))).mode & 0o777, 0o700);
  assert.equal((await stat(socketPath)).mode & 0o777, 0o600);
  await api.close();
  await api.close();
  await assert.rejects(access(socketPath));
});

test('a second gateway is refused, a dead one is replaced', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'postern-api-'));
  const socketPath = join(folder, 'api.sock');
  const script = `require('node:net').createServer().listen(${JSON.stringify(socketPath)}, () => console.log('up'))`;
  const dead = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(async () => {
    dead.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  });
  await once(dead.stdout, 'data');
  await assert.rejects(startApi({ socketPath }, fakeServices()), { code: 'api-socket-in-use' });
  dead.kill('SIGKILL');
  await once(dead, 'exit');
  assert.ok((await stat(socketPath)).isSocket());
  const api = await startApi({ socketPath }, fakeServices());
  t.after(() => api.close());
  assert.equal((await createApiClient({ socketPath }).status()).version, sampleStatus.version);
});
