import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Failure } from '../mail/failure.ts';
import { explainRefusal } from './explain-refusal.ts';
import { describeFinding } from './policy-objects/describe-finding.ts';
import { policyKinds } from './policy-objects/policy-kind.ts';
import { kebabSpelling } from './policy-objects/spelling.ts';

const place = { kind: 'outbound-connector', organization: 'contoso', name: 'Bank' } as const;
const problem = {
  file: '',
  line: 0,
  column: 0,
  key: 'tlsDomain',
  object: place,
  text: 'acts only with DomainValidation',
  suggestion: null,
  severity: 'error',
} as const;
const warning = { ...problem, severity: 'warning', text: 'revocation is not checked' } as const;

/** As the client makes it of the gateway's answer. */
function refusal(rest: object): Failure {
  const cause = {
    type: 'about:blank',
    title: 'Conflict',
    status: 409,
    detail: 'the change is refused',
    code: 'policy-refused',
    whatToDo: 'Mend it.',
    exitCode: 78,
    ...rest,
  };
  return new Failure('policy-refused', 'the change is refused', { cause });
}

test('an error that is no refusal stays as it is', () => {
  const plain = new Error('x');
  assert.equal(explainRefusal(plain, { reason: '--reason' }), plain);
  const failure = new Failure('object-unknown', 'there is none');
  assert.equal(explainRefusal(failure, { reason: '--reason' }), failure);
});

test('every error stands on a line where the person finds it, and warnings do not', () => {
  const second = { ...problem, key: 'comment', text: 'is too long' };
  const error = refusal({ problems: [problem, warning, second] });
  const explained = explainRefusal(error, { reason: '--reason' }) as Failure;
  assert.equal(explained.code, 'policy-refused');
  assert.equal(explained.cause, error.cause);
  assert.equal(
    explained.message,
    `outbound connector "Bank" of contoso: tlsDomain: acts only with DomainValidation
outbound connector "Bank" of contoso: comment: is too long`,
  );
  const describe = ({ key }: { readonly key: string }): string => `at ${key}`;
  const placed = explainRefusal(error, { reason: '--reason', describe }) as Failure;
  assert.equal(placed.message, 'at tlsDomain\nat comment');
});

test('what asks for less is told demand by demand, with how a reason is given', () => {
  const error = refusal({ weaker: ['Bank: no certificate', 'Bank: no TLS'] });
  const explained = explainRefusal(error, { reason: '-Reason' }) as Failure;
  assert.equal(
    explained.message,
    `it asks for less than what is in force; say why with -Reason:
  Bank: no certificate
  Bank: no TLS`,
  );
});

test('a key goes on with what it must be, and a warning about it is a sentence of its own', () => {
  const naming = { kind: policyKinds['outbound-connector'], spelling: kebabSpelling };
  assert.equal(
    describeFinding(problem, place, naming),
    '--tls-domain acts only with DomainValidation',
  );
  assert.equal(describeFinding(warning, place, naming), '--tls-domain: revocation is not checked');
});
