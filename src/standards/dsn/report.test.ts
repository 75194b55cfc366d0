/** multipart/report: three parts, parted as RFC 2046 says. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatReportBody, formatReportType } from './report.ts';

const base = { boundary: 'B', text: 'hello\r\n', deliveryStatus: 'Reporting-MTA: dns; a\r\n' };

test('names the report type and the boundary', () => {
  assert.equal(
    formatReportType('B'),
    'multipart/report; report-type=delivery-status;\r\n boundary="B"',
  );
});

test('writes text, delivery-status and returned header, each a 7bit part', () => {
  const body = formatReportBody({ ...base, returned: { kind: 'headers', text: 'Date: x\r\n' } });
  const parts = body.split('--B\r\n').slice(1);
  assert.deepEqual(
    parts.map((part) => /^Content-Type: ([^;\r]+)/m.exec(part)?.[1]),
    ['text/plain', 'message/delivery-status', 'text/rfc822-headers'],
  );
  assert.ok(body.endsWith('\r\nDate: x\r\n\r\n--B--\r\n'));
  assert.equal(body.match(/Content-Transfer-Encoding: 7bit\r\n\r\n/g)?.length, 3);
});

test('leaves the third part out where nothing is returned', () => {
  const body = formatReportBody({ ...base, returned: null });
  assert.ok(!body.includes('rfc822-headers'));
  assert.ok(body.endsWith('Reporting-MTA: dns; a\r\n\r\n--B--\r\n'));
});
