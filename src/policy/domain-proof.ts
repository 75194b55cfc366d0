/**
 * Whose a domain is, shown by a TXT record at the domain itself. Pure.
 *
 * Mail for a domain is taken once its owner has published the text that belongs to the domain and to the
 * organization which claims it: whoever shares a gateway with others cannot take mail that is not its.
 */
import { isUnderDomain } from '../mail/domain.ts';

/** What the text of the record begins with; the token follows. */
export const verificationPrefix = 'postern-domain-verification=';

/** Names that public DNS never has, so that nobody could publish anything there. @see RFC 6761 §6 */
const specialUseNames: readonly string[] = [
  'test',
  'example',
  'invalid',
  'localhost',
  'local',
  'internal',
  'onion',
  'alt',
  'home.arpa',
];

/** Whether anybody but us could have mail for the domain; `domain` in canonical form. */
export function needsProof(domain: string): boolean {
  if (!domain.includes('.')) return false;
  return !specialUseNames.some((name) => isUnderDomain(domain, name));
}

/** `other-token`: a record of this kind, made for another organization, domain or gateway. */
export type ProofFound = 'proven' | 'other-token' | 'absent';

/** `texts` are the TXT records of the domain, each with its strings joined. */
export function findProof(texts: readonly string[], token: string): ProofFound {
  const tokens = texts
    .map((text) => text.trim())
    .filter((text) => text.startsWith(verificationPrefix))
    .map((text) => text.slice(verificationPrefix.length));
  if (tokens.includes(token)) return 'proven';
  return tokens.length > 0 ? 'other-token' : 'absent';
}
