/** `Validate-OutboundConnector`: the validation of `postern connector validate`, by Exchange's name. */
import type { Cmdlet } from './cmdlet.ts';
import { changeParameters } from './common-parameters.ts';
import { refusedCommon } from './refused-parameters.ts';

const ownNames: ReadonlySet<string> = new Set(['Reason', 'Format', 'Property']);

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
      ...changeParameters.filter(({ name }) => !ownNames.has(name)),
    ],
    refused: refusedCommon,
  },
  run: async (context, given) => {
    const words = ['connector', 'validate', given.text('Identity') ?? ''];
    for (const recipient of given.list('Recipients') ?? []) words.push('--to', recipient);
    const options = ['Organization', 'Socket', 'Config'] as const;
    for (const name of options) {
      const value = given.text(name);
      if (value !== null) words.push(`--${name.toLowerCase()}`, value);
    }
    await context.runCommand(words);
  },
};
