/** `postern trace`: everything that is kept about one message or refusal. */
import type { Command } from 'commander';
import { Failure } from '../../mail/failure.ts';
import { sanitizePeerText } from '../../mail/peer-text.ts';
import { parseQueueId } from '../../mail/queue-id.ts';
import type { CommandContext, GatewayOptions } from '../command-context.ts';
import {
  connectGateway,
  formatExamples,
  withGatewayOptions,
  withJsonOption,
} from '../command-context.ts';
import { formatJson } from '../json-text.ts';

export function addTrace(program: Command, context: CommandContext): void {
  const command = program
    .command('trace')
    .summary('show what became of a message')
    .description(
      'Shows what is kept about a message or a refusal: the session that brought it, each attempt with what was required, seen and decided, and the outcome.',
    )
    .argument('<id>', 'queue id, or the id in a refusal; 12 letters and digits');
  withJsonOption(withGatewayOptions(command))
    .addHelpText(
      'after',
      formatExamples(
        context.offline.commandName,
        'trace 06X9T5K1G000',
        'trace 06X9T5K1G000 --json',
      ),
    )
    .action(async (id: string, options: GatewayOptions & { readonly json?: boolean }) => {
      if (parseQueueId(id) === null) {
        throw new Failure('option-wrong', `"${id}" is no queue id: 12 letters and digits`);
      }
      const client = await connectGateway(context, options);
      const view = await client.readTrace(id);
      const text =
        options.json === true ? formatJson(view) : sanitizeLines(context.offline.formatTrace(view));
      await context.out.print(text);
    });
}

/** What a peer wrote was sanitized when it came in; this is the last door before a terminal. */
function sanitizeLines(text: string): string {
  return text.split('\n').map(sanitizePeerText).join('\n');
}
