import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { peerTextLengthMax, sanitizePeerText } from './peer-text.ts';

describe('text of a peer', () => {
  it('loses line ends, escapes, bidi and zero-width controls', () => {
    assert.equal(sanitizePeerText('a\r\nBcc: x\u001b[2J\u202e\u200b\u0000b'), 'a??Bcc: x?[2J???b');
  });

  it('keeps what people read', () => {
    const text = 'Postfächer – 日本 😀 "quoted" <a@b.test>';
    assert.equal(sanitizePeerText(text), text);
  });

  it('is never longer than the bound, never half a character, and clean a second time', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 3000 }), (text) => {
        const clean = sanitizePeerText(text);
        assert.ok(clean.length <= peerTextLengthMax);
        assert.ok(clean.isWellFormed());
        assert.doesNotMatch(clean, /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e]/);
        assert.equal(sanitizePeerText(clean), clean);
      }),
    );
  });
});
