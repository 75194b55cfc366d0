/** What was seen of the hosts of an attempt, in the words of a DSN: TLS, certificate, verdict. */
import { sanitizePeerText } from '../mail/peer-text.ts';
import type { CandidateRecord } from '../policy/delivery.ts';
import type { DsnRecipient } from './dsn-recipient.ts';

const candidatesShownMax = 6;
const namesShownMax = 3;

/** One paragraph per host, in the order in which they were tried; empty where none was. */
export function describeSeen({ candidates }: DsnRecipient): string[] {
  const shown = candidates.slice(0, candidatesShownMax).map(describeCandidate);
  const others = candidates.length - shown.length;
  return others > 0 ? [...shown, `and ${others} more hosts`] : shown;
}

function describeCandidate({
  hostName,
  address,
  port,
  verdict,
  evidence,
}: CandidateRecord): string {
  const where = `${hostName}${address === null ? '' : ` [${address}]`}, port ${port}`;
  const judged = verdict.kind === 'proceed' ? 'all that was required was met' : verdict.reason;
  const leaf = evidence?.tls?.chain[0];
  if (leaf === undefined) return sanitizePeerText(`${where}: ${judged}`);
  const names = leaf.dnsNames.length > 0 ? leaf.dnsNames : [leaf.commonName ?? 'no name'];
  const certificate =
    `certificate for ${names.slice(0, namesShownMax).join(', ')}, issued by ${leaf.issuer}, ` +
    `valid until ${leaf.notAfter.slice(0, 10)}`;
  return sanitizePeerText(`${where}: ${judged} (${certificate})`);
}

/** How mail that was passed on went, by the host that took it; null where that is not known. */
export function describeTravel({ candidates, outcome, clauses }: DsnRecipient): string | null {
  const { remoteMta } = outcome;
  const took = candidates.findLast(
    ({ verdict, hostName, address }) =>
      verdict.kind === 'proceed' &&
      hostName === remoteMta?.hostName &&
      address === remoteMta.address,
  );
  if (took === undefined) return null;
  const tls = took.evidence?.tls ?? null;
  if (took.evidence?.encryption === 'internal') return 'inside this gateway, over no network';
  if (tls === null) return 'in clear text, without encryption';
  const met = clauses.length === 0 ? '' : ', and all that was required of it was met';
  return `encrypted (${tls.protocol.replace('v', ' ')})${met}`;
}
