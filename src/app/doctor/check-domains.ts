/** Checks of accepted domains: for which of them mail is put off until it is proven whose they are. */
import type { Finding } from '../../cli/offline-doctor.ts';
import type { Configuration } from '../configuration.ts';
import { claimsOf } from '../domains/claims.ts';
import type { ProvenBook } from '../domains/proven-book.ts';
import { tell } from './finding.ts';

const findingsMax = 50;

/** `policy` with what the book proves. */
export function checkDomains({
  config,
  policy,
  book,
}: Pick<Configuration, 'config' | 'policy'> & { readonly book: ProvenBook }): readonly Finding[] {
  const claims = claimsOf({ config, policy });
  const asked = claims.filter(({ needsProof }) => needsProof);
  const broken =
    book.problem === null || asked.length === 0
      ? []
      : [
          tell('domain', config.dataFolder).fail(
            `${book.problem}: nothing is proven by it`,
            'leave it: the gateway looks every domain up again and writes a new file',
          ),
        ];
  const findings = claims.map(({ accepted, organization, needsProof }) => {
    const say = tell('domain', accepted.domain);
    if (!needsProof) return say.ok(`it belongs to ${organization}; no proof is asked for`);
    if (accepted.isProven) return say.ok(`it is proven to belong to ${organization}`);
    const text = `it is not proven to belong to ${organization}: mail for it is put off (450)`;
    const mend =
      'publish the TXT record that postern domain list shows, or set domainVerification: off where all organizations are yours';
    return say.fail(text, mend);
  });
  const bad = findings.filter(({ level }) => level === 'fail');
  const good = findings.filter(({ level }) => level !== 'fail');
  return [...broken, ...[...bad, ...good].slice(0, findingsMax)];
}
