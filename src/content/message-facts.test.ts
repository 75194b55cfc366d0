import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { sourceOfBytes } from './byte-source.ts';
import type { ContentFacts, FactBounds } from './message-facts.ts';
import { defaultBounds, readFacts } from './message-facts.ts';

function facts(content: string | Buffer, part: Partial<FactBounds> = {}): ContentFacts {
  const bytes = typeof content === 'string' ? Buffer.from(content, 'latin1') : content;
  return readFacts(sourceOfBytes(bytes), { ...defaultBounds, isLate: () => false, ...part });
}

/** A multipart with these parts, each given with its header. */
function multipart(parts: readonly string[], boundary = 'b1', type = 'mixed'): string {
  const all = parts.map((part) => `--${boundary}\r\n${part}\r\n`).join('');
  return `Content-Type: multipart/${type}; boundary="${boundary}"\r\n\r\n${all}--${boundary}--\r\n`;
}

const plain = (text: string): string => `Content-Type: text/plain\r\n\r\n${text}`;
const file = (disposition: string, type = 'application/octet-stream'): string =>
  `Content-Type: ${type}\r\nContent-Disposition: ${disposition}\r\n\r\nxx`;
const namesOf = (content: string): string[] =>
  facts(content).attachments.flatMap(({ names }) => [...names]);
const certain = { textDoubt: null, attachmentDoubt: null };

describe('text', () => {
  it('of a message without MIME is its body', () => {
    const found = facts('Subject: x\r\n\r\nHello\r\n');
    assert.deepEqual(found, { texts: ['Hello\r\n'], attachments: [], ...certain });
    assert.deepEqual(facts('\r\nHello').texts, ['Hello']);
    assert.deepEqual(facts('Subject: x').texts, ['']);
  });

  it('is decoded from base64 and quoted-printable by its charset', () => {
    const coded = (encoding: string, charset: string, body: string) =>
      facts(
        `Content-Type: text/plain; charset=${charset}\r\nContent-Transfer-Encoding: ${encoding}\r\n\r\n${body}`,
      ).texts[0];
    assert.equal(coded('base64', 'utf-8', Buffer.from('Größe').toString('base64')), 'Größe');
    assert.equal(coded('Quoted-Printable', 'iso-8859-1', 'Gr=F6=\r\n=DFe=20'), 'Größe ');
    assert.equal(coded('8bit', 'koi8-r', '\xc1\xc2'), 'аб');
    assert.equal(coded('base64', 'utf-8', 'c2Vj=\r\ncmV0'), 'secret');
    assert.equal(
      coded('base64', 'iso-2022-jp', Buffer.from('\x1b$B4A;z\x1b(B').toString('base64')),
      '漢字',
    );
  });

  it('without a charset is UTF-8 or Windows', () => {
    assert.equal(facts(Buffer.from('A: 1\r\n\r\nGröße')).texts[0], 'Größe');
    const old = facts('A: 1\r\n\r\nGr\xf6\xdfe');
    assert.deepEqual([old.texts[0], old.textDoubt], ['Größe', null]);
  });

  it('of HTML is what it shows', () => {
    const html = (body: string) => facts(`Content-Type: text/html\r\n\r\n${body}`).texts[0];
    assert.equal(html('<p>con<b>fid</b>ential</p>'), '\nconfidential\n');
    assert.equal(html('a<br>b<td>c'), 'a\nb\nc');
    assert.equal(
      html('<a title="x>y">t</a><!-- secret -->&auml;&#228;&#xE4;&amp;&#0;'),
      'täää&\ufffd',
    );
    assert.equal(html('<script>secret</script>x<STYLE>s</style >y'), 'xy');
    assert.equal(html('1 < 2 <secret'), '1 < 2 ');
    assert.equal(html('<script>never ends'), '');
  });

  it('is that of all alternatives, not of attachments and attached messages', () => {
    const found = facts(
      multipart([
        multipart([plain('one'), 'Content-Type: text/html\r\n\r\ntwo'], 'b2', 'alternative'),
        `Content-Type: text/plain\r\nContent-Disposition: attachment; filename=a.txt\r\n\r\nthree`,
        `Content-Type: message/rfc822\r\n\r\n${plain('four')}`,
      ]),
    );
    assert.deepEqual(found.texts, ['one\r\n', 'two\r\n']);
    assert.deepEqual(found.attachments, [
      { names: ['a.txt'], type: 'text/plain' },
      { names: [], type: 'message/rfc822' },
    ]);
    assert.equal(found.textDoubt, null);
  });
});

