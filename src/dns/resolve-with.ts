/**
 * Makes a Resolver of a function that asks one question: canonical names, special names, and A and
 * AAAA joined. The real resolver and the fake share it, so that they differ only in who answers.
 */
import { parseDomain } from '../mail/domain.ts';
import { failAnswer, ttlSecondsMax } from './question.ts';
import type { AnswerTo, Ask, QuestionType } from './question.ts';
import type { DnsAnswer, HostAddress, Resolver } from './resolver.ts';
import { answerLocalhost, parseAddressName } from './special-names.ts';

export function resolveWith(ask: Ask): Resolver {
  const resolve = async <T extends QuestionType>(type: T, text: string): Promise<AnswerTo<T>> => {
    const name = parseDomain(text);
    if (name !== null) return answerLocalhost(type, name) ?? ask(type, name);
    if (parseAddressName(text) !== null) return { kind: 'no-data', isAuthentic: false };
    const question = { type, name: JSON.stringify(text.slice(0, 64)) };
    return failAnswer(question, 'bad-name', 'this is no domain name');
  };
  const resolveAddresses = async (host: string): Promise<DnsAnswer<readonly HostAddress[]>> => {
    const literal = parseAddressName(host);
    if (literal !== null) {
      return { kind: 'found', records: [literal], isAuthentic: false, ttlSeconds: ttlSecondsMax };
    }
    const [six, four] = await Promise.all([resolve('AAAA', host), resolve('A', host)]);
    return joinFamilies(six, four);
  };
  return {
    resolveMx: (domain) => resolve('MX', domain),
    resolveAddresses,
    resolveTxt: (name) => resolve('TXT', name),
    resolveTlsa: (name) => resolve('TLSA', name),
  };
}

/**
 * One answer of two. Addresses of one family are enough; a failure hides "no data" of the other,
 * since addresses might be behind it; a domain that does not exist does so for every type.
 */
export function joinFamilies(
  six: AnswerTo<'AAAA'>,
  four: AnswerTo<'A'>,
): DnsAnswer<readonly HostAddress[]> {
  const answered = [six, four].filter((answer) => answer.kind !== 'failed');
  const isAuthentic = answered.every((answer) => answer.isAuthentic);
  const found = answered.filter((answer) => answer.kind === 'found');
  if (found.length > 0) {
    const records = [...addressesOf(six, 6), ...addressesOf(four, 4)];
    const ttlSeconds = Math.min(...found.map((answer) => answer.ttlSeconds));
    return { kind: 'found', records, isAuthentic, ttlSeconds };
  }
  if (answered.some((answer) => answer.kind === 'no-such-domain')) {
    const isNoDataToo = answered.some((answer) => answer.kind === 'no-data');
    return { kind: isNoDataToo ? 'no-data' : 'no-such-domain', isAuthentic };
  }
  if (four.kind === 'failed') return four;
  return six.kind === 'failed' ? six : { kind: 'no-data', isAuthentic };
}

function addressesOf(answer: DnsAnswer<readonly string[]>, family: 4 | 6): readonly HostAddress[] {
  if (answer.kind !== 'found') return [];
  return Array.from(new Set(answer.records), (address) => ({ address, family }));
}
