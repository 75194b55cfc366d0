/**
 * DNS messages: our queries out, bounded reading of what comes back.
 *
 * Queries are written by dns-packet. Answers are read here, since whoever answers controls every
 * byte: each record is skipped by its own length whatever it holds, pointers only lead backwards and
 * a bounded number of times, and dots inside a label stay distinct from dots between labels.
 * @see RFC 1035 §4.1, RFC 6891 §6.1, RFC 4035 §3.2.1
 */
import { AUTHENTIC_DATA, DNSSEC_OK, RECURSION_DESIRED, encode } from 'dns-packet';
import ipaddr from 'ipaddr.js';
import type { Question } from './question.ts';
import type { MxRecord, TlsaRecord } from './resolver.ts';

/** The largest UDP answer that we invite: below any usual path MTU. */
export const udpPayloadBytes = 1232;

const recordsMax = 1000;
const nameBytesMax = 255;
const pointersMax = 32;

export const recordTypes = { A: 1, CNAME: 5, SOA: 6, MX: 15, TXT: 16, AAAA: 28, OPT: 41, TLSA: 52 };

/** Response codes that we tell apart. @see RFC 1035 §4.1.1, RFC 6891 §9 */
export const responseCodes = {
  noError: 0,
  formErr: 1,
  servFail: 2,
  nxDomain: 3,
  notImp: 4,
  refused: 5,
};

/** One record of a type that we read; SOA's data is the negative TTL, seconds. Names as `Name`. */
export type ResourceRecord = { readonly owner: string; readonly ttlSeconds: number } & (
  | { readonly type: 'A' | 'AAAA' | 'TXT'; readonly data: string }
  | { readonly type: 'CNAME'; readonly data: string }
  | { readonly type: 'MX'; readonly data: MxRecord }
  | { readonly type: 'TLSA'; readonly data: TlsaRecord }
  | { readonly type: 'SOA'; readonly data: number }
);

/**
 * What we keep of a response. Names are lower-case without the last dot, '' for the root; other
 * octets than printable ASCII, dots inside labels and backslashes are escaped (`\046`), so that such
 * a name is never taken for a host name. Records of other types are left out.
 */
export interface DnsMessage {
  readonly id: number;
  readonly isResponse: boolean;
  readonly isTruncated: boolean;
  readonly isAuthenticData: boolean;
  readonly responseCode: number;
  readonly questions: readonly { readonly name: string; readonly type: number }[];
  readonly answers: readonly ResourceRecord[];
  readonly authorities: readonly ResourceRecord[];
}

/** Recursion desired, AD and DO set; without `hasEdns` for servers that know no EDNS. */
export function encodeQuery(id: number, { type, name }: Question, hasEdns: boolean): Buffer {
  const flags = RECURSION_DESIRED | AUTHENTIC_DATA;
  const questions = [{ type, name, class: 'IN' as const }];
  if (!hasEdns) return encode({ id, type: 'query', flags, questions });
  const edns = {
    type: 'OPT' as const,
    name: '.',
    udpPayloadSize: udpPayloadBytes,
    extendedRcode: 0,
    ednsVersion: 0,
    flags: DNSSEC_OK,
    flag_do: true,
    options: [],
  };
  return encode({ id, type: 'query', flags, questions, additionals: [edns] });
}

/** Null where the bytes are no whole, well-formed message within the bounds. Never throws. */
export function readMessage(bytes: Buffer): DnsMessage | null {
  try {
    return new Reader(bytes).message();
  } catch (error) {
    // Every way of being malformed ends as a RangeError: ours, or a read beyond the buffer.
    if (error instanceof RangeError) return null;
    throw error;
  }
}

