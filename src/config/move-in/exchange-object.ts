/** An Exchange object whose properties are taken one by one, so that none is left without a word. */
import { findNearest } from '../nearest.ts';
import { show } from '../readers.ts';
import type { Draft } from './draft.ts';
import type { ExchangeObject, ExchangeProperty } from './exchange-source.ts';
import { isNumber, isTypeName, isUnset, readFlag, readText, readWord } from './exchange-values.ts';

/** What every Get- cmdlet prints about its own keeping; it says nothing about mail. */
const bookkeeping = new Set(
  [
    'AdminDisplayName',
    'DistinguishedName',
    'ExchangeObjectId',
    'ExchangeVersion',
    'Guid',
    'Id',
    'Identity',
    'ImmutableId',
    'IsValid',
    'ObjectCategory',
    'ObjectClass',
    'ObjectState',
    'OrganizationId',
    'OrganizationalUnitRoot',
    'OriginatingServer',
    'PSComputerName',
    'PSShowComputerName',
    'RunspaceId',
    'WhenChanged',
    'WhenChangedUTC',
    'WhenCreated',
    'WhenCreatedUTC',
  ].map((name) => name.toLowerCase()),
);

export const asWords =
  'a number of an enumeration, and what the numbers mean is documented nowhere: export the words, with ConvertTo-Json -EnumsAsStrings or as CSV';
export const lostInCsv =
  'CSV holds the type of the list and not what is in it: export with ConvertTo-Json';

export class ObjectReader {
  readonly #rest: Map<string, ExchangeProperty>;
  readonly #twice: ExchangeProperty[] = [];
  readonly #known = new Set<string>();
  readonly draft: Draft;

  constructor(object: ExchangeObject, draft: Draft) {
    this.draft = draft;
    this.#rest = new Map();
    for (const property of object.properties) {
      const key = property.property.toLowerCase();
      if (this.#rest.has(key)) this.#twice.push(property);
      else this.#rest.set(key, property);
    }
  }

  /** Null where the source has no such property. Whoever takes it says what becomes of it. */
  property(name: string): ExchangeProperty | null {
    this.#known.add(name);
    const found = this.#rest.get(name.toLowerCase()) ?? null;
    if (found !== null) this.#rest.delete(name.toLowerCase());
    return found;
  }

  /** The property where it is set; where it is empty, that is said. */
  given(name: string): ExchangeProperty | null {
    const found = this.property(name);
    if (found === null || !isUnset(found.value)) return found;
    this.draft.leave(found, 'not set');
    return null;
  }

  /**
   * A switch. Without the property `otherwise`; where it is no switch, null, and it is said: the
   * object goes off.
   */
  flag(name: string, otherwise: boolean): { spot: ExchangeProperty | null; value: boolean } {
    const spot = this.given(name);
    if (spot === null) return { spot, value: otherwise };
    const value = readFlag(spot.value);
    if (value !== null) return { spot, value };
    this.draft.turnOff(spot, `must be True or False, not ${show(spot.value)}`);
    return { spot: null, value: otherwise };
  }

  /** A switch that is taken as it is; false is the default here and there. */
  takeFlag(name: string, key: string): boolean {
    const { spot, value } = this.flag(name, false);
    if (spot !== null && value) this.draft.take(spot, key, true);
    else if (spot !== null) this.draft.leave(spot, `false, as where it is not written`);
    return value;
  }

  /** One of the words; null where it is none, and then it is said and the object is off. */
  word<const T extends string>(
    name: string,
    words: readonly T[],
  ): { readonly spot: ExchangeProperty; readonly value: T | null } | null {
    const spot = this.given(name);
    if (spot === null) return null;
    const value = readWord(spot.value, words);
    if (value === null) {
      const text = isNumber(spot.value)
        ? `${show(spot.value)} is ${asWords}`
        : `${show(spot.value)} is none of ${words.join(', ')}`;
      this.draft.turnOff(spot, text);
    }
    return { spot, value };
  }

  /** A note for people; nothing acts by it. */
  takeNote(name: string, key: string): void {
    const spot = this.given(name);
    if (spot === null) return;
    const text = readText(spot.value);
    if (text === null || isTypeName(text)) this.draft.miss(spot, 'is no text');
    else if (text.length <= 4096) this.draft.take(spot, key, text);
    else this.draft.change(spot, key, text.slice(0, 4096), 'cut to 4096 characters');
  }

  /** Set to anything but nothing or false, it cannot be had here; `why` says what to do. */
  refuse(names: readonly string[], why: string, isWeaker: boolean): void {
    for (const name of names) {
      const spot = this.given(name);
      if (spot === null) continue;
      if (readFlag(spot.value) === false) this.draft.leave(spot, 'false, as here');
      else if (isWeaker) this.draft.turnOff(spot, `${show(spot.value)}: ${why}`);
      else this.draft.miss(spot, `${show(spot.value)}: ${why}`);
    }
  }

  /**
   * Said of all that is left: bookkeeping, what is empty, and what nobody here knows. `describe`
   * says of the last why it cannot be had, and turns the object off; null: it may stay on.
   */
  finish(describe: ((spot: ExchangeProperty) => string) | null = describeUnknown): void {
    for (const spot of this.#twice) {
      this.draft.turnOff(spot, 'stands here twice; the first is taken');
    }
    for (const spot of this.#rest.values()) {
      const { property, value } = spot;
      if (bookkeeping.has(property.toLowerCase()) || property.startsWith('@odata')) {
        this.draft.leave(spot, "Exchange's own bookkeeping");
      } else if (isUnset(value) || readFlag(value) === false) {
        this.draft.leave(spot, 'not set');
      } else if (describe === null) this.draft.miss(spot, this.#nameNearest(spot));
      else this.draft.turnOff(spot, `${describe(spot)}${this.#hint(spot)}`);
    }
    this.#rest.clear();
  }

  #nameNearest(spot: ExchangeProperty): string {
    return `${describeUnknown(spot)}${this.#hint(spot)}`;
  }

  #hint({ property }: ExchangeProperty): string {
    const nearest = findNearest(property, this.#known);
    return nearest === null ? '' : ` (nearest: ${nearest})`;
  }
}

function describeUnknown({ value }: ExchangeProperty): string {
  return `${show(value)}: an unknown property; what it does is not done here`;
}
