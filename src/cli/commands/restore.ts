/** `postern restore`: a data folder from a backup. */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { describeContents, describeLoss } from '../backup-text.ts';
import type { CommandContext } from '../command-context.ts';
import { formatExamples, requireOption, withJsonOption } from '../command-context.ts';
import { confirm } from '../confirm.ts';
import { formatJson } from '../json-text.ts';
import type { BackupSummary, RestoreReport } from '../offline-backup.ts';
import { withProgress } from '../progress-line.ts';
import { quoteShell } from '../quote-shell.ts';

interface Options {
  readonly to?: string;
  readonly replace?: boolean;
  readonly yes?: boolean;
  readonly json?: boolean;
}

export function addRestore(program: Command, context: CommandContext): void {
  const command = program
    .command('restore')
    .summary('make a data folder from a backup')
    .description(
      'Verifies a backup and makes a data folder of it, for a gateway that does not run. Mail accepted after the backup was taken is not in it; mail delivered after that is delivered again. Owner and mode of files are those of the backup. What is at the place is never removed: with --replace it is moved aside.',
    )
    .argument('<backup>', 'the folder that `postern backup` made')
    .option('--to <folder>', 'the data folder that is made')
    .option('--replace', 'move aside what is there')
    .option('--yes', 'do not ask');
  withJsonOption(command)
    .addHelpText(
      'after',
      formatExamples(
        context.offline.commandName,
        'restore /var/backups/postern/monday --to /var/lib/postern-monday',
        'restore /var/backups/postern/monday --to /var/lib/postern --replace',
      ),
    )
    .action((backup: string, options: Options) => restore(context, backup, options));
}

async function restore(context: CommandContext, backup: string, options: Options): Promise<void> {
  const inFolder = (path: string): string => resolve(context.surroundings.workingFolder, path);
  const question = {
    backup: inFolder(backup),
    to: inFolder(requireOption(options.to, '--to FOLDER')),
    mayReplace: options.replace === true,
  };
  const { backups } = context.offline;
  const manifest = await backups.prepareRestore(question);
  if (options.yes !== true) {
    await context.err.print(`${describeLoss(manifest)}\n`);
    await confirm(context, `Restore it to ${question.to}?`);
  }
  const report = await withProgress(context, (say) => backups.restore(question, say));
  await context.out.print(
    options.json === true
      ? formatJson({ formatVersion: 1, ...report })
      : toText(report, context.offline.commandName),
  );
}

function toText(report: RestoreReport, commandName: string): string {
  const { folder, movedTo, hasKeptMailboxes, configFile, manifest } = report;
  const lines = [
    `Restored: ${folder}, from the backup ${report.backup}`,
    ...describeContents(manifest),
    '',
    describeLoss(manifest),
  ];
  if (movedTo !== null) lines.push(`What was there before lies in ${movedTo}.`);
  if (hasKeptMailboxes) {
    lines.push('The backup has no mailboxes: those that were there are in their place again.');
  } else if (!manifest.hasMailboxes) {
    lines.push('The backup has no mailboxes: those of the restored gateway are empty.');
  }
  return `${[...lines, '', ...nextSteps(folder, configFile, commandName, manifest)].join('\n')}\n`;
}

function nextSteps(
  folder: string,
  configFile: string | null,
  commandName: string,
  was: BackupSummary,
): string[] {
  const original = was.configuration?.file ?? null;
  const data = folder === was.dataFolder ? '' : ` --data ${quoteShell(folder)}`;
  if (configFile === null || original === null) {
    return ['What to do next:', `  ${commandName} serve --config FILE${data}`];
  }
  const isInPlace = configFile === original;
  return [
    'What to do next:',
    ...(isInPlace
      ? []
      : [
          `  compare the configuration of then with yours: diff ${quoteShell(configFile)} ${quoteShell(original)}`,
        ]),
    `  start: ${commandName} serve --config ${quoteShell(original)}${isInPlace ? '' : data}`,
  ];
}
