/** Readers of the field's own values: domains, patterns, addresses, ranges, pins, smart hosts, files. */
import ipaddr from 'ipaddr.js';
import type { Address } from '../mail/address.ts';
import { parseAddress } from '../mail/address.ts';
import type { DomainPattern } from '../mail/domain-pattern.ts';
import { parseDomainPattern } from '../mail/domain-pattern.ts';
import { parseDomain } from '../mail/domain.ts';
import { isPublicSuffix } from '../policy/name-match.ts';
import type { SmartHost } from '../policy/policy.ts';
import type { Read, Reader } from './field.ts';
import { parsed, show } from './readers.ts';
import { redacted } from './redacted.ts';

/** A domain name in any case; U-labels become A-labels. */
export function domainName(): Reader<string> {
  return parsed('a domain name such as contoso.com', (raw) => {
    const domain = parseDomain(raw);
    if (domain !== null) return { value: domain };
    if (raw.includes('*')) return { wrong: `takes no wildcard: name the domain, not ${show(raw)}` };
    if (raw.includes('@')) return { wrong: `must be a domain, not an address: ${show(raw)}` };
    return { wrong: `is no domain name: ${show(raw)}` };
  });
}

/** `contoso.com`, `*.contoso.com` (the apex and all under it) or `*`. */
export function domainPattern(): Reader<DomainPattern> {
  return parsed('contoso.com, *.contoso.com or *', readPattern);
}

function readPattern(raw: string): Read<DomainPattern> {
  const pattern = parseDomainPattern(raw);
  if (pattern !== null) return { value: pattern };
  if (raw.includes('*', 1) || (raw.startsWith('*') && !raw.startsWith('*.'))) {
    return {
      wrong: `has a star in the wrong place: ${show(raw)}; it may only be the whole first label, as in *.contoso.com (the domain and all its subdomains)`,
    };
  }
  if (raw.includes('@')) return { wrong: `must be a domain, not an address: ${show(raw)}` };
  return { wrong: `must be contoso.com, *.contoso.com or *, not ${show(raw)}` };
}

/** A name that a certificate must carry: never so wide that a stranger could have it. */
export function certificateName(): Reader<DomainPattern> {
  return parsed('mail.contoso.com or *.contoso.com', (raw) => {
    const read = readPattern(raw);
    if (!('value' in read)) return read;
    const pattern = read.value;
    const exact = 'name the partner, as in mail.contoso.com or *.contoso.com';
    if (pattern.kind === 'any') {
      return { wrong: `"*" would accept any name, so anybody's certificate; ${exact}` };
    }
    if (pattern.kind === 'wildcard' && isPublicSuffix(pattern.domain)) {
      return {
        wrong: `${show(raw)} would accept names that anybody can register under ${pattern.domain}; ${exact}`,
      };
    }
    return { value: pattern };
  });
}

/** An address of a mailbox of ours, `user@contoso.com`. */
export function mailAddress(): Reader<Address> {
  return parsed('an address such as user@contoso.com', (raw) => {
    const address = parseAddress(raw);
    if (address !== null && !address.domain.startsWith('[')) return { value: address };
    return { wrong: `must be an address such as user@contoso.com, not ${show(raw)}` };
  });
}

/** An IP address, canonical, without brackets and zone. */
export function ipAddress(): Reader<string> {
  return parsed('an IPv4 or IPv6 address', (raw) => {
    const address = parseIp(raw);
    if (address !== null) return { value: address.toString() };
    return { wrong: `must be an IP address such as 192.0.2.1 or 2001:db8::1, not ${show(raw)}` };
  });
}

/** Four decimal parts or IPv6; `010.1` and `0x7f.1`, which mean different things elsewhere, are not. */
function parseIp(raw: string): ipaddr.IPv4 | ipaddr.IPv6 | null {
  if (ipaddr.IPv4.isValidFourPartDecimal(raw)) return ipaddr.IPv4.parse(raw);
  if (!raw.includes(':') || raw.includes('%') || !ipaddr.IPv6.isValid(raw)) return null;
  return ipaddr.IPv6.parse(raw);
}

