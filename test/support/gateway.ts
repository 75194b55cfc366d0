/**
 * A really started gateway for interop tests and scenarios: `serve` as a process of its own, in a
 * temporary folder that is removed afterwards.
 *
 * Every process of it is in one process group, so that a test can kill them all, and that `stop`
 * can prove that none is left.
 */
import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createApiClient } from '../../src/api/client.ts';
import type { ApiClient } from '../../src/api/client.ts';
import type { QueueRowView, StatusView } from '../../src/api/contract.ts';
import { Failure } from '../../src/mail/failure.ts';
import type { TraceView } from '../../src/report/show-trace.ts';
import { waitFor } from './ports.ts';

export const mainFile = fileURLToPath(new URL('../../src/app/main.ts', import.meta.url));

const readyWithinMs = 60_000;
const stopsWithinMs = 30_000;

/** `config` null: started without one, on the embedded default in `<folder>/data`. */
export interface GatewayOptions {
  /** YAML as text, or an object that is written as JSON, which is YAML too. */
  readonly config: string | object | null;
  /** Beside the configuration, by relative path; the configuration's paths start there. */
  readonly files?: Readonly<Record<string, string | Buffer>>;
  /** Of `serve`, after `--config`. */
  readonly arguments?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** In front of `node`, as `strace -o file`. */
  readonly prefix?: readonly string[];
}

/** One line of the gateway's log. */
export interface LogLine {
  readonly msg?: string;
  readonly [key: string]: unknown;
}

