/** Runs a command line in the cmdlet spelling: `postern New-OutboundConnector -Name …`. */
import { Failure } from '../../mail/failure.ts';
import type { CommandContext } from '../command-context.ts';
import { reportError } from '../report-error.ts';
import { Arguments } from './arguments.ts';
import { splitLine } from './cmdlet-line.ts';
import { formatCmdletHelp } from './cmdlet-help.ts';
import { findCmdlet } from './cmdlets.ts';

/** `argv` begins with the name. Throws Failures; what is wrong with the line is a usage Failure. */
export async function runCmdlet(context: CommandContext, argv: readonly string[]): Promise<void> {
  const [name = '', ...words] = wordsOf(argv);
  const cmdlet = findCmdlet(name);
  const given = new Arguments(words, cmdlet.set);
  if (given.flag('Help') === true) {
    return context.out.print(formatCmdletHelp(cmdlet, context.offline.commandName));
  }
  const action = given.word('ErrorAction');
  if (action !== 'SilentlyContinue' && action !== 'Ignore') return cmdlet.run(context, given);
  try {
    await cmdlet.run(context, given);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    context.setExitCode(reportError(error, context.offline.failures).exitCode);
  }
}

/** One word that holds blanks is a whole line. */
function wordsOf(argv: readonly string[]): readonly string[] {
  const [first = ''] = argv;
  return argv.length === 1 && /\s/.test(first) ? splitLine(first) : argv;
}
