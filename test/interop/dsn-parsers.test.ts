/** Every kind of DSN as another implementation reads it: Python's email package. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { writeDsn } from '../../src/report/dsn.ts';
import { sampleDsns } from '../support/sample-dsns.ts';

/** What is read: header, defects of every part, and the delivery-status block by block. */
interface Read {
  readonly defects: readonly string[];
  readonly type: string;
  readonly reportType: string;
  readonly to: string;
  readonly subject: string;
  readonly parts: readonly string[];
  readonly text: string;
  readonly status: readonly (readonly (readonly [string, string])[])[];
  readonly original: string | null;
}

const script = `
import email, json, sys
from email import policy
message = email.message_from_bytes(sys.stdin.buffer.read(), policy=policy.SMTPUTF8)
parts = message.get_payload()
third = parts[2] if len(parts) > 2 else None
inner = third.get_payload(0) if third and third.get_content_type() == 'message/rfc822' else None
print(json.dumps({
  'defects': [str(defect) for part in message.walk() for defect in part.defects],
  'type': message.get_content_type(),
  'reportType': message.get_param('report-type'),
  'to': str(message['To']),
  'subject': str(message['Subject']),
  'parts': [part.get_content_type() for part in parts],
  'text': parts[0].get_content(),
  'status': [[[n, str(v)] for n, v in block.items()] for block in parts[1].get_payload()],
  'original': inner.get_content() if inner else (third.get_payload() if third else None),
}))
`;

const hasPython = spawnSync('python3', ['--version']).status === 0;

function read(bytes: Buffer): Read {
  const result = spawnSync('python3', ['-c', script], { input: bytes, timeout: 30_000 });
  assert.equal(result.status, 0, result.stderr.toString());
  return JSON.parse(result.stdout.toString()) as Read;
}

for (const [name, input] of Object.entries(sampleDsns)) {
  const skip = hasPython ? false : 'python3 is not installed';
  test(`python reads the DSN ${name}`, { skip }, () => {
    const dsn = writeDsn(input)!;
    assert.ok(dsn.content.kind === 'memory');
    const seen = read(dsn.content.bytes);
    assert.deepEqual(seen.defects, []);
    assert.equal(seen.type, 'multipart/report');
    assert.equal(seen.reportType, 'delivery-status');
    assert.ok(seen.to.includes(input.about.reversePath!.localPart), seen.to);
    const third = name === 'failed-whole-mail-returned' ? 'message/rfc822' : 'text/rfc822-headers';
    assert.deepEqual(seen.parts, ['text/plain', 'message/delivery-status', third]);
    const [message, ...recipients] = seen.status.map((block) => new Map(block));
    assert.equal(message!.get('Reporting-MTA'), 'dns; mail.example.test');
    assert.deepEqual(
      recipients.map((fields) => fields.get('Action')),
      input.recipients.map(({ action }) => action),
    );
    for (const fields of recipients) {
      assert.match(fields.get('Final-Recipient')!, /^(?:rfc822|utf-8); [!-~]+$/);
      assert.match(fields.get('Status')!, /^[245]\.\d+\.\d+$/);
      assert.equal(fields.has('Will-Retry-Until'), input.recipients[0]!.willRetryUntilMs !== null);
    }
  });
}

test(
  'python gets back the text of people, and the mail that was returned',
  { skip: !hasPython },
  () => {
    const readSample = (name: string): Read => {
      const { content } = writeDsn(sampleDsns[name]!)!;
      assert.ok(content.kind === 'memory');
      return read(content.bytes);
    };
    assert.match(readSample('failed-utf8').text, /^To: "?j\u00fcrgen"?@partner\.example$/m);
    assert.match(readSample('failed-to-utf8-sender').to, /j\u00f8rn/);
    assert.equal(readSample('failed-whole-mail-returned').original, 'From the body\r\n.\r\n');
    assert.doesNotMatch(JSON.stringify(readSample('failed-alias')), /hidden\.example/);
  },
);