describe('attachments', () => {
  it('have names in every form that some reader takes', () => {
    const names: readonly (readonly [string, string])[] = [
      ['attachment; filename=a.pdf', 'a.pdf'],
      ['attachment; filename="a b;c.pdf"', 'a b;c.pdf'],
      ['attachment; FILENAME="a\\"b.pdf"', 'a"b.pdf'],
      ["attachment; filename*=utf-8'de'Gr%C3%B6%C3%9Fe.pdf", 'Größe.pdf'],
      [
        "attachment; filename*0*=utf-8''Gr%C3%B6; filename*1*=%C3%9Fe; filename*2=.pdf",
        'Größe.pdf',
      ],
      ['attachment; filename="=?utf-8?q?Gr=C3=B6=C3=9Fe.pdf?="', 'Größe.pdf'],
      ['attachment (a comment; filename=no.txt); filename=a.pdf', 'a.pdf'],
      ['attachment;\r\n filename=a.pdf', 'a.pdf'],
    ];
    for (const [disposition, name] of names) {
      assert.deepEqual(namesOf(multipart([file(disposition)])), [name], disposition);
    }
  });

  it('with two names have both', () => {
    const both = `Content-Type: text/plain; name="a.exe"\r\nContent-Disposition: attachment; filename="a.txt"\r\n\r\n`;
    assert.deepEqual(namesOf(both).sort(), ['a.exe', 'a.txt']);
  });

  it('of attached messages are attachments too', () => {
    const inner = multipart([file('attachment; filename=deep.exe')], 'b2');
    const outer = multipart([plain('x'), `Content-Type: message/rfc822\r\n\r\n${inner}`]);
    assert.deepEqual(namesOf(outer), ['deep.exe']);
    assert.equal(facts(outer).attachmentDoubt, null);
  });

  it('are all there is but text without a name', () => {
    const found = facts(multipart([plain('x'), 'Content-Type: image/png\r\n\r\nx']));
    assert.deepEqual(found.attachments, [{ names: [], type: 'image/png' }]);
  });
});

describe('doubt', () => {
  const doubtsOf = (content: string, part: Partial<FactBounds> = {}) => {
    const { textDoubt, attachmentDoubt } = facts(content, part);
    return [textDoubt, attachmentDoubt];
  };
  const both = (content: string, expected: RegExp, part: Partial<FactBounds> = {}) => {
    for (const doubt of doubtsOf(content, part)) assert.match(doubt ?? 'none', expected);
  };

  it('is about text beyond the bound, and what was read is kept', () => {
    const found = facts(`A: 1\r\n\r\nsecret ${'x'.repeat(100)}`, { textBytesMax: 50 });
    assert.match(found.textDoubt!, /too much text/);
    assert.equal(found.attachmentDoubt, null);
    assert.match(found.texts[0]!, /^secret x+$/);
    assert.equal(found.texts[0]!.length, 50);
  });

  it('is about parts, depth, header and time beyond the bounds', () => {
    both(multipart(Array.from({ length: 9 }, () => plain('x'))), /too many parts/, { partsMax: 9 });
    let deep = plain('x');
    for (let i = 0; i < 9; i++) deep = multipart([deep], `b${i}x`);
    both(deep, /nested too deeply/, { depthMax: 8 });
    let attached = plain('x');
    for (let i = 0; i < 9; i++) attached = `Content-Type: message/rfc822\r\n\r\n${attached}`;
    both(attached, /nested too deeply/, { depthMax: 8 });
    both(`A: ${'x'.repeat(40_000)}\r\n\r\n`, /header of a part is too large/, {
      headerBytesMax: 30_000,
    });
    both(plain('x'), /took too long/, { isLate: () => true });
  });

  it('is about what readers see differently', () => {
    both('Content-Type: multipart/mixed\r\n\r\nx', /what divides them/);
    both('Content-Type: multipart/mixed boundary=b1\r\n\r\nx', /type of a part cannot be read/);
    both(`Content-Type: text/plain\r\n${multipart([plain('x')])}`, /two things of itself/);
    both('Content-Type: multipart/mixed; boundary=a; boundary=b\r\n\r\nx', /two things of itself/);
    both(
      `${multipart([plain('x')])}--b1\r\n${file('attachment; filename=a.exe')}`,
      /behind their end/,
    );
    both(`Content-Transfer-Encoding: base64\r\n${multipart([plain('x')])}`, /encoded as a whole/);
  });

  it('that goes on behind its end has those parts too', () => {
    const more = `${multipart([plain('x')])}--b1\r\n${file('attachment; filename=a.exe')}`;
    assert.deepEqual(namesOf(more), ['a.exe']);
  });

  it('is about texts and names in what we cannot read', () => {
    const utf7 = facts('Content-Type: text/plain; charset=utf-7\r\n\r\n+AHM-ecret');
    assert.match(utf7.textDoubt!, /unknown charset/);
    const odd = facts('Content-Transfer-Encoding: x-uuencode\r\n\r\nabc');
    assert.match(odd.textDoubt!, /unknown encoding/);
    assert.equal(odd.attachmentDoubt, null);
    const name = `attachment; filename*=x-odd''a%ff.exe`;
    assert.match(facts(multipart([file(name)])).attachmentDoubt!, /name of an attachment/);
    const hidden = `Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\nAAAA`;
    assert.match(facts(hidden).attachmentDoubt!, /is encoded/);
  });

  it('is not about an unknown charset in which all is ASCII', () => {
    assert.deepEqual(doubtsOf('Content-Type: text/plain; charset=x-odd\r\n\r\nabc'), [null, null]);
    assert.deepEqual(doubtsOf('Content-Type: text\r\n\r\nabc'), [null, null]);
  });
});