/** An address or a CIDR range as canonical CIDR: host bits are dropped, `192.0.2.1` is a /32. */
export function addressRange(): Reader<string> {
  return parsed('an address or CIDR range such as 192.0.2.0/24', (raw) => {
    const cidr = parseRange(raw);
    if (cidr !== null) return { value: cidr };
    if (/^[\d.:a-fA-F]+ ?- ?[\d.:a-fA-F]+$/.test(raw)) {
      return {
        wrong: `ranges from-to are not supported: ${show(raw)}; write CIDR such as 192.0.2.0/24, or several of them`,
      };
    }
    return { wrong: `must be an address or CIDR range such as 192.0.2.0/24, not ${show(raw)}` };
  });
}

function parseRange(raw: string): string | null {
  const slash = raw.indexOf('/');
  const address = parseIp(slash === -1 ? raw : raw.slice(0, slash));
  if (address === null) return null;
  const bitsMax = address.kind() === 'ipv4' ? 32 : 128;
  const bitsText = slash === -1 ? String(bitsMax) : raw.slice(slash + 1);
  const bits = /^\d{1,3}$/.test(bitsText) ? Number(bitsText) : 999;
  if (bits > bitsMax) return null;
  return canonicalCidr(address, bits);
}

/** A range inside `::ffff:0:0/96` is an IPv4 range: sessions are compared by their IPv4 address. */
function canonicalCidr(address: ipaddr.IPv4 | ipaddr.IPv6, bits: number): string {
  if (address instanceof ipaddr.IPv6) {
    if (address.isIPv4MappedAddress() && bits >= 96) {
      return canonicalCidr(address.toIPv4Address(), bits - 96);
    }
    return `${ipaddr.IPv6.networkAddressFromCIDR(`${address.toString()}/${bits}`).toString()}/${bits}`;
  }
  return `${ipaddr.IPv4.networkAddressFromCIDR(`${address.toString()}/${bits}`).toString()}/${bits}`;
}

/** SHA-256 of SubjectPublicKeyInfo in base64, 32 bytes; `sha256//…` as curl writes it is accepted. */
export function pin(): Reader<string> {
  return parsed('a pin (base64 of the SHA-256 of the public key)', (raw) => {
    const bare = raw.startsWith('sha256//') ? raw.slice(8) : raw;
    if (/^(?:sha256:)?(?:[0-9a-fA-F]{2}:?){32}$/.test(bare)) {
      return {
        wrong: `is in hex: ${show(raw)}; a pin is the base64 of the SHA-256 of SubjectPublicKeyInfo (a certificate's fingerprint is something else)`,
      };
    }
    const bytes = Buffer.from(bare, 'base64');
    if (bytes.length === 32 && bytes.toString('base64') === bare) return { value: bare };
    return {
      wrong: `must be the base64 of the 32 bytes of SHA-256 of SubjectPublicKeyInfo (44 characters), not ${show(raw)}`,
    };
  });
}

/** `mail.contoso.com`, `192.0.2.1`, `mail.contoso.com:26`, `[2001:db8::1]:26`, `2001:db8::1`. */
export function smartHost(): Reader<SmartHost> {
  return parsed('a smart host such as mail.contoso.com or 192.0.2.1:26', (raw) => {
    const refusal = refuseSmartHost(raw);
    return refusal === null ? readHostAndPort(raw) : { wrong: refusal };
  });
}

function refuseSmartHost(raw: string): string | null {
  const form = 'write a name or an address, with :port where it is not 25';
  if (raw.includes('://')) return `is no URL: ${show(raw)}; ${form}`;
  if (raw.includes('@')) return `takes no user or password: ${show(raw)}; ${form}`;
  if (raw.includes('/')) return `takes no range or path: ${show(raw)}; ${form}`;
  if (raw.includes('*')) return `takes no wildcard: ${show(raw)}; ${form}`;
  return null;
}

