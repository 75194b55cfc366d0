/**
 * Runs one command line from start to end: parse, act, say what went wrong, answer the exit code.
 *
 * For `app/main.ts`. It reads nothing of the process but what `io` leaves away.
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { Command } from 'commander';
import { CommanderError } from 'commander';
import type { CliIo, CommandContext } from './command-context.ts';
import { exitCode } from './exit-code.ts';
import type { OfflineCommands } from './offline-commands.ts';
import { Output, OutputClosed } from './output.ts';
import { createProgram } from './program.ts';
import { completeCmdlet } from './cmdlets/complete-cmdlet.ts';
import { isCmdlet } from './cmdlets/cmdlets.ts';
import { runCmdlet } from './cmdlets/run-cmdlet.ts';
import { openPolicyObjects } from './policy-objects/open-policy-objects.ts';
import { postfixNameOf, runPostfix } from './postfix/run-postfix.ts';
import { reportError } from './report-error.ts';
import { reportUsage } from './report-usage.ts';

export type { CliIo } from './command-context.ts';
export type { OfflineCommands, ServeOptions } from './offline-commands.ts';

/** `argv` without the program's own name. Never rejects; the result is an exit code of sysexits(3). */
export async function runCli(
  argv: readonly string[],
  offline: OfflineCommands,
  io: CliIo,
): Promise<number> {
  const ignore = (): void => undefined;
  io.stdout.on('error', ignore);
  io.stderr.on('error', ignore);
  const [out, err] = [new Output(io.stdout), new Output(io.stderr)];
  try {
    const postfixName = postfixNameOf(io.startedAs ?? '');
    const outputs = { out, err };
    if (postfixName === null) return await runLine(argv, offline, io, outputs);
    const context = createContext(offline, io, outputs, ignore);
    return await runPostfix(postfixName, argv, context);
  } catch (error) {
    if (error instanceof OutputClosed) return exitCode.ok;
    const report = reportError(error, offline.failures);
    await err.print(report.text).catch(ignore);
    return report.exitCode;
  } finally {
    io.stdout.off('error', ignore);
    io.stderr.off('error', ignore);
  }
}

/** In either spelling. */
async function runLine(
  argv: readonly string[],
  offline: OfflineCommands,
  io: CliIo,
  outputs: { readonly out: Output; readonly err: Output },
): Promise<number> {
  const completions =
    argv[0] === 'complete' && argv[1] === '--' ? completeCmdlet(argv.slice(2)) : null;
  if (completions !== null) {
    await outputs.out.print(completions);
    return exitCode.ok;
  }
  if (!isCmdlet(argv[0])) return runCommand(argv, offline, io, outputs);
  let code: number = exitCode.ok;
  const setExitCode = (each: number): void => void (code = each);
  await runCmdlet(createContext(offline, io, outputs, setExitCode), argv);
  return code;
}

async function runCommand(
  argv: readonly string[],
  offline: OfflineCommands,
  io: CliIo,
  outputs: { readonly out: Output; readonly err: Output },
): Promise<number> {
  let code: number = exitCode.ok;
  const setExitCode = (each: number): void => void (code = each);
  const context = createContext(offline, io, outputs, setExitCode);
  let help = '';
  const program = createProgram(context, {
    writeOut: (text) => (help += text),
    writeErr: (text) => (help += text),
  });
  try {
    await program.parseAsync(argv.length === 0 ? ['--help'] : argv, { from: 'user' });
    return code;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return await endParsing(program, argv, error, { ...outputs, help });
  }
}

/** Commander throws for help and version too; a missing subcommand is a usage error with help. */
async function endParsing(
  program: Command,
  argv: readonly string[],
  error: CommanderError,
  parts: { readonly out: Output; readonly err: Output; readonly help: string },
): Promise<number> {
  if (error.exitCode === 0) {
    await parts.out.print(parts.help);
    return exitCode.ok;
  }
  const isHelp = error.code === 'commander.help';
  await parts.err.print(isHelp ? parts.help : reportUsage(program, argv, error));
  return exitCode.usage;
}

function createContext(
  offline: OfflineCommands,
  io: CliIo,
  outputs: { readonly out: Output; readonly err: Output },
  setExitCode: (code: number) => void,
): CommandContext {
  const context: CommandContext = {
    ...outputs,
    stdin: io.stdin,
    width: io.isTty ? Math.max(40, io.columns ?? io.stdout.columns ?? 80) : null,
    surroundings: {
      env: io.env ?? process.env,
      workingFolder: io.workingFolder ?? process.cwd(),
    },
    offline,
    nowMs: io.nowMs ?? Date.now,
    wait: io.wait ?? ((ms) => wait(ms)),
    openPolicyObjects: io.openPolicyObjects ?? ((options) => openPolicyObjects(context, options)),
    runCommand: async (words) => setExitCode(await runCommand(words, offline, io, outputs)),
    setExitCode,
  };
  return context;
}
