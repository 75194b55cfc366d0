import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import type { Failure } from '../mail/failure.ts';
import { createApiClient, meaningOfFailure } from './client.ts';

async function fakeGateway(t: TestContext, listener: RequestListener): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'postern-client-'));
  const socketPath = join(folder, 'api.sock');
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  t.after(async () => {
    server.closeAllConnections();
    server.close();
    await rm(folder, { recursive: true, force: true });
  });
  return socketPath;
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => assert.fail('it succeeded'),
    (thrown: Failure) => thrown,
  );
  return error.code;
}

test('a gateway that does not run is said so, with the socket that was tried', async () => {
  const socketPath = join(tmpdir(), 'postern-nowhere', 'api.sock');
  const failure = await createApiClient({ socketPath })
    .status()
    .then(
      () => assert.fail('it succeeded'),
      (error: Failure) => error,
    );
  assert.equal(failure.code, 'gateway-not-running');
  assert.ok(failure.message.includes(socketPath));
  assert.equal(meaningOfFailure(failure)?.exitCode, 69);
  assert.match(meaningOfFailure(failure)?.whatToDo ?? '', /postern serve/);
});

test('an answer that is no JSON, or of another contract, is unreadable', async (t) => {
  const answers = ['<html>', '{"version":1}', ''];
  const socketPath = await fakeGateway(t, (_request, response) => {
    response.end(answers.shift());
  });
  const client = createApiClient({ socketPath });
  while (answers.length > 0) {
    assert.equal(await codeOf(client.status()), 'gateway-answer-unreadable');
  }
});

test('an error without a problem document is unreadable', async (t) => {
  const socketPath = await fakeGateway(t, (_request, response) => {
    response.writeHead(500).end('{}');
  });
  assert.equal(await codeOf(createApiClient({ socketPath }).status()), 'gateway-answer-unreadable');
});

test('a gateway that hangs is given up, one that cuts is lost', async (t) => {
  const hanging = await fakeGateway(t, () => undefined);
  assert.equal(
    await codeOf(createApiClient({ socketPath: hanging, timeoutMs: 30 }).status()),
    'gateway-timeout',
  );
  const cutting = await fakeGateway(t, (request) => request.socket.destroy());
  assert.equal(
    await codeOf(createApiClient({ socketPath: cutting }).status()),
    'gateway-connection-lost',
  );
  const halfway = await fakeGateway(t, (request, response) => {
    response.writeHead(200, { 'content-length': 100 });
    response.write('{"ver', () => request.socket.destroy());
  });
  assert.equal(
    await codeOf(createApiClient({ socketPath: halfway }).status()),
    'gateway-connection-lost',
  );
});
