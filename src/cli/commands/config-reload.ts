/** `postern config reload`: the running gateway takes its configuration anew, or says why not. */
import type { Command } from 'commander';
import { Option } from 'commander';
import type { ApiClient } from '../../api/client.ts';
import type { CommandContext, GatewayOptions } from '../command-context.ts';
import {
  connectGateway,
  formatExamples,
  withGatewayOptions,
  withJsonOption,
} from '../command-context.ts';
import { exitCode } from '../exit-code.ts';
import { formatJson } from '../json-text.ts';
import { isTaken, printCheck, printReload, reloadGateway } from '../reload-gateway.ts';

interface ReloadOptions extends GatewayOptions {
  readonly json?: boolean;
  readonly reason?: string;
  readonly dryRun?: boolean;
  readonly overwritePolicy?: boolean;
}

export function addConfigReload(config: Command, context: CommandContext): void {
  const command = config
    .command('reload')
    .summary('put the configuration in force without a restart')
    .description(
      'The running gateway reads its configuration and every file that it names again, checks all of it, and puts it in force on every lane at once. Sessions go on; a transaction keeps the policy that it began with. With any mistake nothing changes: it prints them all and exits with 78. A policy that asks for less than the one in force wants to know why (--reason): queued mail keeps what it was accepted under. SIGHUP does the same, but cannot be asked; the log says what it weakened.',
    )
    .option('--reason <text>', 'why the policy is to ask for less; goes into the log')
    .option(
      '--overwrite-policy',
      'the policy in the file is meant, whatever was changed since it was read',
    )
    .addOption(
      new Option('--dry-run', 'only say what a reload would find, and ask a reason for').conflicts(
        'reason',
      ),
    );
  withJsonOption(withGatewayOptions(command))
    .addHelpText(
      'after',
      formatExamples(
        context.offline.commandName,
        'config reload',
        'config reload --dry-run',
        "config reload --reason 'contoso renews its certificate until Friday'",
      ),
    )
    .action(async (options: ReloadOptions) => {
      const client = await connectGateway(context, options);
      return options.dryRun === true
        ? tellCheck(context, client, options)
        : tellReload(context, client, options);
    });
}

async function tellCheck(
  context: CommandContext,
  client: ApiClient,
  options: ReloadOptions,
): Promise<void> {
  const check = await client.checkConfig();
  if (options.json !== true) return printCheck(context, check);
  if (!isTaken(check)) context.setExitCode(exitCode.config);
  return context.out.print(formatJson(check));
}

async function tellReload(
  context: CommandContext,
  client: ApiClient,
  options: ReloadOptions,
): Promise<void> {
  const { reason, overwritePolicy } = options;
  const answer = await reloadGateway(client, {
    ...(reason === undefined ? {} : { reason }),
    ...(overwritePolicy === undefined ? {} : { overwritePolicy }),
  });
  if (options.json !== true) return printReload(context, answer);
  if (answer.kind === 'refused') context.setExitCode(exitCode.config);
  return context.out.print(formatJson({ formatVersion: 1, ...answer }));
}
