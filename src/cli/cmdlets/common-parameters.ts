/** The parameters that every cmdlet has: PowerShell's own, and ours. */
import type { GatewayOptions } from '../command-context.ts';
import type { Arguments } from './arguments.ts';
import type { Parameter } from './parameter.ts';

/** Which gateway is meant, as the options of the same names. */
const ofGateway: readonly Parameter[] = [
  {
    name: 'Profile',
    takes: 'text',
    isOurs: true,
    description: 'a gateway elsewhere, as --profile',
  },
  {
    name: 'Socket',
    takes: 'text',
    isOurs: true,
    description: "the running gateway's socket, as --socket",
  },
  {
    name: 'Config',
    takes: 'text',
    isOurs: true,
    description: 'the configuration that tells where the data folder is, as --config',
  },
];

/** The options that say the same in the other spelling. */
export function gatewayOptionsOf(given: Arguments): GatewayOptions {
  const entries = ofGateway.flatMap(({ name }) => {
    const value = given.text(name);
    return value === null ? [] : [[name.toLowerCase(), value] as const];
  });
  return Object.fromEntries(entries);
}

const everywhere: readonly Parameter[] = [
  {
    name: 'Organization',
    takes: 'text',
    isOurs: true,
    description: 'the organization, by its id; needed where there are several',
  },
  ...ofGateway,
  {
    name: 'Help',
    takes: 'switch',
    isOurs: true,
    aliases: ['?', 'h'],
    description: 'print the parameters of the cmdlet and do nothing',
  },
  {
    name: 'Verbose',
    takes: 'switch',
    isOurs: false,
    aliases: ['vb'],
    description: 'say on standard error what is done',
  },
  {
    name: 'ErrorAction',
    takes: 'text',
    isOurs: false,
    aliases: ['ea'],
    words: ['Continue', 'Stop', 'SilentlyContinue', 'Ignore'],
    description:
      'SilentlyContinue and Ignore print no error; the exit code is the same in each case',
  },
];

const printing: readonly Parameter[] = [
  {
    name: 'Format',
    takes: 'text',
    isOurs: true,
    aliases: ['output'],
    words: ['table', 'list', 'json'],
    description: 'how objects are printed; --output is the same',
  },
  {
    name: 'Property',
    takes: 'list',
    isOurs: true,
    description: 'only these properties',
  },
];

const changing: readonly Parameter[] = [
  {
    name: 'WhatIf',
    takes: 'switch',
    isOurs: false,
    aliases: ['wi'],
    description: 'only say what would change',
  },
  {
    name: 'Confirm',
    takes: 'switch',
    isOurs: false,
    aliases: ['cf'],
    description: 'ask before anything is changed; -Confirm:$false does not',
  },
  {
    name: 'Reason',
    takes: 'text',
    isOurs: true,
    description: 'why the policy is to ask for less; needed where it does',
  },
];

/** Of cmdlets that look. */
export const lookParameters: readonly Parameter[] = [
  ...everywhere,
  ...printing,
  {
    name: 'ResultSize',
    takes: 'text',
    isOurs: false,
    description: 'how many at most, a number or Unlimited (default: 1000)',
  },
];

/** Of cmdlets that change and print nothing. */
export const changeParameters: readonly Parameter[] = [...everywhere, ...changing];

/** Of cmdlets that print what they made. */
export const makeParameters: readonly Parameter[] = [...changeParameters, ...printing];
