/** The audit log as the API shows it. */
import type {
  AuditChain,
  AuditEntryView,
  AuditPage,
  AuditQuery,
} from '../../api/contract/audit.ts';
import type { ChainQuery } from '../../api/contract/audit.ts';
import type { AuditLink } from '../../report/audit-chain.ts';
import type { AuditLog, AuditMatch } from '../../store/control/audit.ts';

/** `organizations`: what the reader may see; null: everything. */
export function searchAudit(
  log: AuditLog,
  query: AuditQuery,
  organizations: readonly string[] | null,
): AuditPage {
  const links = log.search(toMatch(query, organizations), {
    before: query.before ?? null,
    limit: query.limit,
  });
  const last = links.at(-1);
  return {
    formatVersion: 1,
    entries: links.map(describe),
    next: last === undefined || links.length < query.limit ? null : last.number,
  };
}

export function readAuditChain(log: AuditLog, { after, limit }: ChainQuery): AuditChain {
  const links = log.read(after, limit);
  const last = links.at(-1);
  return {
    links: links.map(({ number, hash, json }) => ({ number, hash, json })),
    next: last === undefined || links.length < limit ? null : last.number,
  };
}

function toMatch(query: AuditQuery, mine: readonly string[] | null): AuditMatch {
  const { since, until, action, person, organization, kind, name } = query;
  const asked =
    organization === undefined
      ? mine
      : [organization].filter((each) => mine === null || mine.includes(each));
  return {
    ...(since === undefined ? {} : { since }),
    ...(until === undefined ? {} : { until }),
    ...(action === undefined ? {} : { action }),
    ...(person === undefined ? {} : { person }),
    ...(asked === null ? {} : { organizations: asked }),
    ...(kind === undefined ? {} : { objectKind: kind }),
    ...(name === undefined ? {} : { objectName: name }),
  };
}

/** What is written is of this format version, or a later one that adds fields. */
function describe({ json, hash }: AuditLink): AuditEntryView {
  return { ...(JSON.parse(json) as AuditEntryView), hash };
}
