/** What is asked, what is remembered and for how long, and every bound. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { address, organization, policy } from '../../test/support/policy.ts';
import { reply } from '../mail/reply.ts';
import type { Policy } from '../policy/policy.ts';
import type { RecipientVerification } from '../policy/recipient-verification.ts';
import { createRecipientVerifier, defaultVerifierLimits } from './recipient-verifier.ts';
import type { VerifierLimits } from './recipient-verifier.ts';

const ann = address('ann@box.test');
const exists: RecipientVerification = { kind: 'exists' };
const unknown: RecipientVerification = {
  kind: 'unknown',
  reply: reply(550, '5.1.1', 'no such user'),
  reason: 'it said 550',
};
const silent: RecipientVerification = { kind: 'silent', reason: 'it is down' };

interface Stage {
  nowMs: number;
  policy: Policy;
  answer: RecipientVerification | Promise<RecipientVerification>;
  readonly asked: string[];
  verify(to?: string, organizationId?: string): Promise<RecipientVerification>;
}

function stageOf(limits: Partial<VerifierLimits> = {}): Stage {
  const stage: Omit<Stage, 'verify'> = { nowMs: 0, policy: policy(), answer: exists, asked: [] };
  const verify = createRecipientVerifier(
    {
      policy: () => stage.policy,
      now: () => stage.nowMs,
      ask: async ({ organization: id, recipient }) => {
        stage.asked.push(`${id} ${recipient.localPart}`);
        return stage.answer;
      },
    },
    { ...defaultVerifierLimits, ...limits },
  );
  return Object.assign(stage, {
    verify: (to = 'ann', id = 'org') => verify(id, { ...ann, localPart: to }),
  });
}

const hourMs = 3600_000;

test('remembers that a recipient exists for 24 hours', async () => {
  const stage = stageOf();
  await stage.verify();
  stage.nowMs = 24 * hourMs - 1;
  assert.deepEqual(await stage.verify(), exists);
  assert.equal(stage.asked.length, 1);
  stage.nowMs = 24 * hourMs;
  stage.answer = unknown;
  assert.deepEqual(await stage.verify(), unknown);
});

test('remembers that a recipient does not exist for 10 minutes', async () => {
  const stage = stageOf();
  stage.answer = unknown;
  await stage.verify();
  stage.answer = exists;
  stage.nowMs = hourMs / 6 - 1;
  assert.deepEqual(await stage.verify(), unknown);
  stage.nowMs = hourMs / 6;
  assert.deepEqual(await stage.verify(), exists);
});

test('never remembers silence', async () => {
  const stage = stageOf();
  stage.answer = silent;
  await stage.verify();
  stage.answer = exists;
  assert.deepEqual(await stage.verify(), exists);
});

test('asks once for all who ask at the same time', async () => {
  const stage = stageOf();
  const later = Promise.withResolvers<RecipientVerification>();
  stage.answer = later.promise;
  const both = [stage.verify(), stage.verify(), stage.verify('bob')];
  later.resolve(unknown);
  assert.deepEqual(await Promise.all(both), [unknown, unknown, unknown]);
  assert.deepEqual(stage.asked, ['org ann', 'org bob']);
});

test('keeps organizations and addresses apart', async () => {
  const stage = stageOf();
  await stage.verify('ann', 'org');
  await stage.verify('ann', 'other');
  await stage.verify('bob', 'org');
  assert.deepEqual(stage.asked, ['org ann', 'other ann', 'org bob']);
});

test('forgets the answers of an organization whose configuration changed, and no others', async () => {
  const [first, second] = [organization(), organization({ id: 'other' })];
  const stage = stageOf();
  const withBoth = (part: Partial<typeof first>): Policy => ({
    ...policy(),
    organizations: [{ ...first, ...part }, structuredClone(second)],
  });
  stage.policy = withBoth({});
  await stage.verify('ann', 'org');
  await stage.verify('ann', 'other');
  stage.policy = withBoth({ addressExtension: '+' });
  await stage.verify('ann', 'org');
  await stage.verify('ann', 'other');
  assert.deepEqual(stage.asked, ['org ann', 'other ann', 'org ann']);
});

test('an answer to a question of before the change is not kept for after it', async () => {
  const stage = stageOf();
  const later = Promise.withResolvers<RecipientVerification>();
  stage.answer = later.promise;
  const old = stage.verify();
  stage.policy = policy({ addressExtension: '+' });
  stage.answer = exists;
  assert.deepEqual(await stage.verify(), exists);
  later.resolve(unknown);
  assert.deepEqual(await old, unknown);
  assert.notDeepEqual(await stage.verify(), unknown);
});

test('remembers a bounded number, the oldest forgotten first', async () => {
  const stage = stageOf({ answersMax: 2 });
  for (const to of ['a', 'b', 'c', 'b', 'c', 'a']) await stage.verify(to);
  assert.deepEqual(stage.asked, ['org a', 'org b', 'org c', 'org a']);
});

test('asks a bounded number at a time, lets a bounded number wait, and is silent to the rest', async () => {
  const stage = stageOf({ askingMax: 2, waitingMax: 1 });
  const later = Promise.withResolvers<RecipientVerification>();
  stage.answer = later.promise;
  const all = ['a', 'b', 'c', 'd'].map((to) => stage.verify(to));
  const last = await all[3]!;
  assert.ok(last.kind === 'silent' && /too many/.test(last.reason));
  assert.deepEqual(stage.asked, ['org a', 'org b']);
  // Another organization has its own room.
  const other = stage.verify('a', 'other');
  later.resolve(exists);
  assert.deepEqual(await Promise.all([...all.slice(0, 3), other]), [
    exists,
    exists,
    exists,
    exists,
  ]);
  assert.equal(stage.asked.length, 4);
});

test('is silent where no answer comes in time, and asks again later', async () => {
  const stage = stageOf({ timeoutMs: 20 });
  stage.answer = new Promise(() => undefined);
  const said = await stage.verify();
  assert.ok(said.kind === 'silent' && /no answer in 0\.02 s/.test(said.reason));
  stage.answer = exists;
  assert.deepEqual(await stage.verify(), exists);
});
