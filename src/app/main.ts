#!/usr/bin/env node
/**
 * The executable `postern`: hands the command line what works without a running gateway.
 *
 * Most commands only ask a gateway, and a person waits for each: what one command alone runs is loaded
 * when it runs.
 */
import { runCli } from '../cli/run-cli.ts';
import type { OfflineCommands } from '../cli/offline-commands.ts';
import { ChainVerifier } from '../report/audit-chain.ts';
import { formatTraceText } from '../report/show-trace.ts';
import { generatePassword, hashPassword } from '../identity/password-hash.ts';
import { allFailures } from './all-failures.ts';
import { isPolicyOfFile, loadCandidate, loadInForce } from './policy/load-file.ts';
import { createRecordReader } from './record-reader.ts';
import { version } from './version.ts';

// Inside a checkout the program is reached through npm, which brings the right Node.
const commandName = process.env['npm_command'] === undefined ? 'postern' : 'npx postern';

const backups = () => import('./backup/commands.ts');
const certificates = () => import('./certificates.ts');

const offline: OfflineCommands = {
  version,
  commandName,
  failures: allFailures,
  serve: async (options) => (await import('./serve.ts')).serve(options, commandName),
  demo: async (options) => (await import('./demo/run-demo.ts')).runDemo(options, commandName),
  loadInForce,
  loadCandidate,
  isPolicyOfFile,
  checkConfig: async (file) => (await import('./check-config.ts')).checkConfig(file),
  explain: async (...asked) => (await import('./explain.ts')).explainOffline(...asked),
  probeTls: async (...asked) => (await import('./probe.ts')).probe(...asked),
  certificates: {
    show: async (question) => (await certificates()).certificateCommands.show(question),
    import: async (order) => (await certificates()).certificateCommands.import(order),
  },
  examine: async (...asked) => (await import('./doctor/doctor.ts')).examine(...asked),
  backups: {
    take: async (...asked) => (await backups()).offlineBackup.take(...asked),
    verify: async (...asked) => (await backups()).offlineBackup.verify(...asked),
    verifyData: async (...asked) => (await backups()).offlineBackup.verifyData(...asked),
    prepareRestore: async (asked) => (await backups()).offlineBackup.prepareRestore(asked),
    restore: async (...asked) => (await backups()).offlineBackup.restore(...asked),
  },
  records: {
    open: async (folder) => (await import('./offline-records.ts')).openRecords(folder),
    createReader: createRecordReader,
  },
  audit: { createVerifier: () => new ChainVerifier() },
  passwords: { hash: (password) => hashPassword(password), generate: generatePassword },
  formatTrace: (view) => formatTraceText(view),
};

const { stdin, stdout, stderr } = process;
process.exitCode = await runCli(process.argv.slice(2), offline, {
  stdin,
  stdout,
  stderr,
  isTty: stdout.isTTY,
  startedAs: process.argv[1] ?? '',
});
