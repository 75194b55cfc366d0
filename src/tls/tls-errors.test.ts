/** Errors of TLS sockets in our words. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { classifyTlsError, hintAtNoCertificate } from './tls-errors.ts';

function opensslError(code: string, reason: string): Error {
  return Object.assign(new Error(`40A7:error:0A0:SSL routines::${reason}`), { code, reason });
}

const expectations: readonly (readonly [string, string, string])[] = [
  ['ERR_SSL_WRONG_VERSION_NUMBER', 'wrong version number', 'not-tls'],
  ['ERR_SSL_UNSUPPORTED_PROTOCOL', 'unsupported protocol', 'version'],
  ['ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION', 'tlsv1 alert protocol version', 'version'],
  ['ERR_SSL_NO_SHARED_CIPHER', 'no shared cipher', 'no-common-algorithm'],
  ['ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE', 'ssl/tls alert handshake failure', 'peer-refused'],
  ['ERR_SSL_TLSV1_ALERT_UNKNOWN_CA', 'tlsv1 alert unknown ca', 'certificate-refused'],
  [
    'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED',
    'tlsv13 alert certificate required',
    'certificate-refused',
  ],
  ['ERR_SSL_SSL/TLS_ALERT_BAD_CERTIFICATE', 'ssl/tls alert bad certificate', 'certificate-refused'],
  [
    'ERR_SSL_SSL/TLS_ALERT_CERTIFICATE_EXPIRED',
    'ssl/tls alert certificate expired',
    'certificate-refused',
  ],
  ['ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR', 'tlsv1 alert internal error', 'peer-refused'],
  ['ERR_SSL_UNEXPECTED_EOF_WHILE_READING', 'unexpected eof while reading', 'closed'],
  ['ERR_SSL_SOMETHING_NEW', 'something new', 'tls-error'],
];
for (const [code, reason, expected] of expectations) {
  test(`${reason}: ${expected}`, () => {
    const fault = classifyTlsError(opensslError(code, reason));
    assert.equal(fault.code, expected);
    if (expected !== 'certificate-refused') assert.equal(fault.text, reason);
  });
}

test('a refused certificate is said to be ours, with the alert behind it', () => {
  const bad = 'ssl/tls alert bad certificate';
  assert.deepEqual(classifyTlsError(opensslError('ERR_SSL', bad)), {
    code: 'certificate-refused',
    text: `the peer refused our certificate (${bad})`,
  });
  const required = 'tlsv13 alert certificate required';
  assert.deepEqual(classifyTlsError(opensslError('ERR_SSL', required)), {
    code: 'certificate-refused',
    text: `the peer demands a client certificate and we showed none (${required})`,
  });
});

const hint = 'this connector presents no client certificate; the server may demand one';

test('to a client without a certificate its absence is hinted at, and no more', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['tlsv1 alert decode error', 'tlsv1 alert decode error'],
    ['ssl/tls alert handshake failure', 'ssl/tls alert handshake failure'],
    [
      'ssl/tls alert bad certificate',
      'the peer refused the handshake (ssl/tls alert bad certificate)',
    ],
    ['tlsv1 alert access denied', 'the peer refused the handshake (tlsv1 alert access denied)'],
    [
      'tlsv13 alert certificate required',
      'the peer demands a client certificate and we showed none (tlsv13 alert certificate required)',
    ],
  ];
  for (const [reason, text] of cases) {
    const fault = classifyTlsError(opensslError('ERR_SSL', reason));
    assert.deepEqual(hintAtNoCertificate(fault), { code: fault.code, text: `${text}; ${hint}` });
  }
});

test('what has nothing to do with certificates gets no such hint', () => {
  for (const reason of [
    'tlsv1 alert protocol version',
    'tlsv1 alert internal error',
    'wrong version number',
    'decode error',
    'unexpected eof while reading',
  ]) {
    const fault = classifyTlsError(opensslError('ERR_SSL', reason));
    assert.deepEqual(hintAtNoCertificate(fault), fault);
  }
});

test("OpenSSL's one-line form is shown by its reason alone", () => {
  const line =
    '404DC718797F0000:error:0A000438:SSL routines:ssl3_read_bytes:tlsv1 alert internal error:../a/rec_layer_s3.c:918:SSL alert number 80\n';
  const fault = classifyTlsError(Object.assign(new Error(line), { code: 'ERR_SSL' }));
  assert.deepEqual(fault, { code: 'peer-refused', text: 'tlsv1 alert internal error' });
});

test('a close before the handshake is complete is no reset', () => {
  const text = 'Client network socket disconnected before secure TLS connection was established';
  const error = Object.assign(new Error(text), { code: 'ECONNRESET' });
  assert.equal(classifyTlsError(error).code, 'closed');
  const reset = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
  assert.equal(classifyTlsError(reset).code, 'reset');
});

test('whatever is thrown has a code and a text without controls', () => {
  for (const thrown of [null, 'x\r\ny', new Error('a\u001b[31m'), 7]) {
    const { code, text } = classifyTlsError(thrown);
    assert.equal(code, 'tls-error');
    assert.doesNotMatch(text, /[\u0000-\u001f]/);
  }
});
