/** `postern version`. */
import type { Command } from 'commander';
import type { CommandContext } from '../command-context.ts';
import { withJsonOption } from '../command-context.ts';
import { formatJson } from '../json-text.ts';

export function addVersion(program: Command, context: CommandContext): void {
  const command = program
    .command('version')
    .summary('print the version')
    .description('Prints the version of the program and of Node.js.');
  withJsonOption(command).action(async (options: { readonly json?: boolean }) => {
    const { version } = context.offline;
    const node = process.versions.node;
    const text =
      options.json === true
        ? formatJson({ formatVersion: 1, version, node })
        : `postern ${version} (Node.js ${node})\n`;
    await context.out.print(text);
  });
}
