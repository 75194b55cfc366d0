/**
 * What a MIME part says of itself: type, disposition, encoding, and every name that it gives.
 *
 * Where readers differ (a field twice, two names) all that any of them may see is kept, and it is
 * said that it is not sure.
 * @see RFC 2045 §5, §6; RFC 2183; RFC 2231 §3, §4
 */
import type { FieldSpan } from '../standards/message-format/header-fields.ts';
import { scanHeaderFields } from '../standards/message-format/header-fields.ts';
import { decodeText } from './charset.ts';
import { decodeWords } from './encoded-words.ts';
import { decodeValue } from './header-block.ts';

export interface PartFields {
  /** `text/plain`, lower-case; null where none is given or it cannot be read. */
  readonly type: string | null;
  readonly charset: string | null;
  readonly boundary: string | null;
  readonly isAttachment: boolean;
  /** Lower-case; empty where none is given. */
  readonly encoding: string;
  /** Decoded, at most 8. */
  readonly names: readonly string[];
  /** Why readers may see something else in this part, completing "since …"; null for none. */
  readonly doubt: string | null;
}

const namesMax = 8;
const nameLengthMax = 1000;

/** `header` as latin1 text; never throws. */
export function readPartFields(header: string): PartFields {
  const { fields } = scanHeaderFields(header);
  const named = (name: string): FieldSpan[] =>
    fields.filter((field) => field.name.toLowerCase() === name);
  const [types, dispositions, encodings] = [
    named('content-type'),
    named('content-disposition'),
    named('content-transfer-encoding'),
  ];
  const type = readStructured(header, types[0]);
  const disposition = readStructured(header, dispositions[0]);
  const given = [
    type,
    disposition,
    ...[...types.slice(1), ...dispositions.slice(1)].map((field) => readStructured(header, field)),
  ];
  const names = given.flatMap(({ parameters }) =>
    ['name', 'filename'].flatMap((key) => nameOf(parameters, key)),
  );
  const texts = names.map(({ text }) => text.slice(0, nameLengthMax));
  return {
    type: typeText.test(type.value) ? type.value : null,
    charset: type.parameters.get('charset') ?? null,
    boundary: type.parameters.get('boundary') ?? null,
    isAttachment: disposition.value !== '' && disposition.value !== 'inline',
    encoding: encodings[0] === undefined ? '' : readStructured(header, encodings[0]).value,
    names: [...new Set(texts)].slice(0, namesMax),
    doubt:
      types.length > 1 || encodings.length > 1 || given.some((one) => one.isContradictory)
        ? 'a part of it says two things of itself'
        : type.value !== '' && type.value !== 'text' && !typeText.test(type.value)
          ? 'the type of a part cannot be read'
          : isUnclear(names)
            ? 'the name of an attachment cannot be read'
            : null,
  };
}

const typeText = /^[a-z0-9!#$&^_.+-]+\/[a-z0-9!#$&^_.+-]+$/;

function isUnclear(names: readonly Name[]): boolean {
  const isLong = names.some(({ text }) => text.length > nameLengthMax);
  return isLong || names.length > namesMax || names.some(({ isSure }) => !isSure);
}

interface Structured {
  /** Lower-case. */
  readonly value: string;
  /** By lower-case name, `filename*0*` as written; of two the first. */
  readonly parameters: ReadonlyMap<string, string>;
  /** Two of one name say different things. */
  readonly isContradictory: boolean;
}

const parametersMax = 100;

function readStructured(header: string, field: FieldSpan | undefined): Structured {
  const parameters = new Map<string, string>();
  let isContradictory = false;
  if (field === undefined) return { value: '', parameters, isContradictory };
  const [first = '', ...rest] = splitParameters(decodeValue(header, field));
  for (const part of rest.slice(0, parametersMax)) {
    const equals = part.indexOf('=');
    if (equals === -1) continue;
    const name = part.slice(0, equals).trim().toLowerCase();
    const value = unquote(part.slice(equals + 1).trim());
    const known = parameters.get(name);
    if (known === undefined) parameters.set(name, value);
    else if (known !== value) isContradictory = true;
  }
  return { value: first.trim().toLowerCase(), parameters, isContradictory };
}

/** At semicolons outside of quotes; comments in parentheses are left out. One pass. */
function splitParameters(text: string): string[] {
  const parts: string[] = [];
  let part = '';
  let depth = 0;
  let isQuoted = false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at]!;
    if (character === '\\' && (isQuoted || depth > 0)) {
      if (depth === 0) part += text.slice(at, at + 2);
      at++;
    } else if (isQuoted) {
      part += character;
      if (character === '"') isQuoted = false;
    } else if (character === '(') depth++;
    else if (character === ')' && depth > 0) depth--;
    else if (depth > 0) continue;
    else if (character === ';') {
      parts.push(part);
      part = '';
    } else {
      part += character;
      isQuoted = character === '"';
    }
  }
  return [...parts, part];
}

function unquote(text: string): string {
  if (!text.startsWith('"')) return text;
  const end = text.endsWith('"') && text.length > 1 ? text.length - 1 : text.length;
  return text.slice(1, end).replace(/\\([^])/g, '$1');
}

interface Name {
  readonly text: string;
  readonly isSure: boolean;
}

/** In every form that some reader takes: `name`, `name*`, `name*0` and on; encoded words in each. */
function nameOf(parameters: ReadonlyMap<string, string>, key: string): Name[] {
  const names: Name[] = [];
  const plain = parameters.get(key);
  if (plain !== undefined) names.push(decodeWords(plain));
  const extended = parameters.get(`${key}*`);
  if (extended !== undefined) names.push(decodeExtended([{ text: extended, isEncoded: true }]));
  const pieces: Piece[] = [];
  for (let i = 0; i < parametersMax; i++) {
    const encoded = parameters.get(`${key}*${i}*`);
    const text = encoded ?? parameters.get(`${key}*${i}`);
    if (text === undefined) break;
    pieces.push({ text, isEncoded: encoded !== undefined });
  }
  if (pieces.length > 0) names.push(decodeExtended(pieces));
  return names.filter(({ text }) => text !== '');
}

interface Piece {
  readonly text: string;
  readonly isEncoded: boolean;
}

/** `utf-8'en'na%20me`; the charset stands before the first piece only. */
function decodeExtended(pieces: readonly Piece[]): Name {
  const [first, ...rest] = pieces;
  const marks = first!.isEncoded ? /^([^']*)'[^']*'/.exec(first!.text) : null;
  const start = { text: first!.text.slice(marks?.[0].length ?? 0), isEncoded: first!.isEncoded };
  const bytes = [start, ...rest].map(({ text, isEncoded }) => {
    const raw = Buffer.from(text, 'utf8');
    return isEncoded ? decodePercent(raw) : raw;
  });
  return decodeText(Buffer.concat(bytes), marks?.[1] ?? null);
}

function decodePercent(bytes: Buffer): Buffer {
  const text = bytes.toString('latin1');
  const decoded = text.replace(/%([0-9A-Fa-f]{2})/g, (_whole, hex: string) =>
    String.fromCharCode(parseInt(hex, 16)),
  );
  return Buffer.from(decoded, 'latin1');
}
