/** The questions that Postern asks, by record type, and the typed record of each. */
import type { DnsAnswer, DnsFailure, DnsFailureCode, MxRecord, TlsaRecord } from './resolver.ts';

export type QuestionType = 'A' | 'AAAA' | 'MX' | 'TXT' | 'TLSA';

/** What one record of each type is; addresses as canonical text. */
export interface RecordOf {
  readonly A: string;
  readonly AAAA: string;
  readonly MX: MxRecord;
  readonly TXT: string;
  readonly TLSA: TlsaRecord;
}

/** `name` in canonical form. */
export interface Question {
  readonly type: QuestionType;
  readonly name: string;
}

/** The answer to one question of one type. */
export type AnswerTo<T extends QuestionType> = DnsAnswer<readonly RecordOf[T][]>;

/** Asks one question for a canonical name that is no special name. Never rejects. */
export type Ask = <T extends QuestionType>(type: T, name: string) => Promise<AnswerTo<T>>;

/** Aliases that are followed from a name before the answer counts as a loop. */
export const aliasHopsMax = 8;

/** Bounds of a life in the cache and of `ttlSeconds`, in seconds. */
export const ttlSecondsMin = 5;
export const ttlSecondsMax = 3600;

export function clampTtl(seconds: number): number {
  return Math.min(Math.max(Math.ceil(seconds), ttlSecondsMin), ttlSecondsMax);
}

/** A failed answer whose reason names the question. */
export function failAnswer(question: Question, code: DnsFailureCode, detail: string): DnsFailure {
  return { kind: 'failed', code, reason: `${question.type} of ${question.name}: ${detail}` };
}
