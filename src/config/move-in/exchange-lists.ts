/** Lists of an Exchange object, entry by entry through the reader of the key that takes them. */
import type { Reader } from '../field.ts';
import { show } from '../readers.ts';
import type { Draft } from './draft.ts';
import { lostInCsv } from './exchange-object.ts';
import type { ExchangeProperty } from './exchange-source.ts';
import { commonNameIn, isTypeName, readAddressSpace, readJoinedList } from './exchange-values.ts';

/** What was understood, and what was not. */
export interface ReadEntries {
  readonly entries: readonly string[];
  /** `"x" is no domain`; empty where all was understood. */
  readonly wrong: readonly string[];
  /** What was written otherwise than it is kept, in words; null where nothing was. */
  readonly note: string | null;
}

/** Each text as it is. */
export function readEntries(spot: ExchangeProperty, accept: Reader<unknown>): ReadEntries {
  const texts = readJoinedList(spot.value);
  return texts === null ? unreadable(spot) : judge(texts, accept);
}

/** Domains of address spaces, without `smtp:` and cost. */
export function readDomains(spot: ExchangeProperty, accept: Reader<unknown>): ReadEntries {
  const texts = readJoinedList(spot.value);
  if (texts === null) return unreadable(spot);
  const spaces = texts.map(readAddressSpace);
  const domains = spaces.map(({ domain }) => domain);
  const costs = spaces.filter(({ cost }) => cost !== 1).map(({ cost }) => cost);
  if (costs.length === 0) return judge(domains, accept);
  const note = `without the cost (${costs.join(', ')}): here the closest pattern is chosen, then the name that sorts first`;
  return { ...judge(domains, accept), note };
}

/** Names on certificates: written alone, or inside of a subject. */
export function readCertificateNames(spot: ExchangeProperty, accept: Reader<unknown>): ReadEntries {
  const name = typeof spot.value === 'string' ? commonNameIn(spot.value) : null;
  if (name !== null) {
    const read = judge([name], accept);
    return { ...read, note: 'the name in that subject' };
  }
  return readEntries(spot, accept);
}

/** Hosts, without the brackets around addresses and names. */
export function readHosts(spot: ExchangeProperty, accept: Reader<unknown>): ReadEntries {
  const texts = readJoinedList(spot.value);
  if (texts === null) return unreadable(spot);
  const hosts = texts.map((text) => text.replace(/^\[([^\]]*)\]$/, '$1'));
  return judge(hosts, accept);
}

function judge(texts: readonly string[], accept: Reader<unknown>): ReadEntries {
  const entries: string[] = [];
  const wrong: string[] = [];
  for (const text of texts) {
    const read = accept.read(text);
    if ('value' in read) entries.push(text);
    else wrong.push(sayWrong(text, read.wrong));
  }
  return { entries, wrong, note: null };
}

/** What the reader of a key minds about a text; some name it themselves. */
export function sayWrong(text: string, wrong: string): string {
  return wrong.includes(show(text)) ? wrong : `${show(text)} ${wrong}`;
}

function unreadable({ value }: ExchangeProperty): ReadEntries {
  const why = isTypeName(value) ? lostInCsv : `${show(value)} is no list of texts`;
  return { entries: [], wrong: [why], note: null };
}

/**
 * Takes what was understood, and says the rest. `isWeaker`: with an entry less the object would
 * demand less, so it is off.
 */
export function takeEntries(
  draft: Draft,
  spot: ExchangeProperty,
  read: ReadEntries,
  { key, isWeaker }: { readonly key: string; readonly isWeaker: boolean },
): void {
  const { entries, wrong, note } = read;
  if (entries.length > 0) {
    if (note === null) draft.take(spot, key, entries);
    else draft.change(spot, key, entries, note);
  }
  for (const why of wrong) {
    if (isWeaker) draft.turnOff(spot, why);
    else draft.miss(spot, why);
  }
}
