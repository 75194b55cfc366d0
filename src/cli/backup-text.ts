/** Backups in words. */
import { sanitizePeerText } from '../mail/peer-text.ts';
import type { BackupSummary, Fault, ShardSummary } from './offline-backup.ts';

/** Lines of a list, each with two spaces in front. */
export function describeContents(summary: BackupSummary): string[] {
  const { configuration, files } = summary;
  const named = configuration?.files.length ?? 0;
  return [
    `  taken at       ${summary.takenAt}, by Postern ${summary.programVersion}, store version ${summary.storeVersion}`,
    `  queue          ${describeQueue(summary.shards)}`,
    `  mailboxes      ${summary.hasMailboxes ? 'included' : 'not included'}`,
    `  configuration  ${configuration === null ? 'not included' : `${configuration.file}, and ${count(named, 'file')} that it names`}`,
    `  size           ${formatBytes(files.bytes)} in ${files.entries} files and folders`,
  ];
}

export function describeQueue(shards: readonly ShardSummary[]): string {
  const sum = (of: (shard: ShardSummary) => number): number =>
    shards.reduce((total, shard) => total + of(shard), 0);
  const messages = count(
    sum((each) => each.messages),
    'message',
  );
  const large = sum((each) => each.spoolFiles);
  const deliveries = count(
    sum((each) => each.deliveries),
    'delivery',
    'deliveries',
  );
  const traces = count(
    sum((each) => each.traces),
    'trace record',
  );
  return `${messages} (${large} large) in ${deliveries}; ${traces}`;
}

export function describeFaults(faults: readonly Fault[]): string {
  const line = ({ text, isKnown }: Fault): string =>
    `  ${sanitizePeerText(text)}${isKnown ? ' (damaged already when the backup was taken)' : ''}\n`;
  return faults.map(line).join('');
}

/** What a restore does to mail, for whoever has to decide on it. */
export function describeLoss({ takenAt }: Pick<BackupSummary, 'takenAt'>): string {
  return [
    `The backup was taken at ${takenAt}.`,
    'Mail accepted after that and still in the queue is not in it: it is lost to the restored gateway.',
    'Mail of the backup that was delivered after that is delivered again.',
  ].join('\n');
}

export function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}

export function formatBytes(bytes: number): string {
  const units = ['bytes', 'KB', 'MB', 'GB', 'TB'];
  let [value, unit] = [bytes, 0];
  for (; value >= 1000 && unit < units.length - 1; unit += 1) value /= 1000;
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]!}`;
}
