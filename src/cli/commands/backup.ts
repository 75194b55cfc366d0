/** `postern backup`: a consistent copy of the data folder, while the gateway runs or not. */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { count, describeContents, describeFaults } from '../backup-text.ts';
import type { CommandContext } from '../command-context.ts';
import { formatExamples, withJsonOption } from '../command-context.ts';
import { exitCode } from '../exit-code.ts';
import { findConfigFile } from '../find-gateway.ts';
import { formatJson } from '../json-text.ts';
import type { BackupSummary } from '../offline-backup.ts';
import { withProgress } from '../progress-line.ts';
import { quoteShell } from '../quote-shell.ts';

interface Options {
  readonly config?: string;
  readonly data?: string;
  readonly withoutMailboxes?: boolean;
  readonly withoutConfiguration?: boolean;
  readonly json?: boolean;
}

export function addBackup(program: Command, context: CommandContext): void {
  const command = program
    .command('backup')
    .summary('copy queue, mailboxes and configuration')
    .description(
      'Writes a consistent backup into a new folder, while the gateway runs or not: every message of the queue with its content, the trace, mailboxes, certificates and keys, and the configuration. The folder appears when the backup is complete. It holds mail and private keys. Exits with 65 where the backup is complete but the store held damaged messages already.',
    )
    .argument('<target>', 'the folder that is made; best on another disk')
    .option('--config <file>', 'the configuration that tells where the data folder is')
    .option('--data <folder>', 'the data folder, instead of the one configured')
    .option('--without-mailboxes', 'leave the mailboxes (Maildir) away')
    .option('--without-configuration', 'leave the configuration and the files that it names away');
  withJsonOption(command)
    .addHelpText(
      'after',
      formatExamples(
        context.offline.commandName,
        'backup /var/backups/postern/monday',
        'backup /mnt/nas/postern-1 --without-mailboxes --json',
      ),
    )
    .action((target: string, options: Options) => backup(context, target, options));
}

async function backup(context: CommandContext, target: string, options: Options): Promise<void> {
  const { surroundings, offline } = context;
  const inFolder = (path: string): string => resolve(surroundings.workingFolder, path);
  const question = {
    target: inFolder(target),
    configFile: await findConfigFile(options.config, surroundings),
    dataFolder: options.data === undefined ? null : inFolder(options.data),
    hasMailboxes: options.withoutMailboxes !== true,
    hasConfiguration: options.withoutConfiguration !== true,
  };
  const { folder, manifest } = await withProgress(context, (say) =>
    offline.backups.take(question, say),
  );
  await context.out.print(
    options.json === true
      ? formatJson({ formatVersion: 1, folder, ...manifest })
      : toText(context, folder, manifest),
  );
  if (manifest.damaged.length > 0) context.setExitCode(exitCode.data);
}

function toText(context: CommandContext, folder: string, manifest: BackupSummary): string {
  const { damaged } = manifest;
  const faults = damaged.map(({ text }) => ({ text, isKnown: false }));
  const words =
    damaged.length === 0
      ? ''
      : `\n${count(damaged.length, 'fault')} in the store itself, copied as it is:\n${describeFaults(faults)}`;
  return [
    `The backup is complete: ${folder}`,
    ...describeContents(manifest),
    '',
    'It holds mail and private keys: keep it as safe as the data folder.',
    `Check it, here or elsewhere: ${context.offline.commandName} verify ${quoteShell(folder)}`,
    words,
  ].join('\n');
}
