/** What `backup`, `verify` and `restore` ask of `app`; they need no running gateway. */

export interface BackupQuestion {
  /** Absolute. */
  readonly target: string;
  /** Null: none was found; then only the data folder is known. */
  readonly configFile: string | null;
  /** Null: as the configuration says. */
  readonly dataFolder: string | null;
  readonly hasMailboxes: boolean;
  readonly hasConfiguration: boolean;
}

/** What a backup says of itself. Times are RFC 3339. */
export interface BackupSummary {
  readonly programVersion: string;
  readonly storeVersion: number;
  readonly takenAt: string;
  readonly completedAt: string;
  readonly dataFolder: string;
  readonly policyRevision: string | null;
  readonly hasMailboxes: boolean;
  /** `file` is where it was, `path` where it lies in the backup. */
  readonly configuration: {
    readonly file: string;
    readonly path: string;
    readonly files: readonly { readonly file: string; readonly path: string }[];
  } | null;
  readonly shards: readonly ShardSummary[];
  /** What was damaged in the store already. */
  readonly damaged: readonly { readonly text: string }[];
  readonly files: { readonly entries: number; readonly bytes: number };
}

export interface ShardSummary {
  readonly shard: number;
  readonly storeVersion: number;
  readonly messages: number;
  readonly deliveries: number;
  readonly traces: number;
  readonly spoolFiles: number;
}

/** `isKnown`: the backup says of itself that the store was damaged there already. */
export interface Fault {
  readonly text: string;
  readonly isKnown: boolean;
}

export interface RestoreQuestion {
  readonly backup: string;
  readonly to: string;
  readonly mayReplace: boolean;
}

export interface RestoreReport {
  readonly folder: string;
  readonly backup: string;
  readonly movedTo: string | null;
  readonly hasKeptMailboxes: boolean;
  readonly configFile: string | null;
  readonly manifest: BackupSummary;
}

type OnProgress = (text: string) => void;

/** All may throw a Failure. */
export interface OfflineBackup {
  take(
    question: BackupQuestion,
    onProgress: OnProgress,
  ): Promise<{ readonly folder: string; readonly manifest: BackupSummary }>;
  verify(
    folder: string,
    onProgress: OnProgress,
  ): Promise<{ readonly manifest: BackupSummary; readonly faults: readonly Fault[] }>;
  verifyData(
    dataFolder: string,
    onProgress: OnProgress,
  ): Promise<{ readonly shards: readonly ShardSummary[]; readonly faults: readonly Fault[] }>;
  /** Throws what a restore would refuse before it writes anything. */
  prepareRestore(question: RestoreQuestion): Promise<BackupSummary>;
  restore(question: RestoreQuestion, onProgress: OnProgress): Promise<RestoreReport>;
}
