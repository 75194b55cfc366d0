import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { DotStuffer, endingOf, stuffDots } from './dot-stuffing.ts';

/** Content out of the pieces that matter, with bare CR and LF among them. */
const contents = fc
  .array(fc.constantFrom('.', '\r\n', '\r', '\n', 'a', '..', '\r\n.', '\r\n.\r\n'), {
    maxLength: 30,
  })
  .map((parts) => parts.join(''));

/** What a strict server makes of the wire: lines end in CRLF, the first lone dot ends it. */
function unstuff(wire: string): { content: string; rest: string } {
  const end = wire.startsWith('.\r\n') ? -2 : wire.indexOf('\r\n.\r\n');
  const lines = wire.slice(0, end + 2).split('\r\n');
  const content = lines.map((line) => (line.startsWith('.') ? line.slice(1) : line)).join('\r\n');
  return { content, rest: wire.slice(end + 5) };
}

test('a server that takes the dots away gets the content back, closed by CRLF', () => {
  fc.assert(
    fc.property(contents, (content) => {
      const bytes = Buffer.from(content, 'latin1');
      const wire = Buffer.concat([stuffDots(bytes), endingOf(bytes)]).toString('latin1');
      const isClosed = content === '' || content.endsWith('\r\n');
      const { content: got, rest } = unstuff(wire);
      assert.equal(got, isClosed ? content : `${content}\r\n`);
      assert.equal(rest, '');
    }),
    { numRuns: 2000 },
  );
});

test('chunks that break anywhere are stuffed as the whole is', () => {
  fc.assert(
    fc.property(contents, fc.array(fc.nat(5), { maxLength: 40 }), (content, sizes) => {
      const bytes = Buffer.from(content, 'latin1');
      const stuffer = new DotStuffer();
      const parts: Buffer[] = [];
      let at = 0;
      for (const size of sizes) {
        parts.push(stuffer.stuff(bytes.subarray(at, at + size)));
        at += size;
      }
      parts.push(stuffer.stuff(bytes.subarray(at)), stuffer.ending());
      const whole = Buffer.concat([stuffDots(bytes), endingOf(bytes)]);
      assert.deepEqual(Buffer.concat(parts), whole);
    }),
    { numRuns: 2000 },
  );
});

test('content without a dot at the start of a line is not copied', () => {
  const bytes = Buffer.from('a.\r\nb .c\r\n');
  assert.equal(stuffDots(bytes), bytes);
});
