/** Readers of where recipients are: addresses of delivery targets, lists of recipients, delays. */
import { parseAddress } from '../mail/address.ts';
import type { Milliseconds, Read, Reader } from './field.ts';
import { withUnit } from './field.ts';
import { smartHost } from './mail-readers.ts';
import { duration, parsed, show } from './readers.ts';

/** `port` null where the text named none: then the protocol's own. A relative `path` is not one. */
export type TargetAddress =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'host'; readonly host: string; readonly port: number | null };

/** Linux takes 107 octets for the path of a socket; see unix(7). */
const socketPathBytesMax = 107;

/** `unix:/run/dovecot/lmtp`, `mail.contoso.com:24`, `192.0.2.1`, `[2001:db8::1]:24`. */
export function targetAddress(): Reader<TargetAddress> {
  return parsed('unix:/path, a host or host:port', (raw): Read<TargetAddress> => {
    if (raw.startsWith('unix:')) return readSocketPath(raw.slice('unix:'.length));
    if (raw.startsWith('/')) {
      return { wrong: `is a path: ${show(raw)}`, suggestion: `unix:${raw}` };
    }
    const read = smartHost().read(raw);
    if (!('value' in read)) return read;
    const { host, port } = read.value;
    const isBare = /^(?:[^:]+|[^[\]]*:[^[\]]*:[^[\]]*|\[[^\]]*\])$/.test(raw);
    return { value: { kind: 'host', host, port: isBare ? null : port } };
  });
}

function readSocketPath(path: string): Read<TargetAddress> {
  if (!path.startsWith('/')) {
    return { wrong: `needs the absolute path of a socket after unix:, not ${show(path)}` };
  }
  if (Buffer.byteLength(path) > socketPathBytesMax) {
    return { wrong: `is longer than ${socketPathBytesMax} bytes: no socket can have this path` };
  }
  return { value: { kind: 'unix', path } };
}

/** `localParts` as written but in lower case; `domains` are those that the entries named. */
export type RecipientsSetting =
  | { readonly kind: 'none' | 'verify' | 'any' }
  | {
      readonly kind: 'list';
      readonly localParts: readonly string[];
      readonly domains: readonly string[];
    };

const words = ['none', 'verify', 'any'] as const;

/** One of three words, or a list of local-parts or whole addresses. */
export function knownRecipients(): Reader<RecipientsSetting> {
  return {
    form: 'none, verify, any, or a list of local-parts',
    words,
    read(raw) {
      if (Array.isArray(raw)) return readList(raw);
      const word = words.find((candidate) => candidate === raw);
      if (word !== undefined) return { value: { kind: word } };
      const hint = typeof raw === 'string' ? `; a single recipient is written [${raw}]` : '';
      return { wrong: `must be none, verify, any, or a list, not ${show(raw)}${hint}` };
    },
  };
}

function readList(entries: readonly unknown[]): Read<RecipientsSetting> {
  if (entries.length === 0) return { wrong: 'is an empty list; write none, or name recipients' };
  const localParts = new Set<string>();
  const domains = new Set<string>();
  for (const [place, entry] of entries.entries()) {
    const text = typeof entry === 'string' ? entry : '';
    const isWhole = text.includes('@');
    const address = parseAddress(isWhole ? text : `${text}@local-part.invalid`);
    if (address === null) {
      return { wrong: `entry ${place + 1} is no local-part: ${show(entry)}` };
    }
    const localPart = address.localPart.toLowerCase();
    if (localParts.has(localPart)) return { wrong: `names ${show(localPart)} twice` };
    localParts.add(localPart);
    if (isWhole) domains.add(address.domain);
  }
  return { value: { kind: 'list', localParts: [...localParts], domains: [...domains] } };
}

/** A duration, or `never`, which is 0. */
export function durationOrNever(min: string, max: string): Reader<Milliseconds> {
  const inner = duration(min, max);
  const read = (raw: unknown): Read<Milliseconds> =>
    raw === 'never' || raw === 0 || raw === '0' ? { value: 0 as Milliseconds } : inner.read(raw);
  return withUnit({ form: `${inner.form}, or never`, read }, 'Ms');
}
