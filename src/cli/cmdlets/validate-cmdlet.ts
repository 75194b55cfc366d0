/** `Validate-OutboundConnector`: the validation of `postern connector validate`, by Exchange's name. */
import type { CommandContext } from '../command-context.ts';
import { confirm } from '../confirm.ts';
import { quoteShell } from '../quote-shell.ts';
import type { Arguments } from './arguments.ts';
import type { Cmdlet } from './cmdlet.ts';
import { changeParameters, gatewayOptionsOf } from './common-parameters.ts';
import { refusedCommon } from './refused-parameters.ts';

export const validateCmdlet: Cmdlet = {
  name: 'Validate-OutboundConnector',
  summary: 'try an outbound connector with test addresses',
  set: {
    parameters: [
      {
        name: 'Identity',
        takes: 'text',
        isOurs: false,
        isPositional: true,
        isRequired: true,
        description: 'the outbound connector, by name',
      },
      {
        name: 'Recipients',
        takes: 'list',
        isOurs: false,
        isRequired: true,
        description: 'addresses in the domains of the connector, to which test mail is sent',
      },
      // Nothing is changed by it, so no reason is wanted.
      ...changeParameters.filter(({ name }) => name !== 'Reason'),
    ],
    refused: refusedCommon,
  },
  run: validate,
};

async function validate(context: CommandContext, given: Arguments): Promise<void> {
  const identity = given.text('Identity') ?? '';
  const recipients = given.list('Recipients') ?? [];
  const words = ['connector', 'validate', identity];
  for (const recipient of recipients) words.push('--to', recipient);
  const organization = given.text('Organization');
  if (organization !== null) words.push('--organization', organization);
  for (const [name, value] of Object.entries(gatewayOptionsOf(given))) {
    words.push(`--${name}`, String(value));
  }
  if (given.flag('WhatIf') === true) {
    const text = `What if: Performing the operation "Validate-OutboundConnector" on target "${identity}".\n`;
    return context.out.print(text);
  }
  if (given.flag('Confirm') === true) {
    await confirm(context, `Send test mail to ${recipients.join(', ')}?`);
  }
  if (given.flag('Verbose') === true) {
    const line = [context.offline.commandName, ...words.map(quoteShell)].join(' ');
    await context.err.print(`VERBOSE: ${line}\n`);
  }
  await context.runCommand(words);
}