class Reader {
  readonly #bytes: Buffer;
  #at = 0;
  #end: number;
  #extendedCode = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
    this.#end = bytes.length;
  }

  message(): DnsMessage {
    const id = this.#u16();
    const flags = this.#u16();
    const counts = [this.#u16(), this.#u16(), this.#u16(), this.#u16()] as const;
    if (counts[0] + counts[1] + counts[2] + counts[3] > recordsMax) {
      throw new RangeError('too many records');
    }
    const questions = Array.from({ length: counts[0] }, () => {
      const name = this.#name();
      const type = this.#u16();
      this.#u16();
      return { name, type };
    });
    const isTruncated = (flags & 0x0200) !== 0;
    const answers = isTruncated ? [] : this.#records(counts[1]);
    const authorities = isTruncated ? [] : this.#records(counts[2]);
    if (!isTruncated) this.#records(counts[3]);
    return {
      id,
      isResponse: (flags & 0x8000) !== 0,
      isTruncated,
      isAuthenticData: (flags & 0x0020) !== 0,
      responseCode: (flags & 0x000f) | (this.#extendedCode << 4),
      questions,
      answers,
      authorities,
    };
  }

  #records(count: number): readonly ResourceRecord[] {
    const records: ResourceRecord[] = [];
    for (let i = 0; i < count; i++) {
      const record = this.#record();
      if (record !== null) records.push(record);
    }
    return records;
  }

  /** Reads one record and stands behind it; null for a type or class that we do not read. */
  #record(): ResourceRecord | null {
    const owner = this.#name();
    const type = this.#u16();
    const recordClass = this.#u16();
    const ttl = this.#u32();
    const length = this.#u16();
    const next = this.#at + length;
    if (next > this.#bytes.length) throw new RangeError('record ends beyond the message');
    if (type === recordTypes.OPT) this.#extendedCode = ttl >>> 24;
    // A TTL with the top bit set counts as zero. @see RFC 2181 §8
    const ttlSeconds = ttl > 0x7fffffff ? 0 : ttl;
    this.#end = next;
    const record = recordClass === 1 ? this.#typed(type, owner, ttlSeconds) : null;
    this.#end = this.#bytes.length;
    this.#at = next;
    return record;
  }

  #typed(type: number, owner: string, ttlSeconds: number): ResourceRecord | null {
    switch (type) {
      case recordTypes.A:
        return { type: 'A', owner, ttlSeconds, data: this.#address(4) };
      case recordTypes.AAAA:
        return { type: 'AAAA', owner, ttlSeconds, data: this.#address(16) };
      case recordTypes.CNAME:
        return { type: 'CNAME', owner, ttlSeconds, data: this.#name() };
      case recordTypes.MX: {
        const preference = this.#u16();
        return { type: 'MX', owner, ttlSeconds, data: { preference, exchange: this.#name() } };
      }
      case recordTypes.TXT:
        return { type: 'TXT', owner, ttlSeconds, data: this.#text() };
      case recordTypes.TLSA:
        return { type: 'TLSA', owner, ttlSeconds, data: this.#tlsa() };
      case recordTypes.SOA: {
        this.#name();
        this.#name();
        this.#take(16);
        return { type: 'SOA', owner, ttlSeconds, data: Math.min(ttlSeconds, this.#u32()) };
      }
      default:
        return null;
    }
  }

  #address(length: 4 | 16): string {
    if (this.#end - this.#at !== length) throw new RangeError('address of a wrong length');
    return ipaddr.fromByteArray([...this.#take(length)]).toString();
  }

  #text(): string {
    const parts: Buffer[] = [];
    while (this.#at < this.#end) parts.push(this.#take(this.#u8()));
    return Buffer.concat(parts).toString('utf8');
  }

  #tlsa(): TlsaRecord {
    const usage = this.#u8();
    const selector = this.#u8();
    const matchingType = this.#u8();
    return {
      usage,
      selector,
      matchingType,
      data: this.#take(this.#end - this.#at).toString('hex'),
    };
  }

  /** A name that may be compressed; pointers may lead out of the record, but only backwards. */
  #name(): string {
    const labels: string[] = [];
    let size = 1;
    let pointers = 0;
    let resumeAt = -1;
    let start = this.#at;
    for (;;) {
      const length = this.#nameByte(resumeAt !== -1);
      if (length === 0) break;
      if (length >= 0xc0) {
        const target = ((length & 0x3f) << 8) | this.#nameByte(resumeAt !== -1);
        if (target >= start || ++pointers > pointersMax) throw new RangeError('pointer loop');
        if (resumeAt === -1) resumeAt = this.#at;
        start = target;
        this.#at = target;
        continue;
      }
      if (length > 63) throw new RangeError('unknown kind of label');
      size += length + 1;
      if (size > nameBytesMax) throw new RangeError('name too long');
      const end = this.#at + length;
      const limit = resumeAt === -1 ? this.#end : this.#bytes.length;
      if (end > limit) throw new RangeError('name ends beyond its record');
      labels.push(escapeLabel(this.#bytes.toString('latin1', this.#at, end)));
      this.#at = end;
    }
    if (resumeAt !== -1) this.#at = resumeAt;
    return labels.join('.');
  }

  #nameByte(isBehindPointer: boolean): number {
    if (!isBehindPointer) return this.#u8();
    return this.#bytes.readUInt8(this.#at++);
  }

  #take(length: number): Buffer {
    const end = this.#at + length;
    if (end > this.#end) throw new RangeError('data ends beyond its record');
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }

  #u8(): number {
    return this.#take(1).readUInt8();
  }

  #u16(): number {
    return this.#take(2).readUInt16BE();
  }

  #u32(): number {
    return this.#take(4).readUInt32BE();
  }
}

function escapeLabel(label: string): string {
  if (/^[a-z0-9_*/-]*$/.test(label)) return label;
  const escape = (char: string): string => `\\${String(char.charCodeAt(0)).padStart(3, '0')}`;
  return label.toLowerCase().replace(/[^\x21-\x2d\x2f-\x5b\x5d-\x7e]/g, escape);
}
