/** delivery-status: an inverse pair, and lines that no value can break. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { status } from '../../mail/enhanced-status.ts';
import type { DeliveryStatus, TypedText } from './delivery-status.ts';
import { formatDeliveryStatus, parseDeliveryStatus } from './delivery-status.ts';
import { formatField } from './field-blocks.ts';

const minimal: DeliveryStatus = {
  message: {
    originalEnvelopeId: null,
    reportingMta: { type: 'dns', text: 'mx.example.test' },
    receivedFromMta: null,
    arrivalAtMs: Date.UTC(2026, 10, 22),
    extensions: [],
  },
  recipients: [
    {
      originalRecipient: null,
      finalRecipient: { type: 'rfc822', text: 'bob@partner.example' },
      action: 'failed',
      status: status('5.1.1'),
      remoteMta: { type: 'dns', text: 'mx.partner.example' },
      diagnosticCode: { type: 'smtp', text: '550 5.1.1 unknown' },
      lastAttemptAtMs: null,
      willRetryUntilMs: null,
      extensions: [],
    },
  ],
};

test('writes the fields of RFC 3464 in their blocks', () => {
  assert.equal(
    formatDeliveryStatus(minimal),
    'Reporting-MTA: dns; mx.example.test\r\n' +
      'Arrival-Date: Sun, 22 Nov 2026 00:00:00 +0000\r\n' +
      '\r\n' +
      'Final-Recipient: rfc822; bob@partner.example\r\n' +
      'Action: failed\r\n' +
      'Status: 5.1.1\r\n' +
      'Remote-MTA: dns; mx.partner.example\r\n' +
      'Diagnostic-Code: smtp; 550 5.1.1 unknown\r\n',
  );
});

const text = fc.stringMatching(/^[!-~](?:[ -~]{0,200}[!-~])?$/);
const typed: fc.Arbitrary<TypedText> = fc.record({
  type: fc.stringMatching(/^[a-z][a-z0-9-]{0,10}$/),
  text,
});
const time = fc.integer({ min: 0, max: 4_000_000_000 }).map((seconds) => seconds * 1000);
const extensions = fc.array(
  fc.record({ name: fc.stringMatching(/^X-[A-Za-z]{1,20}$/), value: text }),
  { maxLength: 3 },
);
const orNull = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null });
const anyStatus: fc.Arbitrary<DeliveryStatus> = fc.record({
  message: fc.record({
    originalEnvelopeId: orNull(text),
    reportingMta: typed,
    receivedFromMta: orNull(typed),
    arrivalAtMs: orNull(time),
    extensions,
  }),
  recipients: fc.array(
    fc.record({
      originalRecipient: orNull(typed),
      finalRecipient: typed,
      action: fc.constantFrom('failed', 'delayed', 'delivered', 'relayed', 'expanded'),
      status: fc.record({
        class: fc.constantFrom(2, 4, 5),
        subject: fc.integer({ min: 0, max: 999 }),
        detail: fc.integer({ min: 0, max: 999 }),
      }),
      remoteMta: orNull(typed),
      diagnosticCode: orNull(typed),
      lastAttemptAtMs: orNull(time),
      willRetryUntilMs: orNull(time),
      extensions,
    }),
    { minLength: 1, maxLength: 4 },
  ),
});

test('reads back what it writes', () => {
  fc.assert(
    fc.property(anyStatus, (value) => {
      // The clone has ordinary prototypes, as the parser's records have.
      assert.deepEqual(parseDeliveryStatus(formatDeliveryStatus(value)), structuredClone(value));
    }),
  );
});

test('writes one bounded ASCII field whatever the value holds', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 3000 }), (value) => {
      const lines = formatField({ name: 'X-Any', value }).split('\r\n');
      assert.equal(lines.pop(), '');
      const [first, ...folded] = lines;
      assert.ok(first!.startsWith('X-Any: '));
      assert.ok(folded.every((line) => line.startsWith(' ') && line.trim().length > 0));
      assert.ok(lines.every((line) => /^[ -~]{1,998}$/.test(line)));
    }),
  );
});

const broken: Readonly<Record<string, string>> = {
  'an empty text': '',
  'no recipient': 'Reporting-MTA: dns; a\r\n',
  'no reporting MTA':
    'X-A: b\r\n\r\nFinal-Recipient: rfc822; a@b\r\nAction: failed\r\nStatus: 5.0.0\r\n',
  'no final recipient': 'Reporting-MTA: dns; a\r\n\r\nAction: failed\r\nStatus: 5.0.0\r\n',
  'an unknown action':
    'Reporting-MTA: dns; a\r\n\r\nFinal-Recipient: rfc822; a@b\r\nAction: lost\r\nStatus: 5.0.0\r\n',
  'a status of another shape':
    'Reporting-MTA: dns; a\r\n\r\nFinal-Recipient: rfc822; a@b\r\nAction: failed\r\nStatus: 500\r\n',
  'a value without its type':
    'Reporting-MTA: a\r\n\r\nFinal-Recipient: rfc822; a@b\r\nAction: failed\r\nStatus: 5.0.0\r\n',
  'a line that is no field':
    'Reporting-MTA: dns; a\r\n\r\nFinal-Recipient: rfc822; a@b\r\nAction: failed\r\nStatus: 5.0.0\r\nhello\r\n',
};
for (const [name, broke] of Object.entries(broken)) {
  test(`refuses ${name}`, () => assert.equal(parseDeliveryStatus(broke), null));
}

test('refuses more recipients than the bound', () => {
  const one = '\r\nFinal-Recipient: rfc822; a@b\r\nAction: failed\r\nStatus: 5.0.0\r\n';
  assert.equal(parseDeliveryStatus(`Reporting-MTA: dns; a\r\n${one.repeat(1001)}`), null);
  assert.equal(
    parseDeliveryStatus(`Reporting-MTA: dns; a\r\n${one.repeat(1000)}`)?.recipients.length,
    1000,
  );
});

test('a name that no line could hold with its value is no field', () => {
  const report = (name: string): string =>
    `Reporting-MTA: dns; a\r\n${name}: b\r\n\r\nFinal-Recipient: rfc822; a@b.test\r\nAction: failed\r\nStatus: 5.0.0\r\n`;
  assert.ok(parseDeliveryStatus(report(`X-${'a'.repeat(74)}`)) !== null);
  assert.equal(parseDeliveryStatus(report(`X-${'a'.repeat(75)}`)), null);
});
