/** `postern completion`: a script by which the shell completes commands and options. */
import tab from '@bomb.sh/tab/commander';
import type { Command } from 'commander';
import type { CommandContext } from '../command-context.ts';

/** After every other command: it reads the tree. Adds a hidden `complete` that the scripts call. */
export function addCompletion(program: Command, context: CommandContext): void {
  tab(program, { completionCommandName: 'completion' });
  const name = context.offline.commandName;
  program.commands
    .find((command) => command.name() === 'completion')
    ?.summary('print a script for shell completion')
    .description('Prints a script by which the shell completes commands and options.')
    .addHelpText(
      'after',
      `\nExamples:
  $ ${name} completion bash > /etc/bash_completion.d/postern
  $ ${name} completion zsh > ~/.zfunc/_postern
  $ ${name} completion fish > ~/.config/fish/completions/postern.fish
  $ ${name} completion powershell >> $PROFILE`,
    );
}
