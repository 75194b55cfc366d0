import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { formatEnhancedStatus, parseEnhancedStatus, status } from './enhanced-status.ts';
import { isPositive, reply } from './reply.ts';

describe('an enhanced status', () => {
  it('is read back as it was written', () => {
    const part = fc.nat({ max: 999 });
    fc.assert(
      fc.property(
        fc.constantFrom(2 as const, 4 as const, 5 as const),
        part,
        part,
        (c, subject, detail) => {
          const value = { class: c, subject, detail };
          assert.deepEqual(parseEnhancedStatus(formatEnhancedStatus(value)), value);
        },
      ),
    );
  });

  it('is nothing else', () => {
    for (const text of ['3.0.0', '5.0', '5.0.0.0', '5.1000.0', ' 5.0.0', '5.0.0 x', '']) {
      assert.equal(parseEnhancedStatus(text), null, text);
    }
    assert.throws(() => status('6.0.0'));
  });
});

it('a reply is positive or not by its code', () => {
  const codes = [220, 354, 451, 550].map((code) => reply(code, null, 'x'));
  assert.deepEqual(codes.map(isPositive), [true, true, false, false]);
});
