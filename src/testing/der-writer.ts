/**
 * A DER writer for test certificates: writes whatever it is told, right or wrong.
 *
 * For `certificates.ts`; independent of the product's reader, so that each tests the other.
 */

/** One element: tag octet, length, contents. */
export function tlv(tag: number, ...contents: readonly Buffer[]): Buffer {
  const body = Buffer.concat(contents);
  return Buffer.concat([Buffer.from([tag]), lengthOf(body.length), body]);
}

function lengthOf(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length]);
  const octets: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest % 256);
  return Buffer.from([0x80 | octets.length, ...octets]);
}

export const sequence = (...items: readonly Buffer[]): Buffer => tlv(0x30, ...items);
export const set = (...items: readonly Buffer[]): Buffer => tlv(0x31, ...items);
export const octetString = (value: Buffer): Buffer => tlv(0x04, value);
export const bitString = (value: Buffer, unused = 0): Buffer =>
  tlv(0x03, Buffer.from([unused]), value);
export const boolean = (value: boolean): Buffer => tlv(0x01, Buffer.from([value ? 0xff : 0]));
export const nothing: Buffer = Buffer.from([0x05, 0x00]);
export const utf8String = (text: string): Buffer => tlv(0x0c, Buffer.from(text, 'utf8'));
export const ia5String = (text: string): Buffer => tlv(0x16, Buffer.from(text, 'latin1'));
/** Context-specific; constructed unless `primitive`. */
export const context = (number: number, ...contents: readonly Buffer[]): Buffer =>
  tlv(0xa0 | number, ...contents);
export const contextPrimitive = (number: number, value: Buffer): Buffer =>
  tlv(0x80 | number, value);

/** Two's complement, shortest form. */
export function integer(value: number | bigint): Buffer {
  let rest = BigInt(value);
  const octets: number[] = [];
  do {
    octets.unshift(Number(rest & 0xffn));
    rest >>= 8n;
  } while (!((rest === 0n && octets[0]! < 0x80) || (rest === -1n && octets[0]! >= 0x80)));
  return tlv(0x02, Buffer.from(octets));
}

/** An object identifier in dotted decimal. */
export function oid(dotted: string): Buffer {
  const arcs = dotted.split('.').map(Number);
  const octets: number[] = [];
  for (const arc of [arcs[0]! * 40 + arcs[1]!, ...arcs.slice(2)]) {
    const group = [arc % 128];
    for (let rest = Math.floor(arc / 128); rest > 0; rest = Math.floor(rest / 128)) {
      group.unshift((rest % 128) | 0x80);
    }
    octets.push(...group);
  }
  return tlv(0x06, Buffer.from(octets));
}

/** UTCTime until 2049, GeneralizedTime from 2050 on. @see RFC 5280 §4.1.2.5 */
export function time(at: Date): Buffer {
  const digits = at.toISOString().replace(/[-:T]/g, '').slice(0, 14);
  return at.getUTCFullYear() < 2050
    ? tlv(0x17, Buffer.from(`${digits.slice(2)}Z`))
    : tlv(0x18, Buffer.from(`${digits}Z`));
}
