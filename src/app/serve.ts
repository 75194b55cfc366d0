/** `postern serve`: configuration, privileges, the gateway, signals, and words for whoever started it. */
import { resolve } from 'node:path';
import type { ServeOptions } from '../cli/offline-commands.ts';
import { checkFiles } from '../config/check-files.ts';
import type { Config } from '../config/config.ts';
import { loadConfig } from '../config/load.ts';
import { formatProblem } from '../config/problem.ts';
import type { ConfigProblem } from '../config/problem.ts';
import { Failure } from '../mail/failure.ts';
import type { Policy } from '../policy/policy.ts';
import { startGateway } from './control.ts';
import type { Gateway } from './control.ts';
import { prepareEmbeddedDefault } from './first-start.ts';
import type { EmbeddedConfiguration } from './first-start.ts';
import { createLog } from './log.ts';
import { becomeUser, isRoot, userToBecome } from './privileges.ts';
import { describeStart } from './start-text.ts';

/** Runs until SIGTERM or SIGINT; the exit code. Throws a Failure where it cannot start. */
export async function serve(options: ServeOptions, commandName: string): Promise<number> {
  process.umask(0o077);
  const embedded = options.configFile === null ? await embeddedDefault(options) : null;
  const file = embedded?.configFile ?? resolve(options.configFile!);
  const { config, policy } = await loadOrThrow(file, options.dataFolder);
  const user = userToBecome(config.user);
  const log = createLog(config.log.level, 'control');
  const gateway = await startGateway({
    config,
    policy,
    configFile: file,
    user,
    dropPrivileges: () => becomeUser(user),
    log,
  });
  say(describeStart({ gateway, config, policy, embedded, commandName, isRoot: isRoot() }));
  stopOnSignals(gateway);
  const failure = await gateway.ended;
  await gateway.stop();
  log.info({}, 'stopped');
  log.flush();
  if (failure !== null) throw failure;
  return 0;
}

function embeddedDefault(options: ServeOptions): Promise<EmbeddedConfiguration> {
  return prepareEmbeddedDefault(resolve(options.dataFolder ?? 'data'));
}

async function loadOrThrow(
  file: string,
  dataFolder: string | null,
): Promise<{ config: Config; policy: Policy }> {
  const loaded = await loadConfig(file);
  if (loaded.kind === 'refused') throw refused(loaded.problems);
  const config =
    dataFolder === null ? loaded.config : { ...loaded.config, dataFolder: resolve(dataFolder) };
  const problems = await checkFiles(config, Date.now());
  const errors = problems.filter((problem) => problem.severity === 'error');
  if (errors.length > 0) throw refused(errors);
  for (const problem of [...loaded.warnings, ...problems])
    say(`warning: ${formatProblem(problem)}`);
  return { config, policy: loaded.policy };
}

function refused(problems: readonly ConfigProblem[]): Failure {
  return new Failure(
    'config-refused',
    problems.map((problem) => formatProblem(problem)).join('\n'),
  );
}

/** A second signal does not hurry: what is under way has its own bounds. */
function stopOnSignals(gateway: Gateway): void {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => void gateway.stop());
  }
  process.on('SIGHUP', () => undefined);
}

/** For people: standard error, so that standard output holds log lines alone. */
function say(text: string): void {
  process.stderr.write(`${text}\n`);
}
