#!/usr/bin/env node
/** The executable `postern`: hands the command line what works without a running gateway. */
import { runCli } from '../cli/run-cli.ts';
import type { OfflineCommands } from '../cli/offline-commands.ts';
import { checkDates } from '../config/check-dates.ts';
import { checkFiles } from '../config/check-files.ts';
import type { LoadResult } from '../config/load.ts';
import { findConflict, isPolicyOfFile, loadCandidate, loadInForce } from './policy/load-file.ts';
import type { Path } from '../config/problem.ts';
import { generatePassword, hashPassword } from '../identity/password-hash.ts';
import { ChainVerifier } from '../report/audit-chain.ts';
import { formatTraceText } from '../report/show-trace.ts';
import { allFailures } from './all-failures.ts';
import { offlineBackup } from './backup/commands.ts';
import { runDemo } from './demo/run-demo.ts';
import { certificateCommands } from './certificates.ts';
import { problemAt } from './configuration.ts';
import { examine } from './doctor/doctor.ts';
import { explainOffline } from './explain.ts';
import { warnOfHosts } from './hosts/host-warnings.ts';
import { openStubResolver } from './lane-resolver.ts';
import { offlineRecords } from './offline-records.ts';
import { probe } from './probe.ts';
import { serve } from './serve.ts';
import { version } from './version.ts';

// Inside a checkout the program is reached through npm, which brings the right Node.
const commandName = process.env['npm_command'] === undefined ? 'postern' : 'npx postern';

const offline: OfflineCommands = {
  version,
  commandName,
  failures: allFailures,
  serve: (options) => serve(options, commandName),
  demo: (options) => runDemo(options, commandName),
  loadInForce,
  loadCandidate,
  isPolicyOfFile,
  checkConfig,
  explain: explainOffline,
  probeTls: probe,
  certificates: certificateCommands,
  examine,
  backups: offlineBackup,
  records: offlineRecords,
  audit: { createVerifier: () => new ChainVerifier() },
  passwords: { hash: (password) => hashPassword(password), generate: generatePassword },
  formatTrace: (view) => formatTraceText(view),
};

/** The file itself, then the files that it names. */
async function checkConfig(file: string): Promise<LoadResult> {
  const loaded = await loadCandidate(file);
  if (loaded.kind === 'refused') return loaded;
  const problems = await checkFiles(loaded.config, Date.now());
  const errors = problems.filter((problem) => problem.severity === 'error');
  if (errors.length > 0) {
    return { kind: 'refused', problems: errors, dataFolder: loaded.config.dataFolder };
  }
  const due = checkDates(loaded, Date.now());
  const asked = {
    ...loaded,
    problemAt: (path: Path, text: string) => problemAt(loaded, file, path, text),
  };
  const hosts = await warnOfHosts(asked, openStubResolver);
  const conflict = findConflict(loaded);
  const others = conflict === null ? [] : [conflict];
  return { ...loaded, warnings: [...others, ...loaded.warnings, ...due, ...problems, ...hosts] };
}

const { stdin, stdout, stderr } = process;
process.exitCode = await runCli(process.argv.slice(2), offline, {
  stdin,
  stdout,
  stderr,
  isTty: stdout.isTTY,
  startedAs: process.argv[1] ?? '',
});
