/** `postern serve`: configuration, privileges, the gateway, signals, and words for whoever started it. */
import { resolve } from 'node:path';
import type { ServeOptions } from '../cli/offline-commands.ts';
import type { Config } from '../config/config.ts';
import { formatProblem } from '../config/problem.ts';
import type { ConfigProblem } from '../config/problem.ts';
import { Failure } from '../mail/failure.ts';
import type { Configuration, ConfigurationSource } from './configuration.ts';
import { loadConfiguration } from './configuration.ts';
import { startGateway } from './control.ts';
import type { Gateway } from './control.ts';
import { prepareEmbeddedDefault } from './first-start.ts';
import type { EmbeddedConfiguration } from './first-start.ts';
import { createLog } from './log.ts';
import { chooseForStart } from './policy/choose-policy.ts';
import { becomeUser, isRoot, userToBecome } from './privileges.ts';
import { describeStart } from './start-text.ts';
import { findServiceManager, takePassedSockets } from './systemd.ts';
import type { PassedSocket, ServiceManager } from './systemd.ts';

/** Runs until SIGTERM or SIGINT; the exit code. Throws a Failure where it cannot start. */
export async function serve(options: ServeOptions, commandName: string): Promise<number> {
  process.umask(0o077);
  const embedded = options.configFile === null ? await embeddedDefault(options) : null;
  const file = embedded?.configFile ?? resolve(options.configFile!);
  const { dataFolder } = options;
  const source = { file, dataFolder: dataFolder === null ? null : resolve(dataFolder) };
  const conflicts: string[] = [];
  const configuration = await loadOrThrow(source, conflicts);
  const { config, policy } = configuration;
  const user = userToBecome(config.user);
  const log = createLog(config.log, 'control');
  for (const conflict of conflicts) log.warn({ file }, conflict);
  const sockets = takePassedSockets(process.env, process.pid);
  refuseUnknownSockets(sockets, config);
  const manager = findServiceManager(process.env, log);
  const gateway = await startGateway({
    configuration,
    source,
    user,
    sockets,
    dropPrivileges: () => becomeUser(user),
    log,
  });
  // Whoever reads that it is ready may stop it at once.
  stopOnSignals(gateway, manager);
  say(describeStart({ gateway, config, policy, embedded, commandName, isRoot: isRoot() }));
  void manager.tell('READY=1', `serves as ${policy.hostName}`);
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

/** With the policy that was in force last, where the file has nothing newer. */
async function loadOrThrow(
  source: ConfigurationSource,
  conflicts: string[],
): Promise<Configuration> {
  const choose = await chooseForStart(source, (text) => conflicts.push(text));
  const loaded = await loadConfiguration(source, null, choose);
  const unread = conflicts.map((text) => `${source.file}: warning: ${text}`);
  if (loaded.kind === 'refused') throw refused(loaded.problems, unread);
  for (const text of unread) say(text);
  for (const problem of loaded.configuration.warnings) say(formatProblem(problem));
  return loaded.configuration;
}

/** What is missing may stand in the part of the file that is not read. */
function refused(problems: readonly ConfigProblem[], unread: readonly string[]): Failure {
  const lines = [...unread, ...problems.map((problem) => formatProblem(problem))];
  return new Failure('config-refused', lines.join('\n'));
}

/** A second signal does not hurry: what is under way has its own bounds. */
function stopOnSignals(gateway: Gateway, manager: ServiceManager): void {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      void manager.tell('STOPPING=1', 'lets what is under way end');
      void gateway.stop();
    });
  }
  process.on('SIGHUP', () => {
    void manager.tell('RELOADING=1', 'reads the configuration again');
    void gateway.reload().then((outcome) => {
      const isDone = outcome.kind === 'reloaded';
      const status = isDone ? 'the configuration was reloaded' : 'the last reload was refused';
      return manager.tell('READY=1', status);
    });
  });
}

/** A port that nobody answers would let its clients hang. */
function refuseUnknownSockets(sockets: readonly PassedSocket[], config: Config): void {
  const unknown = sockets.find(({ name }) => config.listeners.every((each) => each.name !== name));
  if (unknown === undefined) return;
  const names = config.listeners.map(({ name }) => name).join(', ');
  const text = `systemd passes a socket with the name "${unknown.name}", and no listener has it; there are: ${names}`;
  throw new Failure('socket-unknown', text);
}

/** For people: standard error, so that standard output holds log lines alone. */
function say(text: string): void {
  process.stderr.write(`${text}\n`);
}
