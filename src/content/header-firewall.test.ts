/** What strangers may not write, in every spelling that a reader takes for it. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import type { HeaderFamily } from '../policy/header-family.ts';
import { readArrivingHeader } from './arriving-header.ts';
import { strangersFamilies, submittersFamilies } from './header-firewall.ts';

const hostName = 'mx.example.test';

interface Passed {
  readonly text: string;
  readonly removed: Readonly<Record<string, number>>;
}

function pass(header: string, forbids = strangersFamilies): Passed {
  const bytes = Buffer.from(header, 'latin1');
  const { pieces, changes } = readArrivingHeader(bytes, { hostName, forbids }, null);
  return {
    text: Buffer.concat(pieces).toString('latin1'),
    removed: changes?.removed ?? {},
  };
}

const before = 'Received: from a by b; now\r\nSubject: one\r\n two\r\n';
const after = 'From: a@a.test\r\nTo: b@example.test\r\n\r\n';

function assertRemoved(fields: string, family: HeaderFamily, count = 1): void {
  const { text, removed } = pass(`${before}${fields}${after}`);
  assert.equal(text, before + after);
  assert.deepEqual(removed, { [family]: count });
}

const fieldsByFamily: Readonly<Partial<Record<HeaderFamily, readonly string[]>>> = {
  'X-MS-Exchange-Organization': [
    'X-MS-Exchange-Organization-AuthAs: Internal',
    'x-ms-exchange-ORGANIZATION-SCL: -1',
  ],
  'X-MS-Exchange-Forest': ['X-MS-Exchange-Forest-RulesExecuted: x'],
  'X-MS-Exchange-CrossPremises': ['X-MS-Exchange-CrossPremises-AuthAs: Internal'],
  'X-MS-Exchange-ExternalOriginalInternetSender': [
    'X-MS-Exchange-ExternalOriginalInternetSender: ip=[192.0.2.1];domain=bank.example',
  ],
  'X-MS-Exchange-SkipListedInternetSender': ['X-MS-Exchange-SkipListedInternetSender: ip=[::1]'],
  'X-OriginatorOrg': ['X-OriginatorOrg: example.test', 'x-originatororg:example.test'],
  'Return-Path': ['Return-Path: <ceo@example.test>', 'return-path : <>'],
  'X-Postern': ['X-Postern-Checked: yes'],
  'Authentication-Results': [
    'Authentication-Results: mx.example.test; dmarc=pass',
    'authentication-results:\r\n MX.EXAMPLE.TEST 1;\r\n\tdmarc=pass',
    'Authentication-Results: (of\r\n ours) mx.example.test; dmarc=pass',
    'Authentication-Results: "mx.example.test"; dmarc=pass',
    'Authentication-Results: mx.example.test.; dmarc=pass',
    'Authentication-Results: mx\uff0eexample\uff0etest; dmarc=pass',
    'Authentication-Results: (no end mx.example.test; dmarc=pass',
  ],
};

describe('removes', () => {
  for (const [family, fields] of Object.entries(fieldsByFamily)) {
    for (const field of fields ?? []) {
      test(field, () => {
        const wire = Buffer.from(`${field}\r\n`, 'utf8').toString('latin1');
        assertRemoved(wire, family as HeaderFamily);
      });
    }
  }

  test('folded values with all their lines, also those that look like fields or empty lines', () => {
    assertRemoved(
      'X-MS-Exchange-Organization-AuthAs:\r\n Internal\r\n\tFrom: x\r\n \r\n  more\r\n',
      'X-MS-Exchange-Organization',
    );
  });

  test('each of several, next to each other and apart', () => {
    const field = 'X-OriginatorOrg: example.test\r\n';
    assertRemoved(field + field + field, 'X-OriginatorOrg', 3);
    const { text, removed } = pass(field + before + field + after);
    assert.equal(text, before + after);
    assert.deepEqual(removed, { 'X-OriginatorOrg': 2 });
  });

  test('a header of nothing else', () => {
    assert.equal(pass('X-OriginatorOrg: a\r\n\r\n').text, '\r\n');
    assert.equal(pass('X-OriginatorOrg: a\r\n').text, '');
  });
});

describe('removes what only a generous reader takes for the field:', () => {
  const name = 'X-MS-Exchange-Organization-AuthAs';
  const spellings: Readonly<Record<string, string>> = {
    'space before the colon': `${name} \t: Internal\r\n`,
    'a fold before the colon': `${name}\r\n : Internal\r\n`,
    'a fold within the name': `X-MS-Exchange-\r\n Organization-AuthAs: Internal\r\n`,
    'a byte order mark': `\xef\xbb\xbf${name}: Internal\r\n`,
    'a control before the name': `\x0b${name}: Internal\r\n`,
    'a control within the name': `X-MS-Exchange-Organization-\x7fAuthAs: Internal\r\n`,
    'a no-break space': `${name}\xa0: Internal\r\n`,
  };
  for (const [what, spelling] of Object.entries(spellings)) {
    test(what, () => assertRemoved(spelling, 'X-MS-Exchange-Organization'));
  }

  test('a field behind a line that some readers take for the end of the header', () => {
    for (const line of ['nonsense\r\n', ' \r\n', '\t\r\n', ': no name\r\n']) {
      const { text, removed } = pass(`${before}${line}${name}: Internal\r\n${after}`);
      assert.equal(text, before + line + after);
      assert.deepEqual(removed, { 'X-MS-Exchange-Organization': 1 });
    }
  });

  test('a field of a content that is all header', () => {
    const { text } = pass(`hello\r\n${name}: Internal\r\nworld\r\n`);
    assert.equal(text, 'hello\r\nworld\r\n');
  });
});

describe('leaves, byte for byte,', () => {
  const innocent = [
    'Authentication-Results: mx.partner.test; dmarc=pass',
    'Authentication-Results: mx.example.test.partner.test; dmarc=pass',
    'Authentication-Results: spf=pass smtp.mailfrom=mx.example.test',
    'Authentication-Results: mx.partner.test; x=y (seen by mx.example.test; none)',
    'ARC-Authentication-Results: i=1; mx.example.test; dmarc=pass',
    'ARC-Seal: i=1; a=rsa-sha256; d=example.test; b=x',
    'DKIM-Signature: v=1; h=X-OriginatorOrg:Return-Path; b=x',
    'X-MS-Exchange-CrossTenant-AuthAs: Anonymous',
    'X-MS-Exchange-OrganizationX: y',
    'X-OriginatorOrgs: y',
    'X-Originating-IP: 192.0.2.1',
    'Return-Path-Hint: x',
    'Return-Receipt-To: a@a.test',
    'Subject: X-OriginatorOrg: example.test',
    'Subject: x\r\n X-OriginatorOrg: example.test',
    'X-OriginatorOrg',
    'X-Raw: \xff\xfe \t ',
    'bcc: hidden@a.test',
  ];
  for (const field of innocent) {
    test(JSON.stringify(field), () => {
      const header = `${before}${field}\r\n${after}`;
      const { text, removed } = pass(header);
      assert.equal(text, header);
      assert.deepEqual(removed, {});
    });
  }

  test('a header without such fields, which is not even copied', () => {
    const bytes = Buffer.from(before + after);
    const rules = { hostName, forbids: strangersFamilies };
    const { pieces, changes } = readArrivingHeader(bytes, rules, null);
    assert.equal(pieces.length, 1);
    assert.equal(pieces[0], bytes);
    assert.equal(changes, null);
  });

  test('what the caller trusts', () => {
    const field = 'X-MS-Exchange-Organization-AuthAs: Internal\r\nReturn-Path: <>\r\n';
    const forbids = new Set<HeaderFamily>(['Return-Path']);
    assert.equal(pass(field, forbids).text, 'X-MS-Exchange-Organization-AuthAs: Internal\r\n');
  });
});

test('blind recipients of a submitted message are not shown to the others', () => {
  const fields = 'Bcc: a@a.test,\r\n b@b.test\r\nResent-Bcc: c@c.test\r\n';
  const { text, removed } = pass(before + fields + after, submittersFamilies);
  assert.equal(text, before + after);
  assert.deepEqual(removed, { Bcc: 2 });
});

/** The names of a reader that takes for a field whatever could be meant as one. */
function readGenerously(header: string): string[] {
  const logical = header.replace(/\r\n[ \t]+/g, ' ').split('\r\n');
  const meant = logical.filter((line) => line.includes(':'));
  return meant.map((line) =>
    line
      .split(':')[0]!
      .replace(/[^!-~]/g, '')
      .toLowerCase(),
  );
}

