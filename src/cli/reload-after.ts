/** What a command that changed the configuration's files does and says last. */
import type { Command } from 'commander';
import { Failure } from '../mail/failure.ts';
import { sanitizePeerText } from '../mail/peer-text.ts';
import type { CommandContext } from './command-context.ts';
import { connectGateway } from './command-context.ts';
import { exitCode } from './exit-code.ts';
import type { ReloadAnswer } from './reload-gateway.ts';
import { printReload, reloadGateway } from './reload-gateway.ts';

export interface ReloadOptions {
  readonly config?: string;
  readonly reload?: boolean;
}

export function withReloadOption(command: Command): Command {
  return command
    .option('--config <file>', 'the configuration file')
    .option('--reload', 'have the running gateway put it in force at once');
}

/** `other-file`: the gateway of this data folder runs on another file, and was left alone. */
export type AfterChange =
  | ReloadAnswer
  | { readonly kind: 'not-asked' }
  | { readonly kind: 'no-gateway' }
  | { readonly kind: 'other-file'; readonly file: string | null };

/** `file` is what was changed. Throws Failures of a gateway that does not answer as it should. */
export async function reloadAfter(
  context: CommandContext,
  file: string,
  { reload }: ReloadOptions,
): Promise<AfterChange> {
  if (reload !== true) return { kind: 'not-asked' };
  try {
    const client = await connectGateway(context, { config: file });
    const { configFile } = await client.status();
    if (configFile !== file) return { kind: 'other-file', file: configFile };
    return await reloadGateway(client);
  } catch (error) {
    if (error instanceof Failure && error.code === 'gateway-not-running') {
      return { kind: 'no-gateway' };
    }
    throw error;
  }
}

/** `unasked` says how it comes in force where no reload was asked for. */
export async function tellReload(
  context: CommandContext,
  after: AfterChange,
  unasked: string,
): Promise<void> {
  switch (after.kind) {
    case 'not-asked':
      return context.out.print(`${unasked}\n`);
    case 'no-gateway':
      return context.out.print('No gateway runs; the next start takes it on.\n');
    case 'other-file': {
      context.setExitCode(exitCode.unavailable);
      const text = `the gateway runs on ${after.file ?? 'no file'} and was left alone`;
      return context.err.print(`postern: ${sanitizePeerText(text)}\n`);
    }
    case 'reloaded':
    case 'refused':
      return printReload(context, after);
  }
}
