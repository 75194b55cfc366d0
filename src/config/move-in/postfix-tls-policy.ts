/** A TLS policy of Postfix's SMTP client: a level and its attributes. @see TLS_README, smtp_tls_policy_maps */

export const tlsLevels = [
  'none',
  'may',
  'encrypt',
  'dane',
  'half-dane',
  'dane-only',
  'fingerprint',
  'verify',
  'secure',
] as const;
export type TlsLevel = (typeof tlsLevels)[number];

export interface TlsPolicy {
  /** Null where the text begins with no level; mail waits in Postfix then. */
  readonly level: TlsLevel | null;
  /** Words between colons or bars; fingerprints hold colons themselves. Empty where not given. */
  readonly match: readonly string[];
  /** All but `match`, in their order. */
  readonly attributes: readonly TlsAttribute[];
}

export interface TlsAttribute {
  readonly name: string;
  readonly value: string;
}

export function parseTlsPolicy(text: string): TlsPolicy {
  const [word = '', ...rest] = text.split(/[\s,]+/).filter((part) => part !== '');
  const level = tlsLevels.find((each) => each === word.toLowerCase()) ?? null;
  const attributes = rest.map((part) => {
    const sign = part.indexOf('=');
    return sign === -1
      ? { name: part, value: '' }
      : { name: part.slice(0, sign).toLowerCase(), value: part.slice(sign + 1) };
  });
  const separator = level === 'fingerprint' ? '|' : /[:|]/;
  const match = attributes
    .filter(({ name }) => name === 'match')
    .flatMap(({ value }) => value.split(separator))
    .filter((name) => name !== '');
  return { level, match, attributes: attributes.filter(({ name }) => name !== 'match') };
}

/** How much a level protects, for choosing the stricter of two; what is unknown protects most. */
export function strictnessOf({ level }: TlsPolicy): number {
  return level === null ? tlsLevels.length : tlsLevels.indexOf(level);
}

const versions = ['SSLv2', 'SSLv3', 'TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'];

export interface ProtocolBounds {
  /** Of those that remain; null where none remains, or a word is not known. */
  readonly oldest: string | null;
  readonly newest: string | null;
}

/** `>=TLSv1.2`, `!SSLv2 !SSLv3`, `TLSv1.3`: what they leave. */
export function parseProtocols(text: string): ProtocolBounds {
  const words = text.split(/[\s,:]+/).filter((word) => word !== '');
  const named = words.filter((word) => /^\w/.test(word));
  let left = named.length === 0 ? versions : versions.filter((each) => isOneOf(named, each));
  for (const word of words.filter((each) => !/^\w/.test(each))) {
    const [, sign, name] = /^(!|>=|<=)(.*)$/.exec(word) ?? [];
    const place = versions.findIndex((each) => each.toLowerCase() === name?.toLowerCase());
    if (sign === undefined || place === -1) return { oldest: null, newest: null };
    left = left.filter((each) => {
      const here = versions.indexOf(each);
      if (sign === '!') return here !== place;
      return sign === '>=' ? here >= place : here <= place;
    });
  }
  const isKnown = named.every((word) => isOneOf(versions, word));
  return isKnown
    ? { oldest: left[0] ?? null, newest: left.at(-1) ?? null }
    : { oldest: null, newest: null };
}

function isOneOf(words: readonly string[], word: string): boolean {
  return words.some((each) => each.toLowerCase() === word.toLowerCase());
}

/** Bytes of `AA:BB:…`; null where it is no hex. */
export function parseFingerprint(text: string): Buffer | null {
  const hex = text.replaceAll(':', '');
  return /^(?:[0-9a-fA-F]{2}){16,64}$/.test(hex) ? Buffer.from(hex, 'hex') : null;
}
