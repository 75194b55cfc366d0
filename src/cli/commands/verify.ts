/** `postern verify`: whether a backup, or a data folder, is whole. */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { count, describeContents, describeFaults, describeQueue } from '../backup-text.ts';
import type { CommandContext } from '../command-context.ts';
import { formatExamples, withJsonOption } from '../command-context.ts';
import { exitCode } from '../exit-code.ts';
import { Failure } from '../../mail/failure.ts';
import { formatJson } from '../json-text.ts';
import type { Fault } from '../offline-backup.ts';
import { withProgress } from '../progress-line.ts';

interface Options {
  readonly data?: string;
  readonly json?: boolean;
}

export function addVerify(program: Command, context: CommandContext): void {
  const command = program
    .command('verify')
    .summary('check a backup or a data folder')
    .description(
      'Reads a whole backup, or the queue of a data folder, and names each fault: files by size and hash (backups), the structure of the store, and whether every queued message has its content. A data folder may be in use; it is only read. Exits with 0 where all is well and 65 where something is not.',
    )
    .argument('[backup]', 'the folder that `postern backup` made')
    .option('--data <folder>', 'a data folder instead of a backup');
  withJsonOption(command)
    .addHelpText(
      'after',
      formatExamples(
        context.offline.commandName,
        'verify /var/backups/postern/monday',
        'verify --data /var/lib/postern',
      ),
    )
    .action(async (folder: string | undefined, options: Options) => {
      const { isWhole, text } = await verify(context, folder, options);
      await context.out.print(text);
      context.setExitCode(isWhole ? exitCode.ok : exitCode.data);
    });
}

interface Checked {
  readonly faults: readonly Fault[];
  /** For programs. */
  readonly shown: object;
  /** For people. */
  readonly lines: readonly string[];
}

interface Verified {
  readonly isWhole: boolean;
  readonly text: string;
}

async function verify(
  context: CommandContext,
  backup: string | undefined,
  { data, json = false }: Options,
): Promise<Verified> {
  if ((backup === undefined) === (data === undefined)) {
    throw new Failure('option-wrong', 'name a backup, or a data folder with --data');
  }
  const folder = resolve(context.surroundings.workingFolder, backup ?? data!);
  const { backups } = context.offline;
  const checked = await withProgress<Checked>(context, (say) =>
    data === undefined
      ? backups.verify(folder, say).then(({ manifest, faults }) => ({
          faults,
          shown: { backup: folder, manifest },
          lines: describeContents(manifest),
        }))
      : backups.verifyData(folder, say).then(({ shards, faults }) => ({
          faults,
          shown: { dataFolder: folder, shards },
          lines: [`  queue          ${describeQueue(shards)}`],
        })),
  );
  const { faults, shown, lines } = checked;
  const isWhole = faults.length === 0;
  const text = json
    ? formatJson({ formatVersion: 1, isWhole, faults, ...shown })
    : `${headline(folder, faults)}\n${describeFaults(faults)}${lines.join('\n')}\n`;
  return { isWhole, text };
}

function headline(folder: string, faults: readonly Fault[]): string {
  return faults.length === 0
    ? `${folder} is whole.`
    : `${folder}: ${count(faults.length, 'fault')}`;
}
