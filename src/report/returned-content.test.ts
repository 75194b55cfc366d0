/** What a DSN returns: never what an organization says to itself. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { writeReturned } from './returned-content.ts';

const internal =
  'X-MS-Exchange-Organization-AuthAs: Internal\r\n' +
  'x-ms-exchange-ORGANIZATION-A :\r\n\tb\r\n' +
  'X-MS-Exchange-Forest-A: b\r\n' +
  'X-MS-Exchange-CrossPremises-A: b\r\n';
const body = `\r\n${internal}body\r\n`;

function returned(header: string, ret: 'full' | 'headers'): string {
  const bytes = Buffer.from(header + body, 'latin1');
  const request = { ret, envelopeId: null } as const;
  const original = { isForced: false, request, header: bytes, content: bytes };
  return writeReturned(original, 'failed').returned!.text;
}

test('internal fields are left out of the header', () => {
  assert.equal(
    returned(`A: b\r\n${internal}Subject: c\r\n${internal}`, 'headers'),
    'A: b\r\nSubject: c\r\n',
  );
});

test('internal fields are left out of the whole mail; its body stays', () => {
  const lines = `A: b\r\n${internal}Subject: c\r\n${internal}D: e\r\n`;
  assert.equal(returned(lines, 'full'), `A: b\r\nSubject: c\r\nD: e\r\n${body}`);
  assert.equal(returned('A: b\r\n', 'full'), `A: b\r\n${body}`);
  assert.equal(returned('', 'full'), body);
});
