/**
 * The header of the PROXY protocol, version 2: whom a load balancer speaks for. Sans-IO.
 *
 * It is binary and stands before the first byte of SMTP or TLS. Whoever may send one can pretend to
 * be any client, so it is only read from addresses that the administrator listed.
 * @see https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt §2.2
 */
import ipaddr from 'ipaddr.js';

/** Longest header that is read; balancers that send certificates' names stay far below. */
export const proxyHeaderBytesMax = 4096;

/**
 * `sizeBytes` is the whole header. `local`: the proxy speaks for itself, as in a health check.
 * `incomplete` wants more bytes; `refused` says why in words.
 */
export type ProxyHeader =
  | { readonly kind: 'incomplete' }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'local'; readonly sizeBytes: number }
  | {
      readonly kind: 'proxied';
      readonly sizeBytes: number;
      /** The client; an IPv4 address also where it came as `::ffff:…`. */
      readonly address: string;
      readonly port: number;
    };

const signature = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
const versionOne = Buffer.from('PROXY ', 'latin1');
const fixedBytes = 16;
const incomplete: ProxyHeader = { kind: 'incomplete' };
/** Octets of source and destination address and of their ports, by the family byte. */
const addressBytes: Readonly<Record<number, 4 | 16>> = { 0x11: 4, 0x21: 16 };
const crcType = 0x03;

/** The header at the start of `bytes`, which may hold more. Never throws. */
export function readProxyHeader(bytes: Buffer): ProxyHeader {
  const known = Math.min(bytes.length, signature.length);
  if (bytes.compare(signature, 0, known, 0, known) !== 0) return refuse(describeStart(bytes));
  if (bytes.length < fixedBytes) return incomplete;
  const versionAndCommand = bytes[12]!;
  if (versionAndCommand >> 4 !== 2) return refuse(`has version ${versionAndCommand >> 4}`);
  const sizeBytes = fixedBytes + bytes.readUInt16BE(14);
  if (sizeBytes > proxyHeaderBytesMax)
    return refuse(`is longer than ${proxyHeaderBytesMax} octets`);
  const command = versionAndCommand & 0x0f;
  if (command > 1) return refuse(`has the unknown command ${command}`);
  if (bytes.length < sizeBytes) return incomplete;
  return command === 0 ? { kind: 'local', sizeBytes } : readProxied(bytes.subarray(0, sizeBytes));
}

function refuse(reason: string): ProxyHeader {
  return { kind: 'refused', reason };
}

function describeStart(bytes: Buffer): string {
  const known = Math.min(bytes.length, versionOne.length);
  const isVersionOne = bytes.compare(versionOne, 0, known, 0, known) === 0;
  return isVersionOne ? 'has version 1, only version 2 is read: send-proxy-v2' : 'is missing';
}

function readProxied(header: Buffer): ProxyHeader {
  const size = addressBytes[header[13]!];
  if (size === undefined) return refuse('speaks for no TCP client of IPv4 or IPv6');
  const tlvsAt = fixedBytes + 2 * size + 4;
  if (header.length < tlvsAt) return refuse('ends within its addresses');
  const problem = findTlvProblem(header, tlvsAt);
  if (problem !== null) return refuse(problem);
  const source = ipaddr.fromByteArray([...header.subarray(fixedBytes, fixedBytes + size)]);
  const isMapped = source instanceof ipaddr.IPv6 && source.isIPv4MappedAddress();
  const address = (isMapped ? source.toIPv4Address() : source).toString();
  const port = header.readUInt16BE(fixedBytes + 2 * size);
  return { kind: 'proxied', sizeBytes: header.length, address, port };
}

/** Type-length-values are skipped; a checksum among them must be right. */
function findTlvProblem(header: Buffer, start: number): string | null {
  let at = start;
  while (at < header.length) {
    if (at + 3 > header.length) return 'ends within a TLV';
    const length = header.readUInt16BE(at + 1);
    if (at + 3 + length > header.length) return 'ends within a TLV';
    if (header[at] === crcType) {
      if (length !== 4) return 'has a checksum of the wrong length';
      const blank = Buffer.from(header);
      blank.fill(0, at + 3, at + 7);
      if (crc32c(blank) !== header.readUInt32BE(at + 3)) return 'has a wrong checksum';
    }
    at += 3 + length;
  }
  return null;
}

let crcTable: Uint32Array | null = null;

function makeCrcTable(): Uint32Array {
  return Uint32Array.from({ length: 256 }, (_, byte) => {
    let value = byte;
    for (let bit = 0; bit < 8; bit++)
      value = (value & 1) === 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1;
    return value;
  });
}

/** Castagnoli's CRC, which Node does not have. @see RFC 3720 appendix B.4 */
export function crc32c(bytes: Buffer): number {
  crcTable ??= makeCrcTable();
  let crc = 0xffffffff;
  for (const byte of bytes) crc = crcTable[(crc ^ byte) & 0xff]! ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}
