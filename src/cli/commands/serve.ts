/** `postern serve`: runs the gateway; `app` answers it, this only reads the options. */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { CommandContext } from '../command-context.ts';
import { formatExamples } from '../command-context.ts';
import { configPlaces, findConfigFile } from '../find-gateway.ts';

interface Options {
  readonly config?: string;
  readonly data?: string;
}

export function addServe(program: Command, context: CommandContext): void {
  program
    .command('serve')
    .summary('run the gateway')
    .description(
      `Runs the gateway until SIGTERM or SIGINT. Without --config it takes $POSTERN_CONFIG, else the first of ${configPlaces.join(', ')} that exists, else an embedded default for a first try: ports 2525, 2587 and 2465 on 127.0.0.1, data in ./data.`,
    )
    .option('--config <file>', 'the configuration file')
    .option('--data <folder>', 'the data folder, instead of the one configured')
    .addHelpText(
      'after',
      formatExamples(
        context.offline.commandName,
        'serve',
        'serve --config /etc/postern/postern.yaml',
      ),
    )
    .action(async (options: Options) => {
      const configFile = await findConfigFile(options.config, context.surroundings);
      const dataFolder =
        options.data === undefined
          ? null
          : resolve(context.surroundings.workingFolder, options.data);
      context.setExitCode(await context.offline.serve({ configFile, dataFolder }));
    });
}
