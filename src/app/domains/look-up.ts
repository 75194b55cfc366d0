/** One look into DNS: whether a domain's TXT records show that it belongs to its organization. */
import type { Resolver } from '../../dns/resolver.ts';
import { sanitizePeerText } from '../../mail/peer-text.ts';
import { findProof, verificationPrefix } from '../../policy/domain-proof.ts';

/** `no-answer`: DNS says nothing about the domain, for now. `text` is a sentence without a full stop. */
export interface Look {
  readonly at: string;
  readonly result: 'proven' | 'absent' | 'other-token' | 'no-such-domain' | 'no-answer';
  readonly text: string;
}

/** For a time when nobody can be asked. */
export function noAnswer(reason: string, nowMs: number): Look {
  const at = new Date(nowMs).toISOString();
  return { at, result: 'no-answer', text: `DNS: ${sanitizePeerText(reason)}` };
}

/** Never rejects. */
export async function lookForProof(
  resolver: Resolver,
  question: { readonly domain: string; readonly token: string; readonly nowMs: number },
): Promise<Look> {
  const { domain, token, nowMs } = question;
  const at = new Date(nowMs).toISOString();
  const answer = await resolver.resolveTxt(domain);
  switch (answer.kind) {
    case 'failed':
      return noAnswer(answer.reason, nowMs);
    case 'no-such-domain':
      return { at, result: 'no-such-domain', text: `DNS says that ${domain} does not exist` };
    case 'no-data':
      return { at, result: 'absent', text: `${domain} has no TXT record` };
    case 'found': {
      const result = findProof(answer.records, token);
      return { at, result, text: wordsOf(result, domain, answer.records.length) };
    }
  }
}

function wordsOf(result: 'proven' | 'other-token' | 'absent', domain: string, count: number) {
  switch (result) {
    case 'proven':
      return `${domain} has the record`;
    case 'other-token':
      return `${domain} has a record ${verificationPrefix}… with another token: of another organization, domain or gateway`;
    case 'absent':
      return `none of the ${count} TXT records of ${domain} begins with ${verificationPrefix}`;
  }
}
