/**
 * What the command line is handed by `app`: the commands that work without a running gateway, and
 * what only other rooms know.
 */
import type { ExplainAnswer, ExplainQuestion, TraceView } from '../api/contract.ts';
import type { LoadResult } from '../config/load.ts';
import type { FailureTable } from '../mail/failure.ts';
import type { Policy } from '../policy/policy.ts';
import type { CertificateCommands } from './offline-certificates.ts';
import type { Examine } from './offline-doctor.ts';
import type { OfflineAudit } from './offline-audit.ts';
import type { OfflineBackup } from './offline-backup.ts';
import type { OfflineRecords } from './offline-records.ts';
import type { ProbeTls } from './offline-probe.ts';

/** `configFile` null: the embedded default. `dataFolder` null: as the configuration says. */
export interface ServeOptions {
  readonly configFile: string | null;
  readonly dataFolder: string | null;
}

/** `print` writes to standard output. `isStaying`: run until SIGTERM or SIGINT afterwards. */
export interface DemoOptions {
  readonly isStaying: boolean;
  readonly isJson: boolean;
  /** Columns of the terminal; null is unlimited. */
  readonly width: number | null;
  print(text: string): Promise<void>;
}

export interface OfflineCommands {
  readonly version: string;
  /** How people start the program, for commands that are shown to be copied: `postern`. */
  readonly commandName: string;
  /** The tables of all rooms: exit code and what to do for failures of `serve` and the others. */
  readonly failures: FailureTable;
  /** Runs until it is told to stop; the exit code. May throw a Failure. */
  serve(options: ServeOptions): Promise<number>;
  /** A gateway with fake partners, what became of mail to and from each; the exit code. */
  demo(options: DemoOptions): Promise<number>;
  /** What a start on the file would put in force: with the policy that is kept in the data folder. */
  loadInForce(file: string): Promise<LoadResult>;
  /** What the file means: its own policy where it says one, else the one that is kept. */
  loadCandidate(file: string): Promise<LoadResult>;
  /**
   * Whether the organizations of a gateway are what stands in its file, so that who changes them edits
   * it: nothing was changed otherwise since it was read, or nothing was ever kept. `dataFolder` null:
   * as the file says. What cannot be read counts as the file's.
   */
  isPolicyOfFile(file: string, dataFolder: string | null): Promise<boolean>;
  /** As `loadCandidate`, and besides whether the files that it names are there and fit. */
  checkConfig(file: string): Promise<LoadResult>;
  /** The same decisions as the running gateway's, on another policy; what was proven of domains is in the data folder. */
  explain(policy: Policy, question: ExplainQuestion, dataFolder: string): Promise<ExplainAnswer>;
  /** What a server's TLS is worth, by the path that mail takes. */
  readonly probeTls: ProbeTls;
  readonly certificates: CertificateCommands;
  readonly examine: Examine;
  readonly backups: OfflineBackup;
  readonly records: OfflineRecords;
  readonly audit: OfflineAudit;
  /** A new hash in PHC form, and a new random password. */
  readonly passwords: {
    readonly hash: (password: string) => Promise<string>;
    readonly generate: () => string;
  };
  formatTrace(view: TraceView): string;
}
