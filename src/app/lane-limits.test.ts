/** What a lane gets of the gateway's bounds. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Config } from '../config/config.ts';
import { noRateLimits } from '../policy/rate-limit.ts';
import { rateLimitsOf } from './lane-limits.ts';

test('a lane has its share of each rate limit, and none stays none', () => {
  const limits = { ...noRateLimits, messagesPerAccountPerHour: 1801, messagesPerSenderPerHour: 1 };
  const config = { limits } as unknown as Config;
  assert.deepEqual(rateLimitsOf(config, 0.5), {
    ...noRateLimits,
    messagesPerAccountPerHour: 901,
    messagesPerSenderPerHour: 1,
  });
});