describe('structure', () => {
  it('survives boundaries that begin alike, and missing ends', () => {
    const inner = multipart([plain('in')], 'b1x');
    assert.deepEqual(facts(multipart([inner, plain('out')])).texts, ['in\r\n', 'out\r\n']);
    const open = 'Content-Type: multipart/mixed; boundary=b1\r\n\r\n--b1\r\n\r\nend';
    assert.deepEqual(facts(open).texts, ['end']);
    const unclosed = multipart([
      `Content-Type: multipart/mixed; boundary=b2\r\n\r\n--b2\r\n${plain('in')}`,
      plain('out'),
    ]);
    assert.deepEqual(facts(unclosed).texts, ['in\r\n', 'out\r\n']);
  });

  it('a part may have no header, or none but one', () => {
    assert.deepEqual(facts(multipart(['\r\nx', 'Content-Type: image/png'])).texts, ['x\r\n']);
    assert.equal(facts(multipart(['Content-Type: image/png'])).attachments.length, 1);
  });

  it('in a digest every part is a message', () => {
    const digest = multipart(
      [`\r\n${multipart([file('attachment; filename=a.exe')], 'b2')}`],
      'b1',
      'digest',
    );
    assert.deepEqual(namesOf(digest), ['a.exe']);
  });

  it('delimiters are found wherever a piece of the file ends', () => {
    const filler = 'y'.repeat(256 * 1024 - 60);
    for (let shift = 0; shift < 40; shift++) {
      const content = multipart([
        file('attachment; filename=a.bin').replace('xx', filler + 'z'.repeat(shift)),
        plain('behind'),
      ]);
      assert.deepEqual(facts(content).texts, ['behind\r\n'], String(shift));
    }
  });

  it('never throws and stays within its bounds, whatever comes', () => {
    const piece = fc.constantFrom(
      '--b1\r\n',
      '--b1--\r\n',
      '--b2\r\n',
      '\r\n',
      '\r\n\r\n',
      'Content-Type: ',
      'text/html',
      'text/plain',

      'multipart/mixed',
      '; boundary=b1',
      '; boundary="b2',
      'message/rfc822',
      '; charset=',
      'utf-16',
      'x',

      'Content-Transfer-Encoding: base64\r\n',
      '; name*0*=',
      "utf-8''%41",
      '=?utf-8?b?',
      '?=',
      '<',
      '&#',

      'Content-Disposition: attachment; filename=',
      '\0',
      '\xff',
      '(',
      '"',
      '\\',
      ';',
      '=',
      '\n',
      '--',
    );
    const content = fc.array(piece, { maxLength: 60 }).map((parts) => parts.join(''));
    const bounds = { textBytesMax: 40, partsMax: 10, depthMax: 3 };
    fc.assert(
      fc.property(content, (text) => {
        const found = facts(text, bounds);
        assert.ok(found.attachments.length <= 10);
        const size = found.texts.reduce((sum, one) => sum + one.length, 0);
        assert.ok(size <= 40);
      }),
      { numRuns: 3000 },
    );
  });
});
