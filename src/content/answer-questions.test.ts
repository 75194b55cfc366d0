import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Answer, ContentQuestion } from '../policy/rules/rule-message.ts';
import { answerQuestions } from './answer-questions.ts';
import type { ContentFacts } from './message-facts.ts';
import { tooLate } from './message-facts.ts';

const facts: ContentFacts = {
  texts: ['Please keep this secret.', 'Konto 123-45'],
  textDoubt: null,
  attachments: [
    { names: ['Report.PDF', 'evil.exe. '], type: 'application/pdf' },
    { names: ['none'], type: 'image/png' },
  ],
  attachmentDoubt: null,
};

type Asked = ContentQuestion extends infer Q ? (Q extends unknown ? Omit<Q, 'key'> : never) : never;

function ask(question: Asked, part: Partial<ContentFacts> = {}, isLate = false): Answer {
  const asked = [{ ...question, key: 'k' } as ContentQuestion];
  return answerQuestions({ ...facts, ...part }, asked, () => isLate)[0]!;
}

const yes = { kind: 'yes' };
const no = { kind: 'no' };

test('words and patterns of the body, in any of its texts', () => {
  assert.deepEqual(ask({ kind: 'body-contains-words', words: ['x', 'SECRET'] }), yes);
  assert.deepEqual(ask({ kind: 'body-contains-words', words: ['secre'] }), no);
  assert.deepEqual(ask({ kind: 'body-matches-patterns', patterns: ['^x', '\\d{3}-\\d\\d$'] }), yes);
  assert.deepEqual(ask({ kind: 'body-matches-patterns', patterns: ['secret.*Konto'] }), no);
});

test('names, extensions and types of attachments', () => {
  assert.deepEqual(ask({ kind: 'attachment-name-contains-words', words: ['report'] }), yes);
  assert.deepEqual(ask({ kind: 'attachment-name-matches-patterns', patterns: ['\\.pdf$'] }), yes);
  assert.deepEqual(ask({ kind: 'attachment-name-matches-patterns', patterns: ['\\.doc$'] }), no);
  assert.deepEqual(ask({ kind: 'attachment-extension-is', extensions: ['pdf'] }), yes);
  assert.deepEqual(ask({ kind: 'attachment-extension-is', extensions: ['exe'] }), yes);
  assert.deepEqual(ask({ kind: 'attachment-extension-is', extensions: ['none', 'df'] }), no);
  assert.deepEqual(ask({ kind: 'attachment-type-is', types: ['image/*'] }), yes);
  assert.deepEqual(ask({ kind: 'attachment-type-is', types: ['application/pdf'] }), yes);
  assert.deepEqual(
    ask({ kind: 'attachment-type-is', types: ['application/*x', 'text/plain'] }),
    no,
  );
});

test('what was found is sure, what was not found in facts that are not whole is unknown', () => {
  const doubt = { textDoubt: 'it has too much text', attachmentDoubt: 'it has too many parts' };
  assert.deepEqual(ask({ kind: 'body-contains-words', words: ['secret'] }, doubt), yes);
  assert.deepEqual(ask({ kind: 'body-contains-words', words: ['other'] }, doubt), {
    kind: 'unknown',
    reason: 'it has too much text',
    isPassing: false,
  });
  assert.deepEqual(ask({ kind: 'attachment-type-is', types: ['text/csv'] }, doubt), {
    kind: 'unknown',
    reason: 'it has too many parts',
    isPassing: false,
  });
  assert.deepEqual(ask({ kind: 'attachment-type-is', types: ['image/png'] }, doubt), yes);
});

test('late, or with a pattern that is none, is unknown', () => {
  const late = ask({ kind: 'body-contains-words', words: ['secret'] }, {}, true);
  assert.ok(late.kind === 'unknown' && late.isPassing === true);
  const unread = ask({ kind: 'body-contains-words', words: ['x'] }, { textDoubt: tooLate });
  assert.ok(unread.kind === 'unknown' && unread.isPassing === true);
  assert.equal(ask({ kind: 'body-matches-patterns', patterns: ['(a)\\1'] }).kind, 'unknown');
  assert.deepEqual(ask({ kind: 'body-matches-patterns', patterns: ['(a)\\1', 'secret'] }), yes);
});
