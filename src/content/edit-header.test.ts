import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { address } from '../../test/support/policy.ts';
import type { HeaderEdit } from '../policy/rules/header-edit.ts';
import { editHeader } from './edit-header.ts';
import { decodeWords } from './encoded-words.ts';
import { parseHeaderBlock } from './header-block.ts';

function edit(header: string, ...edits: HeaderEdit[]): string {
  return editHeader(Buffer.from(header, 'utf8'), edits).toString('utf8');
}

const prepend = (text: string): HeaderEdit => ({ kind: 'prepend-subject', text });
const plain = 'From: a@b.test\r\nSubject: Hello\r\n\r\n';

describe('editHeader', () => {
  it('leaves all other bytes as they are', () => {
    const odd = 'X:\t1 \r\n 2\r\nno field at all\r\nSubject:x\r\nY : z\r\n\r\n';
    assert.equal(edit(odd), odd);
    assert.equal(edit(odd, { kind: 'remove', name: 'Nothing' }), odd);
    const raw = Buffer.from([0x58, 0x3a, 0xff, 0xfe, 0x0d, 0x0a, 0x0d, 0x0a]);
    assert.deepEqual(editHeader(raw, [{ kind: 'remove', name: 'Y' }]), raw);
  });

  it('sets a field in the place of all of that name, or behind the others', () => {
    const set: HeaderEdit = { kind: 'set', name: 'X-A', value: 'new' };
    assert.equal(edit('x-a: 1\r\nB: 2\r\nX-A: 3\r\n 4\r\n\r\n', set), 'X-A: new\r\nB: 2\r\n\r\n');
    assert.equal(edit('B: 2\r\n\r\n', set), 'B: 2\r\nX-A: new\r\n\r\n');
    assert.equal(edit('\r\n', set), 'X-A: new\r\n\r\n');
  });

  it('removes every field of a name, with its continuations, and lines that some take for it', () => {
    const remove: HeaderEdit = { kind: 'remove', name: 'x-a' };
    assert.equal(edit('X-A: 1\r\n 2\r\nB: 3\r\nx-A : 4\r\n\r\n', remove), 'B: 3\r\n\r\n');
    assert.equal(edit('\u00ffX-A: 1\r\nB: 3\r\n\r\n', remove), 'B: 3\r\n\r\n');
  });

  it('puts text before the subject, or makes one', () => {
    assert.equal(edit(plain, prepend('[x] ')), plain.replace('Hello', '[x] Hello'));
    assert.equal(edit('A: 1\r\n\r\n', prepend('[x] ')), 'A: 1\r\nSubject: [x]\r\n\r\n');
    assert.equal(edit('Subject:\r\n\r\n', prepend('[x] ')), 'Subject: [x] \r\n\r\n');
  });

  it('text beyond ASCII is encoded, and reads as one with the subject', () => {
    const shown = (subject: string, text: string): string => {
      const edited = editHeader(Buffer.from(`Subject: ${subject}\r\n\r\n`, 'utf8'), [
        prepend(text),
      ]);
      assert.ok(
        edited
          .toString('latin1')
          .split('\r\n')
          .every((line) => line.length <= 998),
      );
      return decodeWords(parseHeaderBlock(edited).fields[0]!.value).text;
    };
    assert.equal(shown('Hello', 'Größe: '), 'Größe: Hello');
    assert.equal(shown('=?utf-8?q?H=C3=A4?=', 'Größe: '), 'Größe: Hä');
    assert.equal(shown('=?utf-8?q?H=C3=A4?=', '[x] '), '[x] Hä');
    assert.equal(shown('Hällo', 'é'.repeat(60)), `${'é'.repeat(60)} Hällo`);
    assert.equal(shown('x'.repeat(980), '[x] '), `[x] ${'x'.repeat(980)}`);
  });

  it('adds an address to a field that readers see', () => {
    const add: HeaderEdit = { kind: 'add-address', name: 'To', address: address('c@d.test') };
    assert.equal(edit('To: a@b.test\r\n\r\n', add), 'To: a@b.test,\r\n c@d.test\r\n\r\n');
    assert.equal(edit('To: \r\nA: 1\r\n\r\n', add), 'A: 1\r\nTo: c@d.test\r\n\r\n');
    assert.equal(edit('A: 1\r\n\r\n', add), 'A: 1\r\nTo: c@d.test\r\n\r\n');
  });

  it('counts a pass in a field of its own', () => {
    const count: HeaderEdit = { kind: 'count-pass', hostName: 'mx.test' };
    const once = edit(plain, count);
    assert.equal(once, plain.replace('\r\n\r\n', '\r\nX-Postern-Rules-Loop: mx.test\r\n\r\n'));
    assert.equal(edit(once, count).match(/X-Postern-Rules-Loop/g)?.length, 2);
  });

  it('a value that is set cannot bring a line of its own', () => {
    const text = 'a\r\nBcc: x@y.test';
    const edited = editHeader(Buffer.from('A: 1\r\n\r\n'), [
      { kind: 'set', name: 'X', value: text },
    ]);
    assert.deepEqual(
      parseHeaderBlock(edited).fields.map(({ name }) => name),
      ['A', 'X'],
    );
  });

  it('never throws, keeps the empty line and all fields that it does not mean', () => {
    const piece = fc.constantFrom(
      'A: 1\r\n',
      'Subject: x\r\n',
      ' y\r\n',
      'To: a@b\r\n',
      'bad\r\n',
      '\r\n',
      'x',
      '\n',
    );
    const header = fc.array(piece, { maxLength: 12 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(header, fc.string({ maxLength: 60 }), (text, value) => {
        const edited = editHeader(Buffer.from(text), [
          { kind: 'set', name: 'X-New', value },
          prepend(value),
          { kind: 'add-address', name: 'To', address: address('c@d.test') },
        ]);
        const count = (bytes: Buffer) =>
          parseHeaderBlock(bytes).fields.filter(({ name }) => name === 'A').length;
        assert.equal(count(edited), count(Buffer.from(text)));
        const names = parseHeaderBlock(edited).fields.map(({ name }) => name);
        assert.equal(names.filter((name) => name === 'X-New').length, 1);
      }),
      { numRuns: 1000 },
    );
  });
});
