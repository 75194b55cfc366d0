import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noon, policy } from '../../../test/support/policy.ts';
import { message, rule, whenBody, whenSubject } from '../../../test/support/rules.ts';
import { questionsOf } from './questions.ts';
import type { MailFlowRule, RuleCondition } from './rule.ts';
import type { RuleMessage } from './rule-message.ts';

function asked(rules: readonly MailFlowRule[], of: RuleMessage = message()): string[] {
  const value = policy({ rules });
  return questionsOf(value, value.organizations[0]!, of, noon).map(({ kind }) => kind);
}

const pdf: RuleCondition = { kind: 'attachment-extension-is', extensions: ['pdf'] };

test('asks nothing of the content where no rule looks at it', () => {
  assert.deepEqual(asked([]), []);
  assert.deepEqual(asked([rule('a', { conditions: [whenSubject('report')] })]), []);
});

test('asks nothing where envelope or header decide the rule', () => {
  const body = whenBody('secret');
  assert.deepEqual(asked([rule('a', { conditions: [body, whenSubject('nothing')] })]), []);
  assert.deepEqual(
    asked([rule('a', { conditions: [body], exceptions: [whenSubject('report')] })]),
    [],
  );
  const elsewhere: RuleCondition = { kind: 'recipient-domain-is', domains: ['else.test'] };
  assert.deepEqual(asked([rule('a', { conditions: [body, elsewhere] })]), []);
  assert.deepEqual(asked([rule('a', { conditions: [whenBody('report')] })]), []);
  assert.deepEqual(asked([rule('a', { conditions: [body], enabled: false })]), []);
  assert.deepEqual(asked([rule('a', { conditions: [body], expiryAtMs: noon })]), []);
});

test('asks each question once, of conditions and exceptions', () => {
  const rules = [
    rule('a', { conditions: [whenBody('secret')], exceptions: [pdf] }),
    rule('b', { conditions: [pdf] }),
  ];
  assert.deepEqual(asked(rules), ['body-contains-words', 'attachment-extension-is']);
});