const names = ['X-MS-Exchange-Organization-A', 'X-OriginatorOrg', 'Return-Path', 'X-A', 'From'];
const glue = [':', ' ', '\t', '\r\n', '\r\n ', '\x0b', '\xa0', 'a: b\r\n', '\r\nreturn-path:'];

test('leaves whole lines in order, and none that a generous reader takes for ours', () => {
  const part = fc.constantFrom(...names, ...glue);
  fc.assert(
    fc.property(fc.array(part, { maxLength: 30 }), (parts) => {
      const header = `A: b\r\n${parts.join('')}\r\n`;
      const { text } = pass(header);
      assert.deepEqual(pass(text), { text, removed: {} });
      const lines = header.split('\r\n');
      for (const line of text.split('\r\n')) {
        while (lines.length > 0 && lines[0] !== line) lines.shift();
        assert.equal(lines.shift(), line);
      }
      const end = text.indexOf('\r\n\r\n');
      const forbidden = /^(x-ms-exchange-organization-.*|x-originatororg|return-path)$/;
      const read = readGenerously(end === -1 ? text : text.slice(0, end));
      assert.deepEqual(
        read.filter((name) => forbidden.test(name)),
        [],
        JSON.stringify(text),
      );
    }),
    { numRuns: 5000 },
  );
});

