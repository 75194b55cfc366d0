/** Runs command lines in-process for the tests of `cli`, against a really started API. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import type { TestContext } from 'node:test';
import { fakeServices } from './api-services.ts';
import { openRecords } from '../../src/app/offline-records.ts';
import { createRecordReader } from '../../src/app/record-reader.ts';
import { startApi } from '../../src/api/server.ts';
import type { ApiServices } from '../../src/api/services.ts';
import { loadConfig } from '../../src/config/load.ts';
import type { CliIo } from '../../src/cli/command-context.ts';
import type { OfflineCommands } from '../../src/cli/offline-commands.ts';
import { ChainVerifier } from '../../src/report/audit-chain.ts';
import { identityFailures } from '../../src/identity/failures.ts';
import { runCli } from '../../src/cli/run-cli.ts';

export interface CliResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export const nowMs = Date.UTC(2026, 10, 22, 10, 2, 0);

export function fakeOffline(overrides: Partial<OfflineCommands> = {}): OfflineCommands {
  return {
    version: '0.1.0',
    commandName: 'postern',
    failures: { 'port-taken': { httpStatus: 500, exitCode: 71, whatToDo: 'Free the port.' } },
    serve: async () => 0,
    demo: async () => 0,
    loadInForce: (file) => loadConfig(file),
    loadCandidate: (file) => loadConfig(file),
    isPolicyOfFile: async () => true,
    checkConfig: (file) => loadConfig(file),
    explain: async () => {
      throw new Error('no explain in this fake');
    },
    probeTls: async () => {
      throw new Error('no probe in this fake');
    },
    certificates: {
      show: async () => [],
      import: async () => {
        throw new Error('no import in this fake');
      },
    },
    examine: async () => [],
    backups: noBackups,
    records: { open: openRecords, createReader: createRecordReader },
    audit: { createVerifier: () => new ChainVerifier() },
    passwords: { hash: async (password) => `hash of ${password}`, generate: () => 'generated' },
    formatTrace: (view) => `trace of ${view.id ?? ''}\n`,
    ...overrides,
  };
}

const noBackup = async (): Promise<never> => {
  throw new Error('no backups in this fake');
};
const noBackups: OfflineCommands['backups'] = {
  take: noBackup,
  verify: noBackup,
  verifyData: noBackup,
  prepareRestore: noBackup,
  restore: noBackup,
};

export interface Surroundings {
  readonly offline?: Partial<OfflineCommands>;
  readonly io?: Partial<CliIo>;
  readonly input?: string;
}

/** Standard input is a terminal unless `input` is given. */
export async function run(
  argv: readonly string[],
  { offline = {}, io = {}, input }: Surroundings = {},
): Promise<CliResult> {
  const stdout = collect();
  const stderr = collect();
  const stdin =
    input === undefined
      ? Object.assign(new Readable({ read: () => undefined }), { isTTY: true })
      : Readable.from([Buffer.from(input)]);
  const code = await runCli(argv, fakeOffline(offline), {
    stdout: stdout.stream,
    stderr: stderr.stream,
    stdin,
    isTty: false,
    env: {},
    workingFolder: '/nonexistent',
    nowMs: () => nowMs,
    wait: () => Promise.resolve(),
    ...io,
  });
  return { code, stdout: stdout.text(), stderr: stderr.text() };
}

function collect(): { stream: Writable; text: () => string } {
  let text = '';
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      text += chunk.toString();
      done();
    },
  });
  return { stream, text: () => text };
}

export async function makeFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'postern-cli-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A started API in `<folder>/data`, where the command line finds it from `folder`. */
export async function startFakeGateway(
  t: TestContext,
  services: Partial<ApiServices> = {},
): Promise<{ folder: string; socketPath: string }> {
  const folder = await makeFolder(t);
  const socketPath = join(folder, 'data', 'run', 'api.sock');
  const api = await startApi({ socketPath, failures: identityFailures }, fakeServices(services));
  t.after(() => api.close());
  return { folder, socketPath };
}
