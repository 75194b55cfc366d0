import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sampleRows } from '../../test/support/api-services.ts';
import { matchesQueue } from './queue-match.ts';

test('of several organizations a row must be of one, and of none it never is', () => {
  const row = sampleRows[0]!;
  const own = row.message.organization;
  assert.equal(matchesQueue(row, { organizations: [] }), false);
  assert.equal(matchesQueue(row, { organizations: ['other'] }), false);
  assert.equal(matchesQueue(row, { organizations: ['other'], organization: own }), false);
  assert.equal(matchesQueue(row, { organizations: [own], organization: 'other' }), false);
  assert.equal(matchesQueue(row, { organizations: ['other', own] }), true);
  assert.equal(matchesQueue(row, {}), true);
});