const quarterMegabyte = 262_144;
const hostile: Readonly<Record<string, string>> = {
  'fields of ours': 'X-OriginatorOrg: a\r\n'.repeat(quarterMegabyte / 20),
  'one long field of ours': `X-OriginatorOrg: ${'x\r\n '.repeat(quarterMegabyte / 4)}\r\n`,
  'malformed lines': 'x-\r\n'.repeat(quarterMegabyte / 4),
  'a fold before each colon': 'X-OriginatorOrg\r\n : x\r\n'.repeat(quarterMegabyte / 23),
  'comments before an id': `Authentication-Results: ${'('.repeat(quarterMegabyte)}\r\n`,
  'quotes before an id': `Authentication-Results: "${'\\"'.repeat(quarterMegabyte / 2)}\r\n`,
  'Received fields that seem ours': 'Received: (Postern)\r\n'.repeat(quarterMegabyte / 21),
  'one long Received': `Received: (Postern) ${'by '.repeat(quarterMegabyte / 3)}\r\n`,
};
for (const [name, text] of Object.entries(hostile)) {
  test(`reads 256 KB of ${name} in linear time`, () => {
    const bytes = Buffer.from(text, 'latin1');
    const rules = { hostName, forbids: strangersFamilies };
    const times = Array.from({ length: 5 }, () => {
      const begin = performance.now();
      readArrivingHeader(bytes, rules, null);
      return performance.now() - begin;
    });
    // Quadratic work would take seconds here; the bound leaves room for a busy machine.
    assert.ok(Math.min(...times) < 100, `${times.join(', ')} ms`);
  });
}

test('the field that counts passes of rules comes back with the message', () => {
  const header = `${before}X-Postern-Rules-Loop: mx.example.test\r\n${after}`;
  assert.deepEqual(pass(header), { text: header, removed: {} });
});
