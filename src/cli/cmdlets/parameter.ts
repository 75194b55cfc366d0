/** What a parameter of a cmdlet is, and the usage error that a wrong one becomes. */
import { Failure } from '../../mail/failure.ts';
import type { RefusedParameter } from './refused-parameters.ts';

/**
 * `switch` may stand alone, `flag` needs true or false; `list` takes several values, `word-or-list`
 * one word or several values.
 */
export type ParameterTakes = 'switch' | 'flag' | 'text' | 'list' | 'word-or-list';

export interface Parameter {
  /** In Exchange's spelling, without the dash. */
  readonly name: string;
  readonly takes: ParameterTakes;
  /** Not in Exchange: gives way where a name is abbreviated. */
  readonly isOurs: boolean;
  readonly description: string;
  /** Shorter names that count as exact: `wi` for WhatIf. */
  readonly aliases?: readonly string[];
  readonly isRequired?: boolean;
  /** May be given without its name. */
  readonly isPositional?: boolean;
  /** The only legal words. */
  readonly words?: readonly string[];
  /** The key of the schema that it means. */
  readonly key?: string;
  /** Some of it is text that may hold commas. */
  readonly style?: 'plain' | 'words' | 'patterns';
}

/** The parameters of one cmdlet, the common ones too. */
export interface ParameterSet {
  readonly parameters: readonly Parameter[];
  readonly refused: readonly RefusedParameter[];
}

/** A wrong command line. */
export function usage(text: string): Failure {
  return new Failure('cmdlet-wrong', text);
}
