/** `backup`, `verify` and `restore` for the command line. */
import { createApiClient } from '../../api/client.ts';
import type { BackupQuestion, OfflineBackup } from '../../cli/offline-backup.ts';
import type { Config } from '../../config/config.ts';
import { loadInForce } from '../policy/load-file.ts';
import { formatProblem } from '../../config/problem.ts';
import { Failure } from '../../mail/failure.ts';
import { foldersOf } from '../data-folder.ts';
import { prepareRestore, restoreBackup } from './restore-backup.ts';
import { takeBackup } from './take-backup.ts';
import { verifyBackup } from './verify-backup.ts';
import { verifyData } from './verify-data.ts';
import { yieldToMail } from './yield-to-mail.ts';

export const offlineBackup: OfflineBackup = {
  take: async (question, onProgress) => {
    const { config, dataFolder, policyRevision } = await findGateway(question);
    await yieldToMail();
    return takeBackup({
      dataFolder,
      target: question.target,
      reason: 'asked',
      config: question.hasConfiguration ? config : null,
      policyRevision: (await revisionInForce(dataFolder)) ?? policyRevision,
      hasMailboxes: question.hasMailboxes,
      keptFreeBytes: config?.limits.freeDiskBytes ?? 0,
      mayLink: false,
      isVerified: false,
      onProgress,
    });
  },
  verify: verifyBackup,
  verifyData,
  prepareRestore: (question) => prepareRestore({ ...question, onProgress: () => undefined }),
  restore: (question, onProgress) => restoreBackup({ ...question, onProgress }),
};

interface Found {
  readonly config: Config | null;
  readonly dataFolder: string;
  readonly policyRevision: string | null;
}

/** A configuration that cannot be read is no reason to have no backup, where it is not to be in it. */
async function findGateway(question: BackupQuestion): Promise<Found> {
  const { configFile, dataFolder, hasConfiguration } = question;
  const loaded = configFile === null ? null : await loadInForce(configFile);
  if (loaded?.kind === 'loaded') {
    const config = { ...loaded.config, dataFolder: dataFolder ?? loaded.config.dataFolder };
    return { config, dataFolder: config.dataFolder, policyRevision: loaded.policy.revision };
  }
  if (dataFolder !== null && (loaded === null || !hasConfiguration)) {
    return { config: null, dataFolder, policyRevision: null };
  }
  if (loaded !== null) {
    throw new Failure('config-refused', loaded.problems.map(formatProblem).join('\n'));
  }
  const text = 'there is no configuration that says where the data folder is';
  throw new Failure('data-folder-missing', text);
}

/** Of the gateway that runs on the data folder; null where none answers. */
async function revisionInForce(dataFolder: string): Promise<string | null> {
  try {
    const client = createApiClient({ socketPath: foldersOf(dataFolder).socket });
    return (await client.status()).policyRevision;
  } catch (error) {
    // It does not run, or is of another version: the file's own revision is as good as we know.
    if (error instanceof Failure) return null;
    throw error;
  }
}
