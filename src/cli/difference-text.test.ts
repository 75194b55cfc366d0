import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ObjectDifference } from '../api/contract/policy-objects.ts';
import { formatDifferences } from './difference-text.ts';

function added(
  kind: ObjectDifference['object']['kind'],
  organization: string | null,
  name: string,
): ObjectDifference {
  return { object: { kind, organization, name }, kind: 'added', keys: [] };
}

test('an organization stands before what is in it, and what is in it beside it', () => {
  const text = formatDifferences([
    added('accepted-domain', 'contoso', 'contoso.com'),
    added('rule', 'alpine', 'First'),
    added('rule', 'alpine', 'Second'),
    added('outbound-connector', 'contoso', 'Bank'),
    added('organization', null, 'contoso'),
    added('certificate', null, 'server'),
  ]);
  assert.equal(
    text,
    `+ certificate "server"
+ rule "First" of alpine
+ rule "Second" of alpine
+ organization "contoso"
+ accepted domain "contoso.com" of contoso
+ outbound connector "Bank" of contoso
`,
  );
});

test('a list is never cut, however long, and control characters never reach the terminal', () => {
  const domains = Array.from({ length: 200 }, (_, number) => `partner-${number}.example`);
  const object = { kind: 'outbound-connector', organization: 'contoso', name: 'Bank' } as const;
  const keys = [
    { key: 'recipientDomains', before: ['a.example'], after: domains },
    { key: 'comment', after: 'red\u001b[31m' },
  ];
  const text = formatDifferences([{ object, kind: 'changed', keys }]);
  for (const domain of domains) assert.ok(text.includes(domain), domain);
  assert.ok(!text.includes('\u001b'));
});
