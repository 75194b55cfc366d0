/**
 * What was considered of the rules for one message: plain JSON for the decision record.
 *
 * Rules that an index left out are a number and not names, so that hundreds of them cost nothing and
 * most messages have equal records; `postern explain` names them.
 */
import type { RuleMode } from './rule.ts';

/** A rule that met some of the message's recipients, or of which nobody can say whether it did. */
export interface MetRule {
  readonly rule: string;
  readonly mode: RuleMode;
  /** `unknown` where the bounds of examination decided; `why` says which and how. */
  readonly result: 'matched' | 'unknown';
  readonly why: string | null;
  /** Null for all; at most 50 are named. */
  readonly recipients: readonly string[] | null;
  /** In Exchange's words; with `Audit` they were not done. */
  readonly actions: readonly string[];
}

/**
 * `skipped`: disabled, not yet active, expired; ten names of each. `notMatched`: names by what did
 * not hold, of rules that were looked at.
 */
export interface RulesRecord {
  readonly formatVersion: 1;
  readonly met: readonly MetRule[];
  readonly notMatched: Readonly<Record<string, readonly string[]>>;
  /** How many ask for something in envelope or header that this message does not have. */
  readonly notConcerned: number;
  readonly skipped: Readonly<Record<string, readonly string[]>>;
  /** Recipients whose copy a rule deleted; at most 50 are named. */
  readonly deleted: readonly { readonly rule: string; readonly recipients: readonly string[] }[];
}

const namesMax = 50;

/** The first fifty, or `max`. */
export function boundNames(names: readonly string[], max = namesMax): readonly string[] {
  if (names.length <= max) return names;
  return [...names.slice(0, max), `and ${names.length - max} more`];
}

/** Collects a record while the rules are gone through. */
export class RecordWriter {
  readonly #met: MetRule[] = [];
  readonly #notMatched: Record<string, string[]> = {};
  readonly #deleted: { rule: string; recipients: readonly string[] }[] = [];
  readonly #passedOver: Pick<RulesRecord, 'notConcerned' | 'skipped'>;

  constructor(passedOver: Pick<RulesRecord, 'notConcerned' | 'skipped'>) {
    this.#passedOver = passedOver;
  }

  meet(met: MetRule): void {
    this.#met.push(met);
  }

  miss(rule: string, why: string): void {
    (this.#notMatched[why] ??= []).push(rule);
  }

  remove(rule: string, recipients: readonly string[]): void {
    this.#deleted.push({ rule, recipients: boundNames(recipients) });
  }

  finish(): RulesRecord {
    return {
      formatVersion: 1,
      met: this.#met,
      notMatched: this.#notMatched,
      notConcerned: this.#passedOver.notConcerned,
      skipped: this.#passedOver.skipped,
      deleted: this.#deleted,
    };
  }
}
