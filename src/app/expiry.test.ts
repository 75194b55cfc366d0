import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chainPem, makeCa, makeLeaf } from '../testing/certificates.ts';
import type { Configuration } from './configuration.ts';
import { findExpiries } from './expiry.ts';

const dayMs = 86_400_000;
const endMs = Date.UTC(2027, 5, 30);
const ca = makeCa('A CA', { notAfter: new Date(endMs + 1000 * dayMs) });
const leaf = makeLeaf(ca, ['mx.example.test'], { notAfter: new Date(endMs) });

function holding(...names: readonly string[]): Configuration {
  const bytes = Buffer.from(chainPem(leaf, ca));
  const files = new Map(names.map((path) => [path, { bytes, fingerprint: 'one' }]));
  const references = names.map((path) => ({
    kind: 'certificate',
    path,
    certificateFile: null,
    key: 'certificates.server.certificate',
    line: 1,
    column: 1,
  }));
  return { config: { files: references }, files } as unknown as Configuration;
}

const at = (days: number) => findExpiries(holding('/tls/mx.pem'), endMs - days * dayMs);

test('nothing is said of a certificate that is good for more than 30 days', () => {
  assert.deepEqual(at(30.01), []);
});

test('each step towards the end is a new one, and within a step it is the same', () => {
  const days = [30, 29, 14.5, 14, 8, 7, 2, 1, 0.5, 0, -3];
  const steps = days.map((left) => at(left)[0]!.id.split(' ').at(-1));
  assert.deepEqual(steps, ['30', '30', '30', '14', '14', '7', '7', '1', '1', '0', '0']);
});

test('the words name file, key, certificate, date and days', () => {
  const [expiry] = at(6.2);
  assert.match(
    expiry!.text,
    /^\/tls\/mx\.pem \(certificates\.server\.certificate\): .*mx\.example/,
  );
  assert.match(expiry!.text, /expires on 2027-06-30, in 6 days/);
  assert.match(at(1.5)[0]!.text, /in 1 day;/);
  assert.match(at(0.5)[0]!.text, /in less than a day;/);
  assert.match(at(-1)[0]!.text, /expired on 2027-06-30;/);
});

test('a file that two keys name is said once', () => {
  assert.equal(findExpiries(holding('/tls/mx.pem', '/tls/mx.pem'), endMs).length, 1);
});
