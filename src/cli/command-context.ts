/** What every command is given, and the options that commands share. */
import type { Readable, Writable } from 'node:stream';
import type { Command } from 'commander';
import type { ApiClient } from '../api/client.ts';
import { createApiClient } from '../api/client.ts';
import { Failure } from '../mail/failure.ts';
import type { Surroundings } from './find-gateway.ts';
import { findSocket } from './find-gateway.ts';
import type { OfflineCommands } from './offline-commands.ts';
import type { Output } from './output.ts';
import { openProfile } from './profiles.ts';
import type { PolicyObjectsClient } from './policy-objects/policy-objects-client.ts';

/**
 * The process as the command line sees it. `isTty`: standard output is a terminal, `columns` its
 * width. What is left away is the process's own.
 */
export interface CliIo {
  readonly stdout: Writable & { readonly columns?: number };
  readonly stderr: Writable;
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly isTty: boolean;
  readonly columns?: number;
  /** The path by which the program was started; as `sendmail` it is sendmail. */
  readonly startedAs?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly workingFolder?: string;
  readonly nowMs?: () => number;
  readonly wait?: (ms: number) => Promise<void>;
  readonly openPolicyObjects?: CommandContext['openPolicyObjects'];
}

export interface CommandContext {
  readonly out: Output;
  readonly err: Output;
  readonly stdin: CliIo['stdin'];
  /** Columns of the terminal; null where the output is none, so that nothing is cut. */
  readonly width: number | null;
  readonly surroundings: Surroundings;
  readonly offline: OfflineCommands;
  readonly nowMs: () => number;
  readonly wait: (ms: number) => Promise<void>;
  /** The policy objects of the running gateway. */
  readonly openPolicyObjects: (options: GatewayOptions) => Promise<PolicyObjectsClient>;
  /** Runs another command line of the program. */
  readonly runCommand: (argv: readonly string[]) => Promise<void>;
  setExitCode(code: number): void;
}

export interface GatewayOptions {
  readonly profile?: string | undefined;
  readonly socket?: string | undefined;
  readonly config?: string | undefined;
}

export function withGatewayOptions(command: Command): Command {
  return command
    .option('--socket <path>', "the running gateway's socket (default: run/api.sock in its data)")
    .option('--config <file>', 'the configuration that tells where the data folder is')
    .option('--profile <name>', 'a gateway elsewhere, as `profile add` named it');
}

/**
 * The profile that is meant; null where the gateway is here. What is written out wins over
 * `$POSTERN_PROFILE`.
 */
export function profileOf(
  { profile, socket, config }: GatewayOptions,
  { env }: Surroundings,
): string | null {
  const isHere = socket !== undefined || config !== undefined;
  if (profile !== undefined && isHere) {
    const text = '--profile is a gateway elsewhere: leave --socket and --config away';
    throw new Failure('option-wrong', text);
  }
  const variable = env['POSTERN_PROFILE'];
  return profile ?? (isHere || variable === undefined || variable === '' ? null : variable);
}

export function withJsonOption(command: Command): Command {
  return command.option('--json', 'print JSON for programs');
}

/** An option without which nothing can be done; commander would hide a misspelt one behind it. */
export function requireOption<Value>(value: Value | undefined, name: string): Value {
  if (value !== undefined) return value;
  throw new Failure('option-wrong', `${name} is needed`);
}

export async function connectGateway(
  context: CommandContext,
  options: GatewayOptions,
): Promise<ApiClient> {
  const { surroundings } = context;
  const profile = profileOf(options, surroundings);
  if (profile !== null) return createApiClient(await openProfile(profile, surroundings));
  return createApiClient({ socketPath: await findSocket(options, surroundings) });
}

/** Examples as they stand below a command's options. `name` is how the program is started. */
export function formatExamples(name: string, ...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  $ ${name} ${line}`).join('\n')}`;
}
