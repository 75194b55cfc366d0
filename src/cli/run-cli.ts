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
    if (postfixName === null) return await runCommand(argv, offline, io, outputs);
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

async function runCommand(
  argv: readonly string[],
  offline: OfflineCommands,
  io: CliIo,
  outputs: { readonly out: Output; readonly err: Output },
): Promise<number> {
  let code: number = exitCode.ok;
  const context = createContext(offline, io, outputs, (each) => (code = each));
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
  return {
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
    setExitCode,
  };
}
