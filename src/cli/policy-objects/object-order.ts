/** What a command line asks for, in whichever spelling: the one thing that both spellings make. */
import type { PolicyKindName } from './policy-kind.ts';

/**
 * What is to become of one field. `edit` is for lists: what is added and taken away.
 * `unset` takes the key away, so that its default acts.
 */
export type FieldChange =
  | { readonly kind: 'set'; readonly value: boolean | string | readonly string[] }
  | { readonly kind: 'edit'; readonly add: readonly string[]; readonly remove: readonly string[] }
  | { readonly kind: 'unset' };

/** By the keys of the schema. */
export type FieldChanges = ReadonlyMap<string, FieldChange>;

interface ChangeOrder {
  readonly kind: PolicyKindName;
  /** Null where it was not said: then there must be one only. */
  readonly organization: string | null;
  readonly dryRun: boolean;
  readonly reason: string | null;
  /** Ask before anything is changed. */
  readonly mustConfirm: boolean;
}

/** `position` counts from 0 and is for rules. */
export interface CreateOrder extends ChangeOrder {
  readonly action: 'create';
  readonly fields: FieldChanges;
  readonly position: number | null;
}

/** `identity` is a name in any case, or the id that `show` prints. */
export interface SetOrder extends ChangeOrder {
  readonly action: 'set';
  readonly identity: string;
  readonly fields: FieldChanges;
  readonly position: number | null;
}

export interface RemoveOrder extends ChangeOrder {
  readonly action: 'remove';
  readonly identity: string;
}

export type ObjectOrder = CreateOrder | SetOrder | RemoveOrder;

/** Which objects are looked at; all of the kind where `identity` is null. */
export interface LookOrder {
  readonly kind: PolicyKindName;
  /** Null: of all organizations. */
  readonly organization: string | null;
  readonly identity: string | null;
}
