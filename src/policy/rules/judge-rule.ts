/**
 * Whether a rule meets a message: for which of its recipients, and how sure that is.
 *
 * It runs for every rule and message: whatever decides is asked first, and nothing is made for a rule
 * that does not meet.
 */
import type { Recipient } from '../../mail/recipient.ts';
import type { CompiledRule, MessageTest, Tests } from './compile-rules.ts';
import type { Fork } from './fork.ts';
import type { Look } from './look.ts';
import type { ContentQuestion } from './rule-message.ts';
import type { Truth, Unknown } from './truth.ts';
import { and, isUnknown, not, or } from './truth.ts';

/** How a rule divides the recipients of one fork. */
export interface Part {
  readonly fork: Fork;
  readonly met: readonly Recipient[];
  readonly unsure: readonly Recipient[];
  readonly rest: readonly Recipient[];
}

/** `why` names the first condition that failed, or exception that held; `unknown` null where all is sure. */
export type Judgement =
  | { readonly kind: 'missed'; readonly why: string }
  | { readonly kind: 'met'; readonly parts: readonly Part[]; readonly unknown: Unknown | null };

const ended = 'an earlier rule ended the rules';

/** Envelope and header first; what has to be asked of the content only where it still matters. */
export function judgeRule(
  { conditions, exceptions }: CompiledRule,
  look: Look,
  forks: readonly Fork[],
): Judgement {
  const early = judgeMessage(conditions.ofMessage, exceptions.ofMessage, look);
  if (typeof early === 'string') return { kind: 'missed', why: early };
  const byRecipient = judgeRecipients({ conditions, exceptions }, look, forks);
  if (typeof byRecipient === 'string') return { kind: 'missed', why: byRecipient };
  const late = judgeMessage(conditions.ofContent, exceptions.ofContent, look);
  if (typeof late === 'string') return { kind: 'missed', why: late };
  return divide(forks, byRecipient, and(early, late));
}

/** What the rule has to ask of the content, as far as envelope and header leave it open. */
export function openQuestionsOf(
  compiled: CompiledRule,
  look: Look,
  recipients: readonly Recipient[],
): readonly ContentQuestion[] {
  return openTestsOf(compiled, look, recipients).map(({ question }) => question);
}

type OpenTest = MessageTest & { readonly question: ContentQuestion };

/** The conditions and exceptions that ask it; `look` without answers about the content. */
export function openTestsOf(
  { conditions, exceptions, ofContent }: CompiledRule,
  look: Look,
  recipients: readonly Recipient[],
): readonly OpenTest[] {
  if (ofContent.length === 0) return [];
  const early = judgeMessage(conditions.ofMessage, exceptions.ofMessage, look);
  if (typeof early === 'string') return [];
  const forks = [{ recipients, live: true }];
  if (typeof judgeRecipients({ conditions, exceptions }, look, forks) === 'string') return [];
  return ofContent.filter(
    (test): test is OpenTest => test.question !== null && test.judge(look) === undefined,
  );
}

/** Whether all conditions hold and no exception does; where not, the name of the first that decides. */
function judgeMessage(
  wanted: readonly MessageTest[],
  unwanted: readonly MessageTest[],
  look: Look,
): Exclude<Truth, false> | string {
  let sum: Truth = true;
  for (const test of wanted) {
    const truth = test.judge(look) ?? notExamined;
    if (truth === false) return test.name;
    sum = and(sum, truth);
  }
  for (const test of unwanted) {
    const truth = test.judge(look) ?? notExamined;
    if (truth === true) return test.name;
    sum = and(sum, not(truth));
  }
  return sum === false ? '' : sum;
}

const notExamined = { unknown: 'its content was not examined' };

/** A truth for each recipient of each fork; null for all of a fork alike, where it is as the fork is. */
type ForkTruths = readonly (readonly Truth[] | null)[];

/** The name of what decides where no recipient is met. */
function judgeRecipients(
  { conditions, exceptions }: { readonly conditions: Tests; readonly exceptions: Tests },
  look: Look,
  forks: readonly Pick<Fork, 'recipients' | 'live'>[],
): ForkTruths | string {
  const [wanted, unwanted] = [conditions.ofRecipient, exceptions.ofRecipient];
  let why = ended;
  let isAnyMet = false;
  const truths = forks.map(({ recipients, live }) => {
    if (live === false) return null;
    if (wanted.length === 0 && unwanted.length === 0) {
      isAnyMet = true;
      return null;
    }
    return recipients.map((recipient): Truth => {
      let sum: Truth = live;
      for (const test of wanted) {
        sum = and(sum, test.judge(look, recipient));
        if (sum === false) {
          if (why === ended) why = test.name;
          return false;
        }
      }
      let spared: Truth = false;
      for (const test of unwanted) {
        spared = or(spared, test.judge(look, recipient));
        if (spared === true) {
          if (why === ended) why = test.name;
          return false;
        }
      }
      isAnyMet = true;
      return and(sum, not(spared));
    });
  });
  return isAnyMet ? truths : why;
}

function divide(forks: readonly Fork[], truths: ForkTruths, message: Truth): Judgement {
  let unknown: Unknown | null = null;
  const parts = forks.map((fork, place): Part => {
    const part = {
      fork,
      met: [] as Recipient[],
      unsure: [] as Recipient[],
      rest: [] as Recipient[],
    };
    fork.recipients.forEach((recipient, i) => {
      const truth = and(truths[place]?.[i] ?? fork.live, message);
      if (isUnknown(truth)) unknown ??= truth;
      const list = truth === false ? part.rest : truth === true ? part.met : part.unsure;
      list.push(recipient);
    });
    return part;
  });
  return { kind: 'met', parts, unknown };
}
