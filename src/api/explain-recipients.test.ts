/** `explain` about recipients: what an alias becomes, who keeps a mailbox, who is asked. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { acceptedDomain, address, deliveryTarget, policy } from '../../test/support/policy.ts';
import { readSupposedHeader } from '../app/explain-header.ts';
import { formatExplanation } from '../cli/explain-text.ts';
import { explainAnswerSchema, explainQuestionSchema } from './contract.ts';
import { explainMail } from './explain.ts';

const value = policy({
  acceptedDomains: [
    acceptedDomain('example.test'),
    acceptedDomain('kept.test', { deliveryTarget: 'store', recipients: { kind: 'verify' } }),
  ],
  deliveryTargets: [deliveryTarget('store')],
  aliases: [
    {
      address: address('team@example.test'),
      to: [address('user@example.test'), address('x@else.test')],
    },
  ],
});

async function ask(to: string, encryption: 'none' | 'TLSv1.3' = 'TLSv1.3') {
  const question = explainQuestionSchema.parse({ from: 'a@sender.test', to, encryption });
  const answer = await explainMail(value, question, {
    nowMs: Date.UTC(2026, 10, 22),
    examineCertificate: () => Promise.reject(new Error('no certificate expected')),
    readHeader: readSupposedHeader,
  });
  assert.deepEqual(explainAnswerSchema.parse(JSON.parse(JSON.stringify(answer))), answer);
  return { answer, text: formatExplanation(answer, 'the test', null) };
}

test('an alias shows each final recipient with its own decision and the clause that it brings', async () => {
  const { answer, text } = await ask('team@example.test');
  assert.equal(answer.outbound, null);
  assert.equal(answer.inbound?.existence, 'alias');
  const [user, x] = answer.expansion!.to;
  assert.equal(user!.outbound.destination.kind, 'mailbox');
  assert.equal(x!.outbound.requirement.clauses[0]?.origin.kind, 'alias');
  assert.match(text, /^The alias team@example\.test leads to: user@example\.test, x@else\.test$/m);
  assert.match(text, /^Outbound of x@else\.test: by no connector/m);
  assert.match(text, /encryption \(alias "team@example\.test"\)/);
  const clear = await ask('team@example.test', 'none');
  assert.deepEqual(clear.answer.expansion!.to[1]!.outbound.requirement.clauses, []);
});

test('a mailbox of another server shows the server, its grade, and that it is asked', async () => {
  const { answer, text } = await ask('ann@kept.test');
  assert.equal(answer.inbound?.existence, 'verify');
  assert.equal(answer.expansion, null);
  assert.match(text, /to the delivery target "store", LMTP to unix:\/run\/lmtp/);
  assert.match(text, /inside: it never leaves this machine/);
  assert.match(text, /is asked of the server that keeps it/);
  assert.ok(answer.notes.some((note) => note.includes('that was not done here')));
});

test('postmaster and who does not exist', async () => {
  const { text } = await ask('postmaster@example.test');
  assert.match(text, /has no mailbox of its own, leads to: user@example\.test/);
  const { answer } = await ask('nobody@example.test');
  assert.equal(answer.inbound?.existence, 'unknown');
  assert.equal(answer.expansion, null);
});