function readHostAndPort(raw: string): Read<SmartHost> {
  const bare = parseIp(raw);
  if (bare !== null) return { value: { host: bare.toString(), port: 25 } };
  const match = /^(?:\[([^\]]*)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(raw);
  const port = Number(match?.[3] ?? 25);
  const host = match === null ? null : parseHost(match[1], match[2]);
  if (host === null || port < 1 || port > 65_535) {
    const bracketed = match?.[1];
    const isName = bracketed !== undefined && parseDomain(bracketed) !== null;
    const hint = isName ? ': brackets are for IPv6 addresses' : '';
    return {
      wrong: `must be a name, an address, name:port or [IPv6]:port, not ${show(raw)}${hint}`,
      suggestion: isName ? raw.replace(/[[\]]/g, '') : null,
    };
  }
  return { value: { host, port } };
}

function parseHost(bracketed: string | undefined, bare: string | undefined): string | null {
  if (bracketed !== undefined) {
    const address = parseIp(bracketed);
    return address?.kind() === 'ipv6' ? address.toString() : null;
  }
  return parseIp(bare!)?.toString() ?? parseDomain(bare!);
}

/** The path where anchors are a file, with `file:` before it or not; null for the words that stand for a set. */
export function anchorFileOf(raw: string): string | null {
  if (raw === 'bundled' || raw === 'system') return null;
  return raw.startsWith('file:') ? raw.slice('file:'.length) : raw;
}

/** `bundled` (the roots that come with Postern), `system`, or the path of a PEM file. */
export function anchors(): Reader<string> {
  return parsed('bundled, system or the path of a PEM file', (raw) => {
    const path = anchorFileOf(raw);
    if (path === null) return { value: raw };
    if (/[/.]/.test(path) && !path.includes('://')) return { value: `file:${path}` };
    const suggestion = ['bundled', 'system'].find((word) => word === raw.toLowerCase()) ?? null;
    return {
      wrong: `must be bundled, system or the path of a PEM file, not ${show(raw)}`,
      suggestion,
    };
  });
}

/** A path; relative ones start at the folder of the configuration file. */
export function filePath(): Reader<string> {
  return parsed('a path', (raw) => ({ value: raw }));
}

/** An argon2id hash in PHC form, as `postern` prints it; a password in clear is refused. */
export function passwordHash(): Reader<string> {
  const shape =
    /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,2}),p=(\d{1,2})\$[A-Za-z0-9+/]{11,86}\$[A-Za-z0-9+/]{22,86}$/;
  return parsed('an argon2id hash, $argon2id$v=19$…', (raw) => {
    const costs = shape.exec(raw)?.slice(1).map(Number);
    if (costs !== undefined) return isAffordable(costs) ? { value: raw } : { wrong: tooDear };
    if (raw === redacted) return { wrong: isPlaceholder };
    // The value is not repeated: it may be a password.
    return {
      wrong:
        'must be an argon2id hash ($argon2id$v=19$m=…,t=…,p=…$salt$hash), never a password in clear',
    };
  });
}

const isPlaceholder =
  'is what config print shows instead of the hash: put the hash back, or remove the key, and nobody can sign in';

const tooDear =
  'costs too much or too little to verify: at most m=65536, t=10, p=4 and m·t=262144, at least m=8·p';

/** The bounds of `identity/password-hash.ts`, which this room may not import. */
function isAffordable(costs: readonly number[]): boolean {
  const [memoryKib = 0, passes = 0, lanes = 0] = costs;
  const isBounded =
    memoryKib <= 65_536 && passes <= 10 && lanes <= 4 && memoryKib * passes <= 262_144;
  return isBounded && passes >= 1 && lanes >= 1 && memoryKib >= 8 * lanes;
}
