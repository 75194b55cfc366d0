import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Hono } from 'hono';
import { silentLog } from '../../report/log.ts';
import { apiFailures } from '../failures.ts';
import { apiLimits } from '../server.ts';
import type { EventFlow } from './event-streams.ts';
import { EventStreams } from './event-streams.ts';
import type { ApiContext, ApiEnv } from './serving.ts';

const context: ApiContext = {
  door: { kind: 'socket' },
  limits: apiLimits,
  failures: apiFailures,
  log: silentLog,
  stopping: new AbortController().signal,
};

async function read(flow: EventFlow, parts: number): Promise<() => Promise<void>> {
  const streams = new EventStreams(context);
  const app = new Hono<ApiEnv>();
  app.get('/', (c) => {
    c.set('actor', null);
    return streams.answer(c, flow);
  });
  const { body } = await app.request('/');
  const reader = (body as ReadableStream<Uint8Array>).getReader();
  for (let i = 0; i < parts; i++) await reader.read();
  return () => reader.cancel();
}

test('an open stream does not remember the events that were taken', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const told: WeakRef<object>[] = [];
  const cancel = await read(async function* () {
    for (;;) {
      const data = { text: 'x'.repeat(1000) };
      told.push(new WeakRef(data));
      yield { event: 'row', data };
    }
  }, 101);
  await sleep(20);
  collect();
  const remembered = told.filter((each) => each.deref() !== undefined).length;
  await cancel();
  assert.ok(told.length >= 100 && remembered < 5, `${remembered} of ${told.length}`);
});
