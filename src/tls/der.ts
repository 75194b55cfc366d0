/**
 * A strict, bounded reader of DER: what it takes in, everyone else reads the same way.
 *
 * For the readers of certificates in this room. Anything but definite, shortest lengths, low tag
 * numbers and exactly filled elements is refused; there is no recursion, so no depth to exhaust.
 * Functions here throw `MalformedDer`; the exported parsers of the room catch it.
 * @see RFC 5280 §4.1 (DER, X.690)
 */

/** The input is no DER of the expected shape; never leaves this room. */
export class MalformedDer extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'MalformedDer';
  }
}

/** One element: `raw` with tag and length, `value` the contents alone; both views, not copies. */
export interface DerElement {
  readonly tag: number;
  readonly raw: Buffer;
  readonly value: Buffer;
}

/** Tags as they stand on the wire, with class and constructed bit. */
export const derTag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectIdentifier: 0x06,
  utf8String: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** Elements read in one container at most; real certificates have some tens. */
const childrenMax = 4096;

/** The one element that fills `bytes`. */
export function readDer(bytes: Buffer, tag: number): DerElement {
  const element = elementAt(bytes, 0);
  if (element.raw.length !== bytes.length) throw new MalformedDer('octets after the element');
  return expectTag(element, tag);
}

/** The elements of a constructed element, in order. */
export function childrenOf(parent: DerElement): DerElement[] {
  const found: DerElement[] = [];
  for (let offset = 0; offset < parent.value.length;) {
    if (found.length === childrenMax) throw new MalformedDer('too many elements');
    const element = elementAt(parent.value, offset);
    found.push(element);
    offset += element.raw.length;
  }
  return found;
}

function elementAt(bytes: Buffer, offset: number): DerElement {
  const tag = bytes[offset];
  const first = bytes[offset + 1];
  if (tag === undefined || first === undefined) throw new MalformedDer('cut short');
  if ((tag & 0x1f) === 0x1f) throw new MalformedDer('a high tag number');
  const lengthOctets = first < 0x80 ? 0 : first & 0x7f;
  const start = offset + 2 + lengthOctets;
  const length = first < 0x80 ? first : longLength(bytes, offset + 2, lengthOctets);
  if (start + length > bytes.length) throw new MalformedDer('cut short');
  return {
    tag,
    raw: bytes.subarray(offset, start + length),
    value: bytes.subarray(start, start + length),
  };
}

function longLength(bytes: Buffer, offset: number, octets: number): number {
  if (octets === 0 || octets > 4) throw new MalformedDer('an indefinite or huge length');
  if (offset + octets > bytes.length) throw new MalformedDer('cut short');
  const length = bytes.readUIntBE(offset, octets);
  if (length < 0x80 || length < 2 ** (8 * (octets - 1))) {
    throw new MalformedDer('a length not in its shortest form');
  }
  return length;
}

/** The element itself where its tag is the expected one. */
export function expectTag(element: DerElement | undefined, tag: number): DerElement {
  if (element?.tag !== tag) {
    throw new MalformedDer(`tag ${element?.tag ?? 'none'} where ${tag} belongs`);
  }
  return element;
}

/** 0x00 or 0xff; an explicit FALSE where it is the default is tolerated, as everyone does. */
export function booleanOf(element: DerElement): boolean {
  const { value } = expectTag(element, derTag.boolean);
  if (value.length !== 1 || (value[0] !== 0 && value[0] !== 0xff)) {
    throw new MalformedDer('a boolean that is neither true nor false');
  }
  return value[0] === 0xff;
}

/** The contents of an INTEGER (or one under an implicit tag) in shortest form. */
export function integerOctets(element: DerElement): Buffer {
  const { value } = element;
  const [first, second] = value;
  if (first === undefined) throw new MalformedDer('an empty integer');
  const isPadded =
    second !== undefined && ((first === 0 && second < 0x80) || (first === 0xff && second >= 0x80));
  if (isPadded) throw new MalformedDer('an integer not in its shortest form');
  return value;
}

/** A non-negative INTEGER that fits 31 bits: path lengths, versions, skip counts. */
export function smallIntegerOf(element: DerElement): number {
  const octets = integerOctets(element);
  if (octets[0]! >= 0x80) throw new MalformedDer('a negative integer');
  if (octets.length > 4) throw new MalformedDer('an integer too large');
  return octets.readUIntBE(0, octets.length);
}

/** Contents of a BIT STRING of whole octets or with named bits; unused bits must be zero. */
export function bitsOf(element: DerElement): Buffer {
  const [unused, ...rest] = element.value.subarray(0, 2);
  if (unused === undefined || unused > 7) throw new MalformedDer('a broken bit string');
  const bits = element.value.subarray(1);
  if (rest.length === 0 && unused !== 0) throw new MalformedDer('a broken bit string');
  if (bits.length > 0 && (bits.at(-1)! & ((1 << unused) - 1)) !== 0) {
    throw new MalformedDer('unused bits set');
  }
  return bits;
}

/** An object identifier in dotted decimal. */
export function oidOf(element: DerElement): string {
  return dottedOid(expectTag(element, derTag.objectIdentifier).value);
}

/** Dotted decimal of an OID's contents; arcs up to 2^49. */
export function dottedOid(octets: Buffer): string {
  if (octets.length === 0 || octets.length > 128 || octets.at(-1)! >= 0x80) {
    throw new MalformedDer('a broken object identifier');
  }
  const arcs: number[] = [];
  let arc = 0;
  let isStart = true;
  for (const octet of octets) {
    if ((isStart && octet === 0x80) || arc > 2 ** 42) {
      throw new MalformedDer('a broken object identifier');
    }
    arc = arc * 128 + (octet & 0x7f);
    isStart = octet < 0x80;
    if (!isStart) continue;
    if (arcs.length === 0) {
      const top = Math.min(2, Math.floor(arc / 40));
      arcs.push(top, arc - top * 40);
    } else {
      arcs.push(arc);
    }
    arc = 0;
  }
  return arcs.join('.');
}

/**
 * UTCTime or GeneralizedTime in the only form that certificates may have, in epoch milliseconds.
 *
 * @see RFC 5280 §4.1.2.5
 */
export function timeOf(element: DerElement): number {
  const text = element.value.toString('latin1');
  const isUtc = element.tag === derTag.utcTime;
  if (!isUtc) expectTag(element, derTag.generalizedTime);
  const match = (isUtc ? /^(\d\d)(\d{10})Z$/ : /^(\d{4})(\d{10})Z$/).exec(text);
  if (match === null) throw new MalformedDer('a broken time');
  const short = Number(match[1]);
  const year = isUtc ? (short < 50 ? 2000 + short : 1900 + short) : short;
  const [month, day, hour, minute, second] = match[2]!.match(/\d\d/g)!.map(Number) as [
    number,
    number,
    number,
    number,
    number,
  ];
  const at = new Date(0);
  at.setUTCFullYear(year, month - 1, day);
  at.setUTCHours(hour, minute, second);
  const isReal =
    at.getUTCMonth() === month - 1 &&
    at.getUTCDate() === day &&
    hour < 24 &&
    minute < 60 &&
    second < 60;
  if (!isReal) throw new MalformedDer('a time that does not exist');
  return at.getTime();
}
