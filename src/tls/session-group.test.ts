/** The server's view of the group, against real handshakes in both versions. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { readSessionGroup } from './session-group.ts';

/** SEQUENCE { INTEGER 1, [19] { INTEGER group } } */
function sessionWith(group: readonly number[]): Buffer {
  const integer = [0x02, group.length, ...group];
  const inner = [0x02, 1, 1, 0xb3, integer.length, ...integer];
  return Buffer.from([0x30, inner.length, ...inner]);
}

describe('the group of a session', () => {
  it('is named as in our settings', () => {
    assert.equal(readSessionGroup(sessionWith([0x17])), 'P-256');
    assert.equal(readSessionGroup(sessionWith([0x1d])), 'X25519');
    assert.equal(readSessionGroup(sessionWith([0x11, 0xec])), 'X25519MLKEM768');
    assert.equal(readSessionGroup(sessionWith([0x7f])), 'group 127');
  });

  it('is unknown where the session does not tell', () => {
    assert.equal(readSessionGroup(undefined), null);
    assert.equal(readSessionGroup(Buffer.alloc(0)), null);
    assert.equal(readSessionGroup(Buffer.from([0x30, 3, 2, 1, 1])), null);
    assert.equal(readSessionGroup(sessionWith([1, 2, 3, 4])), null);
  });

  it('never throws', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        const group = readSessionGroup(Buffer.from(bytes));
        assert.ok(group === null || group.length > 0);
      }),
    );
  });
});
