/**
 * What a message says about a question: records, nothing, or an alias to ask about next. Pure.
 *
 * @see RFC 1034 §3.6.2, RFC 2308 §2
 */
import { parseDomain } from '../mail/domain.ts';
import type { DnsMessage, ResourceRecord } from './message.ts';
import { responseCodes } from './message.ts';
import type { Question, QuestionType, RecordOf } from './question.ts';
import { aliasHopsMax, ttlSecondsMin } from './question.ts';

/**
 * `hops` is the number of aliases in the message's chain, `ttlSeconds` the smallest on the way,
 * not yet clamped. `alias`: the chain leaves the message at `target`.
 */
export type Interpretation<T extends QuestionType> =
  | {
      readonly kind: 'found';
      readonly records: readonly RecordOf[T][];
      readonly ttlSeconds: number;
      readonly hops: number;
    }
  | {
      readonly kind: 'no-data' | 'no-such-domain';
      readonly ttlSeconds: number;
      readonly hops: number;
    }
  | {
      readonly kind: 'alias';
      readonly target: string;
      readonly ttlSeconds: number;
      readonly hops: number;
    }
  | { readonly kind: 'failed'; readonly code: 'malformed' | 'alias-loop'; readonly detail: string };

/** Only for messages whose response code is no error or no such domain. */
export function interpret<T extends QuestionType>(
  message: DnsMessage,
  question: Question & { readonly type: T },
): Interpretation<T> {
  let owner = question.name;
  let ttl = Infinity;
  for (let hops = 0; hops <= aliasHopsMax; hops++) {
    const records = message.answers.filter((record) => record.owner === owner);
    const matching = records.filter((record) => isOfType(record, question.type));
    if (matching.length > 0) {
      const ttlSeconds = Math.min(ttl, ...matching.map((record) => record.ttlSeconds));
      return { kind: 'found', records: matching.map((r) => r.data), ttlSeconds, hops };
    }
    const alias = records.find((record) => record.type === 'CNAME');
    if (alias === undefined) return interpretEnd(message, { target: owner, ttl, hops });
    const target = parseDomain(alias.data);
    if (target === null) {
      const detail = `the alias ${alias.data || '.'} is no domain name`;
      return { kind: 'failed', code: 'malformed', detail };
    }
    owner = target;
    ttl = Math.min(ttl, alias.ttlSeconds);
  }
  return { kind: 'failed', code: 'alias-loop', detail: `more than ${aliasHopsMax} aliases` };
}

/** The chain ended without records: a denial, or (without SOA) an alias left to the asker. */
function interpretEnd(
  message: DnsMessage,
  { target, ttl, hops }: { target: string; ttl: number; hops: number },
): Interpretation<never> {
  const soa = message.authorities.find((record) => record.type === 'SOA');
  const negativeTtl = soa === undefined ? ttlSecondsMin : soa.data;
  const ttlSeconds = Math.min(ttl, negativeTtl);
  // The code speaks of the last name in the chain. @see RFC 6604 §2
  if (message.responseCode === responseCodes.nxDomain) {
    return { kind: 'no-such-domain', ttlSeconds, hops };
  }
  if (hops > 0 && soa === undefined) return { kind: 'alias', target, ttlSeconds: ttl, hops };
  return { kind: 'no-data', ttlSeconds, hops };
}

function isOfType<T extends QuestionType>(
  record: ResourceRecord,
  type: T,
): record is ResourceRecord & { readonly data: RecordOf[T] } {
  return record.type === (type as string);
}
