/** What a command that changed the configuration's files says last. */
import type { Command } from 'commander';
import type { CommandContext } from './command-context.ts';

export interface ReloadOptions {
  readonly config?: string;
}

export function withReloadOption(command: Command): Command {
  return command.option('--config <file>', 'the configuration file');
}

export async function tellOrReload(
  context: CommandContext,
  _options: ReloadOptions,
): Promise<void> {
  await context.out.print('A running gateway takes it on when it is started again.\n');
}
