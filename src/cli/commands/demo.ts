/** `postern demo`: fake partners and a gateway in one process; `app` answers it. */
import type { Command } from 'commander';
import type { CommandContext } from '../command-context.ts';
import { formatExamples, withJsonOption } from '../command-context.ts';

interface Options {
  readonly stay?: boolean;
  readonly json?: boolean;
}

export function addDemo(program: Command, context: CommandContext): void {
  const command = program
    .command('demo')
    .summary('show what becomes of mail to and from good and bad partners')
    .description(
      'Starts a gateway, a fake resolver and eight fake partners in one process on loopback: one right server, and seven that are wrong in one way each. Sends mail to each under each TLS setting, takes mail from each under three inbound demands, and shows what was required, what was seen, what became of it and why. It needs no configuration, touches no network and leaves nothing behind.',
    )
    .option('--stay', 'keep gateway and partners running until Ctrl-C');
  withJsonOption(command)
    .addHelpText('after', formatExamples(context.offline.commandName, 'demo', 'demo --stay'))
    .action(async (options: Options) => {
      const code = await context.offline.demo({
        isStaying: options.stay === true,
        isJson: options.json === true,
        width: context.width,
        print: (text) => context.out.print(text),
      });
      context.setExitCode(code);
    });
}
