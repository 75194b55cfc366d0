/** Whether a rule meets a message: for which of its recipients, and how sure that is. */
import type { Recipient } from '../../mail/recipient.ts';
import type { CompiledRule, MessageTest, RecipientTest, Tests } from './compile-rules.ts';
import type { Fork } from './fork.ts';
import type { Look } from './look.ts';
import type { ContentQuestion } from './rule-message.ts';
import type { Truth } from './truth.ts';
import { and, isUnknown, not, or } from './truth.ts';

/** How a rule divides the recipients of one fork. */
export interface Part {
  readonly fork: Fork;
  readonly met: readonly Recipient[];
  readonly unsure: readonly Recipient[];
  readonly rest: readonly Recipient[];
}

/** `why` names the first condition that failed, or exception that held; `unknown` a reason or null. */
export type Judgement =
  | { readonly kind: 'missed'; readonly why: string }
  | { readonly kind: 'met'; readonly parts: readonly Part[]; readonly unknown: string | null };

/** A truth, and the test that made it false. */
interface Sum {
  readonly truth: Truth;
  readonly why: string;
}

/** Envelope and header first; what has to be asked of the content only where it still matters. */
export function judgeRule(
  { conditions, exceptions }: CompiledRule,
  look: Look,
  forks: readonly Fork[],
): Judgement {
  const early = join(allOf(conditions.ofMessage, look), () => noneOf(exceptions.ofMessage, look));
  if (early.truth === false) return { kind: 'missed', why: early.why };
  const alive = forks.map((fork) => ({
    fork,
    truths: truthsOf({ conditions, exceptions }, look, fork),
  }));
  const first = alive.find(({ truths }) => truths.some(({ truth }) => truth !== false));
  if (first === undefined) {
    const why = alive.flatMap(({ truths }) => truths).find((sum) => sum.why !== ended)?.why;
    return { kind: 'missed', why: why ?? ended };
  }
  const late = join(
    early,
    () => allOf(conditions.ofContent, look),
    () => noneOf(exceptions.ofContent, look),
  );
  if (late.truth === false) return { kind: 'missed', why: late.why };
  return divide(alive, late.truth);
}

/** What the rule has to ask of the content, as far as envelope and header leave it open. */
export function openQuestionsOf(
  { conditions, exceptions }: CompiledRule,
  look: Look,
  recipients: readonly Recipient[],
): readonly ContentQuestion[] {
  const content = [...conditions.ofContent, ...exceptions.ofContent];
  if (content.length === 0) return [];
  const early = join(allOf(conditions.ofMessage, look), () => noneOf(exceptions.ofMessage, look));
  if (early.truth === false) return [];
  const fork = { recipients, live: true };
  const truths = truthsOf({ conditions, exceptions }, look, fork);
  if (truths.every(({ truth }) => truth === false)) return [];
  return content.flatMap((test) => {
    const isOpen = test.question !== null && test.judge(look) === undefined;
    return isOpen ? [test.question] : [];
  });
}

const ended = 'an earlier rule ended the rules';

function truthsOf(
  tests: { readonly conditions: Tests; readonly exceptions: Tests },
  look: Look,
  { recipients, live }: Pick<Fork, 'recipients' | 'live'>,
): readonly Sum[] {
  if (live === false) return recipients.map(() => ({ truth: false, why: ended }));
  const wanted = tests.conditions.ofRecipient;
  const unwanted = tests.exceptions.ofRecipient;
  const start: Sum = { truth: live, why: '' };
  if (wanted.length === 0 && unwanted.length === 0) return recipients.map(() => start);
  return recipients.map((recipient) => {
    const judge = (test: RecipientTest): Truth => test.judge(look, recipient);
    return join(
      start,
      () => all(wanted, judge),
      () => none(unwanted, judge),
    );
  });
}

function divide(
  alive: readonly { readonly fork: Fork; readonly truths: readonly Sum[] }[],
  rest: Truth,
): Judgement {
  let unknown: string | null = null;
  const parts = alive.map(({ fork, truths }): Part => {
    const part = {
      fork,
      met: [] as Recipient[],
      unsure: [] as Recipient[],
      rest: [] as Recipient[],
    };
    fork.recipients.forEach((recipient, place) => {
      const truth = and(truths[place]!.truth, rest);
      if (isUnknown(truth)) unknown ??= truth.unknown;
      const list = truth === false ? part.rest : truth === true ? part.met : part.unsure;
      list.push(recipient);
    });
    return part;
  });
  return { kind: 'met', parts, unknown };
}

function allOf(tests: readonly MessageTest[], look: Look): Sum {
  return all(tests, (test) => test.judge(look) ?? notExamined);
}

function noneOf(tests: readonly MessageTest[], look: Look): Sum {
  return none(tests, (test) => test.judge(look) ?? notExamined);
}

const notExamined = { unknown: 'its content was not examined' };

function all<T extends { readonly name: string }>(
  tests: readonly T[],
  judge: (test: T) => Truth,
): Sum {
  let truth: Truth = true;
  for (const test of tests) {
    truth = and(truth, judge(test));
    if (truth === false) return { truth, why: test.name };
  }
  return { truth, why: '' };
}

function none<T extends { readonly name: string }>(
  tests: readonly T[],
  judge: (test: T) => Truth,
): Sum {
  let truth: Truth = false;
  for (const test of tests) {
    truth = or(truth, judge(test));
    if (truth === true) return { truth: false, why: test.name };
  }
  return { truth: not(truth), why: '' };
}

/** The first, and the others as long as none is false. */
function join(first: Sum, ...others: readonly (() => Sum)[]): Sum {
  let sum = first;
  for (const other of others) {
    if (sum.truth === false) return sum;
    const next = other();
    sum = { truth: and(sum.truth, next.truth), why: next.why };
  }
  return sum;
}
