/** Takes the wizard through its questions: by what was given, by asking, or by what holds unasked. */
import { Failure } from '../../mail/failure.ts';
import type { Output } from '../output.ts';
import { printable } from '../printable.ts';
import { wrapToWidth } from '../text-width.ts';
import type { Answer, Situation } from './answers.ts';
import type { Prompter } from './prompter.ts';
import type { Asked, Question } from './question.ts';
import { complain, findUnused, nextQuestion, withAnswer } from './questions.ts';
import { readAnswer } from './read-answer.ts';

/** `prompter` null: nobody can be asked. `after` is told of each answer and may learn more. */
export interface Asking {
  readonly prompter: Prompter | null;
  readonly err: Output;
  readonly width: number | null;
  readonly after: (question: Question, situation: Situation) => Promise<Situation>;
}

/** Until every question that applies is answered. Throws `option-wrong`, `partner-unfinished`. */
export async function askQuestions(begin: Situation, asking: Asking): Promise<Situation> {
  let situation = begin;
  for (;;) {
    const question = nextQuestion(situation);
    if (question === null) break;
    const answer = await answerTo(question, situation, asking);
    const notes = question.tell?.(answer, situation) ?? [];
    await say(
      asking,
      notes.map((note) => `Note: ${note}.`),
    );
    situation = await asking.after(question, withAnswer(situation, question.key, answer));
  }
  const unused = findUnused(situation);
  if (unused === null) return situation;
  throw new Failure(
    'option-wrong',
    `--${unused.option} has no effect here: the other answers leave nothing for it to do`,
  );
}

async function answerTo(question: Question, situation: Situation, asking: Asking): Promise<Answer> {
  const { prompter } = asking;
  const said = situation.given[question.key];
  if (said === undefined && prompter !== null) {
    return putQuestion(question, situation, { ...asking, prompter });
  }
  const answer = said ?? question.unasked(situation);
  if (answer === null) {
    const text = `--${question.option} is needed: nobody is there to be asked "${question.ask(situation).title}"`;
    throw new Failure('option-wrong', text);
  }
  const complaint = complain(question, answer, situation);
  if (complaint === null) return answer;
  throw new Failure('option-wrong', `--${question.option}: ${complaint}`);
}

type Putting = Pick<Asking, 'err' | 'width'> & { readonly prompter: Prompter };

/** Again and again until the answer holds. */
async function putQuestion(
  question: Question,
  situation: Situation,
  putting: Putting,
): Promise<Answer> {
  const asked = question.ask(situation);
  await say(putting, ['', asked.title, ...asked.lines, ...choiceLines(asked)]);
  for (;;) {
    const line = await putting.prompter.ask(promptOf(asked));
    const read =
      line.trim() === '' && asked.fallback !== null
        ? { value: asked.fallback }
        : readAnswer(line, asked.form);
    const wrong = 'wrong' in read ? read.wrong : complain(question, read.value, situation);
    if ('value' in read && wrong === null) return read.value;
    await say(putting, [`Not so: the answer ${wrong ?? ''}.`]);
  }
}

function choiceLines({ form }: Asked): readonly string[] {
  if (form.kind !== 'choice' || isYesNo(form.choices)) return [];
  return form.choices.map(
    ({ word, text }, place) => `  ${place + 1}) ${word}${text === '' ? '' : `: ${text}`}`,
  );
}

function isYesNo(choices: readonly { readonly word: string }[]): boolean {
  return choices.every(({ word }) => word === 'true' || word === 'false');
}

function promptOf({ form, fallback, fallbackWords }: Asked): string {
  if (form.kind === 'choice' && isYesNo(form.choices)) {
    return `[${fallback === 'true' ? 'Y/n' : 'y/N'}] > `;
  }
  if (fallback === null) return '> ';
  const words = fallbackWords ?? (typeof fallback === 'string' ? fallback : fallback.join(', '));
  return `[${printable(words)}] > `;
}

/** Without control characters, whoever wrote the words, and broken at the terminal's width. */
export async function say(
  { err, width }: Pick<Asking, 'err' | 'width'>,
  lines: readonly string[],
): Promise<void> {
  const broken = lines.flatMap((line) => breakLine(printable(line), width ?? 100));
  await err.print(broken.map((line) => `${line}\n`).join(''));
}

/** What follows stands below the text, not below its number. */
function breakLine(line: string, width: number): readonly string[] {
  const indent = /^ *(?:\d+\) )?/.exec(line)![0];
  const [first = '', ...rest] = wrapToWidth(
    line.slice(indent.length),
    Math.max(20, width - indent.length),
  );
  return [`${indent}${first}`, ...rest.map((each) => `${' '.repeat(indent.length)}${each}`)];
}
