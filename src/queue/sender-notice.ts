/** What a sender is told: the DSN, and all that is stored in one commit with what it tells of. */
import type { IncomingMessage } from '../policy/delivery.ts';
import { actionOf } from '../report/dsn-recipient.ts';
import type { Recorded } from '../report/trace.ts';
import type { Claim } from './claim.ts';
import type { Claims } from './claims.ts';
import type { Report } from './prepare-dsn.ts';
import { prepareDsn } from './prepare-dsn.ts';
import type { QueueIds } from './queue-ids.ts';
import type { QueueServices } from './queue-services.ts';
import type { Acceptance } from './settlement.ts';
import { prepareAcceptance } from './settlement.ts';

/** Its deliveries are claimed until the commit. */
export interface SenderNotice {
  readonly dsn: IncomingMessage;
  readonly report: Report;
  readonly acceptance: Acceptance;
  readonly recorded: readonly Recorded[];
  readonly claims: readonly Claim[];
}

/** Null where nobody is to be told. */
export async function prepareNotice(
  services: QueueServices,
  ids: QueueIds,
  claims: Claims,
  report: Report,
): Promise<SenderNotice | null> {
  const dsn = await prepareDsn(services, () => ids.newId(), report);
  if (dsn === null) return null;
  const acceptance = prepareAcceptance(services, dsn, ids.keyOf(dsn.id));
  const recorded = [
    services.recorder.recordDsn(report.id, dsn, report.recipients),
    acceptance.recorded,
  ];
  return { dsn, report, acceptance, recorded, claims: claims.claimAll(acceptance.deliveries) };
}

/** After the commit. */
export function logNotice({ log, meter }: QueueServices, { dsn, report }: SenderNotice): void {
  const action = actionOf(report.recipients);
  const fields = { about: report.id, action, recipients: report.recipients.length };
  log.info({ queueId: dsn.id, ...fields }, 'dsn written');
  meter.count('dsnsWritten', { action });
}
