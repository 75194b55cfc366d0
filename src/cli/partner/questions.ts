/** The wizard for a partner as data: its questions in their order, and which comes next. Pure. */
import type { Answer, AnswerKey, Situation } from './answers.ts';
import { firstQuestions } from './first-questions.ts';
import { inboundQuestions } from './inbound-questions.ts';
import { lastQuestions } from './last-questions.ts';
import { outboundQuestions, routeQuestions } from './outbound-questions.ts';
import type { Question } from './question.ts';
import { complaintOf } from './read-answer.ts';

/** Each comes after those that it asks about. */
export const questions: readonly Question[] = [
  ...firstQuestions,
  ...routeQuestions,
  ...outboundQuestions,
  ...inboundQuestions,
  ...lastQuestions,
];

/** The first that applies and was not answered; null where all are. */
export function nextQuestion(situation: Situation): Question | null {
  const open = questions.find(
    (question) => situation.answers[question.key] === undefined && question.applies(situation),
  );
  return open ?? null;
}

/** What is wrong with an answer, by the schema of the policy and by the question; null where nothing is. */
export function complain(question: Question, answer: Answer, situation: Situation): string | null {
  const { field, refuse } = question;
  const isGiven = answer.length > 0;
  const complaint = field === null || !isGiven ? null : complaintOf(field, answer);
  if (complaint !== null) return complaint;
  if (question.takes === 'text' && !isGiven && question.field !== null) return 'is empty';
  const refused = refuse?.(answer, situation) ?? null;
  if (refused !== null || question.words?.includes(String(answer)) !== false) return refused;
  return `is one of ${question.words.join(', ')}, not ${JSON.stringify(answer)}`;
}

export function withAnswer(situation: Situation, key: AnswerKey, answer: Answer): Situation {
  return { ...situation, answers: { ...situation.answers, [key]: answer } };
}

/** What was given beforehand and no question asks for: nobody may think that it acts. */
export function findUnused(situation: Situation): Question | null {
  const unused = questions.find(
    (question) => situation.given[question.key] !== undefined && !question.applies(situation),
  );
  return unused ?? null;
}
