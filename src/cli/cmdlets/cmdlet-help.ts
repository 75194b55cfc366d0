/** What `-Help` prints of a cmdlet. */
import type { Cmdlet } from './cmdlet.ts';
import type { Parameter } from './parameter.ts';

export function formatCmdletHelp({ name, summary, set }: Cmdlet, commandName: string): string {
  const own = set.parameters.filter(({ isOurs }) => !isOurs);
  const ours = set.parameters.filter(({ isOurs }) => isOurs);
  return [
    `${name}: ${summary}`,
    '',
    `Usage: ${commandName} ${name} ${own.filter(isNeeded).map(formatUse).join(' ')}`.trimEnd() +
      ' …',
    '',
    'Parameters of Exchange:',
    ...own.map(formatParameter),
    '',
    'Parameters of ours:',
    ...ours.map(formatParameter),
    '',
    'Refused, with the reason when they are given:',
    `  ${set.refused.map((each) => `-${each.name}`).join(' ')}`,
    '',
    'docs/cmdlets.md has the key of the configuration and the default of each.',
    '',
  ].join('\n');
}

function isNeeded({ isRequired, isPositional }: Parameter): boolean {
  return isRequired === true || isPositional === true;
}

function formatUse({ name, isPositional }: Parameter): string {
  return isPositional === true ? `[-${name}] <${name.toLowerCase()}>` : `-${name} <…>`;
}

function formatParameter(parameter: Parameter): string {
  const { name, description, takes, words } = parameter;
  const value = {
    switch: '',
    flag: ' $true|$false',
    text: ' <text>',
    list: ' <list>',
    'word-or-list': ' <list>',
  }[takes];
  const choices = words === undefined ? value : ` ${words.join('|')}`;
  return `  -${name}${choices}\n      ${description}`;
}
