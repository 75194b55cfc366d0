/** What of an organization's own fields leaves, by where the mail goes. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import type { Arrival } from '../policy/arrival.ts';
import { rulesOfArrival } from './arrival-rules.ts';
import { readArrivingHeader } from './arriving-header.ts';
import { headerEnd } from './header-block.ts';
import { outgoingHeader } from './outgoing-header.ts';

const hostName = 'mx.example.test';
const toStranger = { hostName, keepsCrossPremises: false, originatorOrg: null };
const toOtherSide = { hostName, keepsCrossPremises: true, originatorOrg: 'example.test' };
const rest = 'Subject: a\r\n b\r\nFrom: a@a.test\r\n\r\n';

function go(fields: string, rules = toStranger as Parameters<typeof outgoingHeader>[1]): string {
  const header = Buffer.from(fields + rest, 'latin1');
  const pieces = outgoingHeader(header, rules);
  return (pieces === null ? header : Buffer.concat(pieces)).toString('latin1');
}

const filtered = `X-CrossPremisesHeadersFilteredBySendConnector: ${hostName}\r\n`;

describe('to a stranger', () => {
  test('a header without such fields goes as it is, and is not copied', () => {
    assert.equal(outgoingHeader(Buffer.from(rest), toStranger), null);
    const crossTenant = 'X-MS-Exchange-CrossTenant-AuthAs: Internal\r\n';
    assert.equal(outgoingHeader(Buffer.from(crossTenant + rest), toStranger), null);
    const subject = 'Subject: about X-MS-Exchange-Organization-SCL\r\n';
    assert.equal(outgoingHeader(Buffer.from(subject + rest), toStranger), null);
  });

  const internal = [
    'X-MS-Exchange-Organization-AuthAs: Internal\r\n',
    'x-ms-exchange-ORGANIZATION-SCL:\r\n -1\r\n\tmore\r\n',
    'X-MS-Exchange-Forest-RulesExecuted: x\r\n',
    'X-MS-Exchange-CrossPremises-SCL: 1\r\n',
    'X-MS-Exchange-Organization-A : b\r\n',
  ];
  for (const field of internal) {
    test(`takes out ${JSON.stringify(field)}, and says that something is gone`, () => {
      assert.equal(go(`A: b\r\n${field}C: d\r\n${field}`), `${filtered}A: b\r\nC: d\r\n${rest}`);
    });
  }

  test('a field that only some readers take for one goes too', () => {
    assert.equal(go('X-MS-Exchange-Organization-A\r\n : b\r\n'), rest);
  });

  test('X-OriginatorOrg goes without a word', () => {
    assert.equal(go('X-OriginatorOrg: example.test\r\n'), rest);
  });

  test('no field goes unread, however many there are', () => {
    const many = 'A: b\r\n'.repeat(1500);
    assert.equal(go(`${many}X-MS-Exchange-Organization-A: b\r\n`), filtered + many + rest);
  });
});

describe('to the other side', () => {
  const preserved = `X-OrganizationHeadersPreserved: ${hostName}\r\n`;
  const originator = 'X-OriginatorOrg: example.test\r\n';

  test('organization fields get cross-premises names, values and folds untouched', () => {
    const fields =
      'X-MS-Exchange-Organization-AuthAs: Internal\r\nx-ms-exchange-organization-scl:\r\n\t\xff1 \r\n';
    assert.equal(
      go(`A: b\r\n${fields}`, toOtherSide),
      `${preserved}${originator}A: b\r\nX-MS-Exchange-CrossPremises-AuthAs: Internal\r\n` +
        `X-MS-Exchange-CrossPremises-scl:\r\n\t\xff1 \r\n${rest}`,
    );
  });

  test('what is said about one side alone stays here', () => {
    const fields =
      'X-MS-Exchange-Organization-MessageDirectionality: Incoming\r\n' +
      'X-MS-Exchange-Organization-BCC: eve@example.test\r\n' +
      'X-MS-Exchange-Forest-A: b\r\nX-MS-Exchange-CrossPremises-A: b\r\nX-OriginatorOrg: other.test\r\n' +
      'X-MS-Exchange-Organization-A\r\n : b\r\n';
    assert.equal(go(fields, toOtherSide), originator + rest);
  });

  test('names no organization where there is none', () => {
    const rules = { ...toOtherSide, originatorOrg: null };
    assert.equal(outgoingHeader(Buffer.from(rest), rules), null);
  });
});

test('what goes out to the other side comes back as it was', () => {
  const name = fc.constantFrom(
    'AuthAs',
    'SCL',
    'Antispam-ScanContext',
    'X',
    'OriginalClientIPAddress',
  );
  const value = fc.constantFrom(' Internal', '', ' a\r\n\tb', '\xff');
  const field = fc.tuple(name, value).map(([n, v]) => `X-MS-Exchange-Organization-${n}:${v}\r\n`);
  const arrival: Arrival = { trust: 'cross-premises', keepsOriginatorOrg: false, statement: null };
  fc.assert(
    fc.property(fc.uniqueArray(field, { selector: (text) => text.split(':')[0]! }), (fields) => {
      const sent = go(fields.join(''), toOtherSide);
      const rules = rulesOfArrival('other.test', arrival);
      const { pieces } = readArrivingHeader(Buffer.from(sent, 'latin1'), rules, null);
      const back = Buffer.concat(pieces).toString('latin1');
      const marks = /^X-(?:OrganizationHeadersPreserved|CrossPremisesHeadersPromoted): .*\r\n/gm;
      assert.equal(back.replace(marks, ''), fields.join('') + rest);
    }),
  );
});

test('nothing internal leaves, and all other lines stay in order', () => {
  const part = fc.constantFrom(
    'X-MS-Exchange-Organization-A',
    'X-MS-EXCHANGE-FOREST-B',
    'X-MS-Exchange-CrossPremises-C',
    'X-OriginatorOrg',
    'Subject',
    ': ',
    ' ',
    '\r\n',
    '\r\n ',
    'x',
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 30 }), (parts) => {
      const written = Buffer.from(`A: b\r\n${parts.join('')}\r\nZ: z\r\n\r\n`);
      const header = written.subarray(0, headerEnd(written));
      const pieces = outgoingHeader(header, toStranger);
      const sent = (pieces === null ? header : Buffer.concat(pieces)).toString('latin1');
      assert.equal(outgoingHeader(Buffer.from(sent), toStranger), null);
      const fields = sent.replace(/\r\n[ \t]+/g, ' ').split('\r\n');
      const isInternal = (line: string): boolean =>
        /^x-(?:ms-exchange-(?:organization|forest|crosspremises)-\S*|originatororg) *:/i.test(line);
      assert.deepEqual(fields.filter(isInternal), []);
      const before = header.toString('latin1').split('\r\n');
      const after = sent.startsWith(filtered) ? sent.slice(filtered.length) : sent;
      for (const line of after.split('\r\n')) {
        while (before.length > 0 && before[0] !== line) before.shift();
        assert.equal(before.shift(), line);
      }
    }),
    { numRuns: 3000 },
  );
});

const size = 262_144;
const hostile: Readonly<Record<string, string>> = {
  'fields of ours': 'X-MS-Exchange-Organization-A: b\r\n'.repeat(size / 33),
  'malformed lines': `X-OriginatorOrg: a\r\n${'x-\r\n'.repeat(size / 4)}`,
  'one long field': `X-MS-Exchange-Organization-A: ${'x\r\n '.repeat(size / 4)}\r\n`,
  'beginnings of names': 'x-ms-exchange-'.repeat(size / 14),
};
for (const [name, text] of Object.entries(hostile)) {
  test(`reads 256 KB of ${name} in linear time`, () => {
    const header = Buffer.from(text, 'latin1');
    const times = [toStranger, toOtherSide, toStranger].map((rules) => {
      const begin = performance.now();
      outgoingHeader(header, rules);
      return performance.now() - begin;
    });
    assert.ok(Math.min(...times) < 1000, `${times.join(', ')} ms`);
  });
}
