/** The last questions about a partner: whether it binds, and why it is made. */
import type { Question } from './question.ts';
import { choose } from './question.ts';

const mode: Question = {
  key: 'mode',
  option: 'mode',
  takes: 'word',
  words: ['enforce', 'warn', 'observe'],
  help: 'whether what is demanded binds (default: enforce)',
  field: { kind: 'outbound-connector', key: 'mode' },
  unasked: () => 'enforce',
  applies: () => true,
  ask: () => ({
    title: 'Shall it bind from now on?',
    lines: [],
    form: choose([
      { word: 'enforce', text: 'mail that does not meet it waits, or is refused' },
      { word: 'warn', text: 'mail passes, and the log tells what did not meet it' },
      { word: 'observe', text: 'mail passes; `connector readiness` tells what did not meet it' },
    ]),
    fallback: 'enforce',
  }),
};

/** Asked once more where the change asks for less. */
export const reason: Question = {
  key: 'reason',
  option: 'reason',
  takes: 'text',
  help: 'why, kept with the revision (default: none; needed where the policy is to ask for less)',
  field: null,
  unasked: () => '',
  applies: () => true,
  ask: () => ({
    title: 'Why is it made?',
    lines: ['It is kept with the change, for whoever looks later.'],
    form: { kind: 'text' },
    fallback: '',
    fallbackWords: 'nothing',
  }),
  refuse: (answer) => (answer.length > 500 ? 'is longer than 500 characters' : null),
};

export const lastQuestions: readonly Question[] = [mode, reason];