export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export class RunningGateway {
  /** Holds the configuration and its files. */
  readonly folder: string;
  readonly #options: GatewayOptions;
  #configName = 'postern.yaml';
  #child: ChildProcess | null = null;
  #exit: Promise<number | null> = Promise.resolve(null);
  #stdout = '';
  #stderr = '';
  #status: StatusView | null = null;

  constructor(folder: string, options: GatewayOptions) {
    this.folder = folder;
    this.#options = options;
  }

  get dataFolder(): string {
    return this.#status?.dataFolder ?? join(this.folder, 'data');
  }

  get configFile(): string {
    return join(this.folder, this.#configName);
  }

  /** Of the control process. */
  get processId(): number {
    return this.#child?.pid ?? 0;
  }

  /** What it told people, of all its starts. */
  get stderr(): string {
    return this.#stderr;
  }

  get api(): ApiClient {
    return createApiClient({ socketPath: join(this.dataFolder, 'run', 'api.sock') });
  }

  /** The lines of its log, of all its starts. */
  log(): readonly LogLine[] {
    const lines = this.#stdout.split('\n').filter((line) => line.startsWith('{'));
    return lines.flatMap((line) => {
      try {
        return [JSON.parse(line) as LogLine];
      } catch {
        return [];
      }
    });
  }

  /** The real port of a listener. */
  port(listener: string): number {
    const found = this.#status?.listeners.find(({ name }) => name === listener);
    if (found === undefined) throw new Error(`no listener ${listener} is open`);
    return found.port;
  }

  /** Waits for its first record: that of a refusal is written after the reply has left. */
  trace(id: string): Promise<TraceView> {
    return waitFor(
      `the trace of ${id}`,
      () =>
        this.api.readTrace(id).catch((error: unknown) => {
          if (error instanceof Failure && error.code === 'trace-unknown') return null;
          throw error;
        }),
      5000,
    );
  }

  async queue(): Promise<readonly QueueRowView[]> {
    return (await this.api.listQueue({ limit: 10_000 })).rows;
  }

  status(): Promise<StatusView> {
    return this.api.status();
  }

  /** The messages in a mailbox, in no order. */
  async mailbox(account: string, organization = 'example'): Promise<readonly Buffer[]> {
    const folder = join(this.dataFolder, 'mail', organization, account, 'new');
    const names = await readdir(folder).catch(() => [] as string[]);
    return Promise.all(names.map((name) => readFile(join(folder, name))));
  }

  /** Waits until the mailbox holds as many messages. */
  async waitForMail(account: string, count = 1, timeoutMs = 20_000): Promise<readonly Buffer[]> {
    return waitFor(
      `${count} messages of ${account}`,
      async () => {
        const messages = await this.mailbox(account);
        return messages.length >= count ? messages : null;
      },
      timeoutMs,
    );
  }

  /** Waits until the delivery of this message has been tried and still waits. */
  async waitForRow(
    id: string,
    holds: (row: QueueRowView) => boolean = (row) => row.lastOutcome !== null,
    timeoutMs = 20_000,
  ): Promise<QueueRowView> {
    return waitFor(
      `${id} in the queue`,
      async () => (await this.queue()).find((row) => row.id === id && holds(row)) ?? null,
      timeoutMs,
    );
  }

  /** Waits until nothing of this message is queued any more. */
  async waitUntilGone(id: string, timeoutMs = 20_000): Promise<void> {
    await waitFor(
      `${id} to leave the queue`,
      async () => (await this.queue()).every((row) => row.id !== id),
      timeoutMs,
    );
  }

  /** Runs a command of the command line; its gateway is found as a user's would be. */
  async run(...words: readonly string[]): Promise<CommandResult> {
    return runProgram([process.execPath, mainFile, ...words], { cwd: this.folder });
  }

  /** Starts it and waits until it is ready; throws with all of its output where it is not. */
  async start(): Promise<void> {
    if (this.#child !== null) throw new Error('the gateway runs already');
    const [program = '', ...words] = [
      ...(this.#options.prefix ?? []),
      process.execPath,
      mainFile,
      'serve',
      ...(this.#options.config === null ? [] : ['--config', this.configFile]),
      ...(this.#options.arguments ?? []),
    ];
    const said = this.#stderr.length;
    const child = spawn(program, words, {
      cwd: this.folder,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, npm_command: undefined, ...this.#options.environment },
    });
    this.#child = child;
    this.#exit = once(child, 'exit').then(([code]) => code as number | null);
    child.stdout.on('data', (bytes: Buffer) => (this.#stdout += bytes.toString()));
    child.stderr.on('data', (bytes: Buffer) => (this.#stderr += bytes.toString()));
    try {
      await waitFor('the gateway', () => this.#isReady(child, said), readyWithinMs);
      const data = / {2}data +(.+)/.exec(this.#stderr.slice(said))?.[1];
      const socketPath = join(data ?? this.dataFolder, 'run', 'api.sock');
      this.#status = await createApiClient({ socketPath }).status();
    } catch (cause) {
      await this.kill('SIGKILL');
      throw new Error(`the gateway did not start:\n${this.#stderr}${this.#stdout}`, { cause });
    }
  }

  /** Ends the whole group by a signal and waits until nothing of it is left. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const child = this.#child;
    if (child?.pid === undefined) return;
    signalGroup(child.pid, signal);
    await this.#ended(child);
    this.#child = null;
  }

  /** The process ids of the control process's children: lanes. */
  async lanes(): Promise<readonly number[]> {
    const file = `/proc/${this.processId}/task/${this.processId}/children`;
    return (await readFile(file, 'utf8')).trim().split(/\s+/).filter(Boolean).map(Number);
  }

  /** Graceful where it still runs; then started again, with another configuration where given. */
  async restart(config?: string | object): Promise<void> {
    if (this.#child !== null) await this.stop();
    if (config !== undefined) await writeFile(this.configFile, textOf(config));
    await this.start();
  }

  /** SIGTERM; throws where it does not end with 0 in time, or leaves a process behind. */
  async stop(): Promise<void> {
    const child = this.#child;
    if (child?.pid === undefined) return;
    child.kill('SIGTERM');
    try {
      await waitFor(
        'the end',
        () => child.exitCode !== null || child.signalCode !== null,
        stopsWithinMs,
      );
      const code = await this.#exit;
      if (code !== 0) throw new Error(`the gateway ended with ${code ?? child.signalCode}`);
      // A tracer in front of it ends a moment later.
      const pid = child.pid;
      await waitFor('the end of every process of the gateway', () => !groupLives(pid), 2000);
      this.#child = null;
    } catch (cause) {
      await this.kill('SIGKILL');
      const output = `${this.#stderr}${this.#stdout.slice(-10_000)}`;
      throw new Error(`${(cause as Error).message}:\n${output}`, { cause });
    }
  }

  /** Kills what still runs and removes the folder; for the end of a test. */
  async remove(): Promise<void> {
    await this.kill('SIGKILL');
    await rm(this.folder, { recursive: true, force: true });
  }

  async write(): Promise<void> {
    for (const [name, content] of Object.entries(this.#options.files ?? {})) {
      const file = join(this.folder, name);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, content, { mode: 0o600 });
    }
    if (this.#options.config === null) this.#configName = join('data', 'postern.yaml');
    else await writeFile(this.configFile, textOf(this.#options.config));
  }

  #isReady(child: ChildProcess, said: number): boolean {
    if (child.exitCode !== null || child.signalCode !== null) {
      throw new Error(`it ended with ${child.exitCode ?? child.signalCode}`);
    }
    return this.#stderr.includes('Postern is ready as', said);
  }

  async #ended(child: ChildProcess): Promise<void> {
    const pid = child.pid!;
    await waitFor('the end of the gateway', () => !groupLives(pid), stopsWithinMs);
    await this.#exit;
  }
}

/**
 * Starts a gateway and waits until it is ready. The caller ends it: `stop` and then `remove`, or
 * `remove` alone.
 */
export async function startGateway(options: GatewayOptions): Promise<RunningGateway> {
  const gateway = await prepareGateway(options);
  try {
    await gateway.start();
  } catch (error) {
    await gateway.remove();
    throw error;
  }
  return gateway;
}

/** The folder with its files, and nothing started yet. */
export async function prepareGateway(options: GatewayOptions): Promise<RunningGateway> {
  const folder = await mkdtemp(join(tmpdir(), 'postern-gateway-'));
  const gateway = new RunningGateway(folder, options);
  await gateway.write();
  return gateway;
}

/** Runs a program to its end, at most `timeoutMs` (60 s), without a shell. */
export function runProgram(
  words: readonly string[],
  options: {
    readonly cwd?: string;
    readonly input?: string | Buffer;
    readonly timeoutMs?: number;
    readonly environment?: Readonly<Record<string, string>>;
  } = {},
): Promise<CommandResult> {
  const [program = '', ...rest] = words;
  return new Promise((done) => {
    const child = execFile(
      program,
      rest,
      {
        cwd: resolve(options.cwd ?? tmpdir()),
        timeout: options.timeoutMs ?? 60_000,
        maxBuffer: 64 * 1024 * 1024,
        env: { ...process.env, ...options.environment },
      },
      (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : null;
        done({ code, stdout, stderr });
      },
    );
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(options.input ?? '');
  });
}

function textOf(config: string | object): string {
  return typeof config === 'string' ? config : `${JSON.stringify(config, null, 2)}\n`;
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function groupLives(pid: number): boolean {
  try {
    process.kill(-pid, 0);
    return true;
  } catch {
    return false;
  }
}
