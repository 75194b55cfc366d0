/** A wrong command line, in one sentence, with the nearest right word and where to read on. */
import type { Command, CommanderError } from 'commander';
import { sanitizePeerText } from '../mail/peer-text.ts';

export function reportUsage(
  program: Command,
  argv: readonly string[],
  error: CommanderError,
): string {
  const [first = '', ...rest] = error.message.replace(/^error: /, '').split('\n');
  const hint = /\(Did you mean (?:one of )?(.+)\?\)/.exec(rest.join(' '));
  const nearest = hint === null ? '' : `; did you mean ${hint[1]!}?`;
  const help = `${findCommand(program, argv)} --help`;
  return `postern: ${sanitizePeerText(first)}${nearest}\n  Run \`${help}\` to see what is right.\n`;
}

/** The deepest command that the words name, as people type it. */
function findCommand(program: Command, argv: readonly string[]): string {
  const names = [program.name()];
  let command = program;
  for (const word of argv) {
    const next = command.commands.find((each) => each.name() === word);
    if (next === undefined) break;
    names.push(next.name());
    command = next;
  }
  return names.join(' ');
}
