/**
 * What was considered of the rules for one message: plain JSON for the decision record.
 *
 * Rules that did not fit are kept by the condition that failed, so that hundreds of them stay short.
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

/** `skipped`: disabled, not yet active, expired. `notMatched`: names by what did not hold. */
export interface RulesRecord {
  readonly formatVersion: 1;
  readonly met: readonly MetRule[];
  readonly notMatched: Readonly<Record<string, readonly string[]>>;
  readonly skipped: Readonly<Record<string, readonly string[]>>;
  /** Recipients whose copy a rule deleted; at most 50 are named. */
  readonly deleted: readonly { readonly rule: string; readonly recipients: readonly string[] }[];
}

const namesMax = 50;

/** The first fifty. */
export function boundNames(names: readonly string[]): readonly string[] {
  if (names.length <= namesMax) return names;
  return [...names.slice(0, namesMax), `and ${names.length - namesMax} more`];
}

/** Collects a record while the rules are gone through. */
export class RecordWriter {
  readonly #met: MetRule[] = [];
  readonly #notMatched: Record<string, string[]> = {};
  readonly #skipped: Record<string, string[]> = {};
  readonly #deleted: { rule: string; recipients: readonly string[] }[] = [];

  meet(met: MetRule): void {
    this.#met.push(met);
  }

  miss(rule: string, why: string): void {
    (this.#notMatched[why] ??= []).push(rule);
  }

  skip(rule: string, why: string): void {
    (this.#skipped[why] ??= []).push(rule);
  }

  remove(rule: string, recipients: readonly string[]): void {
    this.#deleted.push({ rule, recipients: boundNames(recipients) });
  }

  finish(): RulesRecord {
    return {
      formatVersion: 1,
      met: this.#met,
      notMatched: this.#notMatched,
      skipped: this.#skipped,
      deleted: this.#deleted,
    };
  }
}
