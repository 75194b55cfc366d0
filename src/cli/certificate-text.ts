/** One file of certificates for people. */
import { sanitizePeerText } from '../mail/peer-text.ts';
import type { CertificateFacts } from '../policy/evidence.ts';
import { presentedNames } from '../policy/name-match.ts';
import type { CertificateView } from './offline-certificates.ts';

const namesMax = 8;
const dayMs = 86_400_000;
const soonDays = 30;

export function formatCertificate(view: CertificateView, nowMs: number): string {
  const { name, file, problem, certificates, usedBy } = view;
  const lines = [[name, file].filter((part) => part !== null).join(': ')];
  if (problem !== null) lines.push(`  UNUSABLE: ${problem}`);
  for (const [place, certificate] of certificates.entries()) {
    const number = certificates.length === 1 ? '' : ` ${place + 1} of ${certificates.length}`;
    lines.push(`  certificate${number}: ${certificate.subject}`);
    lines.push(...formatFacts(certificate, nowMs).map((line) => `    ${line}`));
  }
  if (problem === null) lines.push(...formatWhole(view));
  if (name !== null) lines.push(`  used by  ${usedBy.join(', ') || 'nobody'}`);
  return lines.map((line) => `${sanitizePeerText(line)}\n`).join('');
}

/** What one certificate says of itself, one line each. `keyType` as in `ECDSA P-256`. */
export function formatFacts(
  facts: CertificateFacts & { readonly keyType: string },
  nowMs: number,
): string[] {
  return [
    `issuer  ${facts.issuer}${facts.isSelfSigned ? ' (itself)' : ''}`,
    ...namesLine(facts),
    `valid   ${facts.notAfter === '' ? 'unreadable' : formatDates(facts, nowMs)}`,
    `key     ${facts.keyType}`,
    `pin     ${facts.spki256}`,
  ];
}

function namesLine(facts: CertificateFacts): string[] {
  const names = presentedNames(facts);
  if (names.length === 0) return [];
  const more = names.length > namesMax ? ` and ${names.length - namesMax} more` : '';
  return [`names   ${names.slice(0, namesMax).join(', ')}${more}`];
}

function formatDates({ notBefore, notAfter }: CertificateFacts, nowMs: number): string {
  const span = `${notBefore.slice(0, 10)} to ${notAfter.slice(0, 10)}`;
  if (nowMs < Date.parse(notBefore)) return `${span} (NOT VALID YET)`;
  const days = Math.floor((Date.parse(notAfter) - nowMs) / dayMs);
  if (days < 0) return `${span} (EXPIRED ${-days} days ago)`;
  return `${span} (${days} days left${days < soonDays ? ': RENEW IT' : ''})`;
}

function formatWhole({ keyFits, trustedBy, trustDetail }: CertificateView): string[] {
  const key =
    keyFits === null ? [] : [`  key      ${keyFits ? 'fits the certificate' : 'DOES NOT FIT'}`];
  const trust =
    trustedBy === null
      ? `no known root: ${trustDetail}; only who trusts its CA will accept it`
      : `leads to a known root (${trustedBy})`;
  return [...key, `  chain    ${trust}`];
}
