/** `postern config reload`: the running gateway takes its configuration anew, or says why not. */
import type { Command } from 'commander';
import type { CommandContext, GatewayOptions } from '../command-context.ts';
import {
  connectGateway,
  formatExamples,
  withGatewayOptions,
  withJsonOption,
} from '../command-context.ts';
import { exitCode } from '../exit-code.ts';
import { formatJson } from '../json-text.ts';
import { printReload, reloadGateway } from '../reload-gateway.ts';

export function addConfigReload(config: Command, context: CommandContext): void {
  const command = config
    .command('reload')
    .summary('put the configuration in force without a restart')
    .description(
      'The running gateway reads its configuration and every file that it names again, checks all of it, and puts it in force on every lane at once. Sessions go on; a transaction keeps the policy that it began with. With any mistake nothing changes: it prints them all and exits with 78. A policy that asks for less than the one in force wants to know why (--reason): queued mail keeps what it was accepted under. SIGHUP does the same, but cannot be asked; the log says what it weakened.',
    )
    .option('--reason <text>', 'why the policy is to ask for less; goes into the log');
  withJsonOption(withGatewayOptions(command))
    .addHelpText(
      'after',
      formatExamples(
        context.offline.commandName,
        'config reload',
        "config reload --reason 'contoso renews its certificate until Friday'",
      ),
    )
    .action(
      async (options: GatewayOptions & { readonly json?: boolean; readonly reason?: string }) => {
        const client = await connectGateway(context, options);
        const isJson = options.json === true;
        const answer = await reloadGateway(client, options.reason);
        if (!isJson) return printReload(context, answer);
        if (answer.kind === 'refused') context.setExitCode(exitCode.config);
        return context.out.print(formatJson({ formatVersion: 1, ...answer }));
      },
    );
}
