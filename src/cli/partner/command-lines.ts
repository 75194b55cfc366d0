/** The commands that make the same without a question, in both spellings, for a POSIX shell. Pure. */
import { exchangeNameOf } from '../cmdlets/exchange-names.ts';
import type { GatewayOptions } from '../command-context.ts';
import { fieldOf } from '../policy-objects/object-field.ts';
import { policyKinds } from '../policy-objects/policy-kind.ts';
import { formatList } from '../policy-objects/split-list.ts';
import { quoteShell } from '../quote-shell.ts';
import type { Answer, Situation } from './answers.ts';
import type { Draft } from './drafts.ts';
import { directionOf } from './existing-connectors.ts';
import { questions } from './questions.ts';

/** `partner` makes all of them in one step; `kebab` and `cmdlets` each connector by itself, in their order. */
export interface CommandLines {
  readonly partner: string;
  readonly kebab: readonly string[];
  readonly cmdlets: readonly string[];
}

/** How commands are shown: the program's name, and which gateway they mean. */
export interface Shown {
  readonly program: string;
  readonly gateway: GatewayOptions;
}

export function commandLinesOf(
  situation: Situation,
  drafts: readonly Draft[],
  shown: Shown,
): CommandLines {
  return {
    partner: partnerLine(situation, shown),
    kebab: drafts.map((draft) => kebabLine(draft, shown)),
    cmdlets: drafts.map((draft) => cmdletLine(draft, shown)),
  };
}

/** Empty, or begins with a space: the options that say which gateway is meant. */
export function gatewayWords({ gateway }: Shown): string {
  return entriesOf(gateway)
    .map(([name, value]) => ` ${option(name, value)}`)
    .join('');
}

function entriesOf(gateway: GatewayOptions): readonly (readonly [string, string])[] {
  return Object.entries(gateway as Readonly<Record<string, string | undefined>>).flatMap(
    ([name, value]) => (value === undefined ? [] : [[name, value] as const]),
  );
}

function kebabLine({ place, value }: Draft, shown: Shown): string {
  const kind = policyKinds[place.kind];
  const options = Object.entries(value).map(([key, each]) =>
    option(fieldOf(kind, key).option, formatValue(each)),
  );
  const organization = option('organization', place.organization);
  const command = `connector create ${directionOf[place.kind]}`;
  return `${[shown.program, command, ...options, organization].join(' ')}${gatewayWords(shown)}`;
}

/** What begins with a dash would be taken for an option. */
function option(name: string, value: string): string {
  const between = value.startsWith('-') ? '=' : ' ';
  return `--${name}${between}${quoteShell(value)}`;
}

function cmdletLine({ place, value }: Draft, { program, gateway }: Shown): string {
  const { noun } = policyKinds[place.kind];
  const parameters = Object.entries(value).map(
    ([key, each]) => `-${exchangeNameOf(place.kind, key).name} ${quoteShell(quoteValue(each))}`,
  );
  const rest = [['organization', place.organization] as const, ...entriesOf(gateway)].map(
    ([name, each]) =>
      `-${name.charAt(0).toUpperCase()}${name.slice(1)} ${quoteShell(quoteValue(each))}`,
  );
  return [program, `New-${noun}`, ...parameters, ...rest].join(' ');
}

/** As PowerShell quotes what is not plain. */
function quoteValue(value: unknown): string {
  if (Array.isArray(value)) return formatValue(value);
  const text = String(value);
  return /^[\w./*:][\w./*: -]*$/.test(text) ? text : `'${text.replaceAll("'", "''")}'`;
}

function formatValue(value: unknown): string {
  if (!Array.isArray(value)) return String(value);
  const entries = value.map(String);
  return entries.every((entry) => /^[^\s,'"]+$/.test(entry))
    ? entries.join(',')
    : formatList(entries);
}

/** Only what is not so by itself. */
function partnerLine(situation: Situation, shown: Shown): string {
  const { answers, pattern } = situation;
  const options = questions.flatMap((question) => {
    const answer = answers[question.key];
    const isPlain = isSame(question.unasked(situation), answer);
    const isSaid = question.key !== 'look' && answer !== undefined && question.applies(situation);
    if (!isSaid || (isPlain && question.key !== 'organization')) return [];
    return [option(question.option, formatValue(answer))];
  });
  const words = [shown.program, 'partner add', quoteShell(pattern), ...options, '--yes'];
  return `${words.join(' ')}${gatewayWords(shown)}`;
}

function isSame(a: Answer | null, b: Answer | undefined): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
