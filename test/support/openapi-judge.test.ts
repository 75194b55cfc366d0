import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { judgeExchange } from './openapi-judge.ts';
import type { ApiDocument } from './openapi-judge.ts';
import type { RecordedExchange } from './recording-door.ts';

const file = new URL('../../docs/openapi.json', import.meta.url);
const document = JSON.parse(await readFile(file, 'utf8')) as ApiDocument;

const right: RecordedExchange = {
  method: 'POST',
  url: '/v1/invitations/accept',
  headers: { 'content-type': 'application/json' },
  body: '{"secret":"psl_x","password":"several words"}',
  status: 200,
  contentType: 'application/json',
  answer: '{"name":"ada"}',
};

test('what is as the document says has no findings', () => {
  const judged = judgeExchange(document, right);
  assert.deepEqual(judged, { operationId: 'acceptInvitation', findings: [] });
});

const wrong: Readonly<Record<string, Partial<RecordedExchange>>> = {
  'no such operation': { url: '/v1/invitations/except' },
  'another method': { method: 'PUT' },
  'parameter x is unknown': { url: '/v1/invitations/accept?x=1' },
  'a field that is unknown': { body: '{"secret":"psl_x","password":"several words","x":1}' },
  'a field that is missing': { body: '{"secret":"psl_x"}' },
  'no body': { body: '' },
  'another type of body': { headers: { 'content-type': 'text/plain' } },
  'an answer of another kind': { answer: '{"name":1}' },
  'an answer of another type': { contentType: 'text/html' },
  'a refusal that is no problem': { status: 404, contentType: 'application/problem+json' },
  'no answer': { status: 0 },
};

for (const [what, change] of Object.entries(wrong)) {
  test(`it sees ${what}`, () => {
    assert.equal(judgeExchange(document, { ...right, ...change }).findings.length, 1);
  });
}

test('it sees a parameter that is missing, or none of those that may be', () => {
  const records = { ...right, method: 'GET', body: '', headers: {} };
  const refused = { status: 400, contentType: 'application/problem+json', answer: '{}' };
  for (const url of ['/v1/records', '/v1/records?since=yesterday']) {
    const [first] = judgeExchange(document, { ...records, ...refused, url }).findings;
    assert.match(first ?? '', /^parameter since is/);
  }
});
