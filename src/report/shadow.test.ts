/** What is told of connectors that only watch. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLog } from './log.ts';
import { tellShadow } from './shadow.ts';

/** Counts and warnings of one verdict in this mode. */
function told(mode: 'warn' | 'observe', isMet: boolean | null): readonly unknown[] {
  const said: unknown[] = [];
  const services = {
    log: { ...silentLog, warn: (fields: object) => void said.push('warned', fields) },
    meter: {
      count: (name: string, labels: Record<string, string>) =>
        void said.push(name, labels['result']),
    },
  };
  const shadow = [{ connector: 'watch', mode, isMet, reason: 'why' }];
  tellShadow(services as unknown as Parameters<typeof tellShadow>[0], 'outbound', shadow, {});
  return said;
}

test('a connector that warns does so where it would refuse, and only there', () => {
  const fields = { connector: 'watch', direction: 'outbound', reason: 'why' };
  assert.deepEqual(told('warn', false), ['shadowVerdicts', 'unmet', 'warned', fields]);
  assert.deepEqual(told('observe', false), ['shadowVerdicts', 'unmet']);
  for (const mode of ['warn', 'observe'] as const) {
    assert.deepEqual(told(mode, true), ['shadowVerdicts', 'met']);
    assert.deepEqual(told(mode, null), ['shadowVerdicts', 'unexamined']);
  }
});
