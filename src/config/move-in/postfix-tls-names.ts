/** Which names a certificate must carry: Postfix's `match=` in the words of `tlsDomain`. */
import { certificateName } from '../mail-readers.ts';
import { changed, missed, weaker } from './remark.ts';
import type { Remark } from './remark.ts';

/** Where mail goes next, as far as names depend on it. */
export interface NextHop {
  /** By the MX records of the recipient's domain; else to hosts that are named. */
  readonly isMx: boolean;
  /**
   * By MX the domain, null where it is not one: all below a domain, or everything. Else the hosts,
   * without port; never empty.
   */
  readonly domain: string | null;
  readonly hosts: readonly string[];
  /** The hosts are written without brackets, so Postfix takes their MX records. */
  readonly isHostMx: boolean;
}

export interface NamesWanted {
  /** Null: none need be written, the recipient's domain and what is below it are meant by that. */
  readonly names: readonly string[] | null;
  readonly remarks: readonly Remark[];
}

export function namesFor(wanted: readonly string[], hop: NextHop): NamesWanted {
  const words = wanted.map((word) => word.toLowerCase());
  const others = words.filter((word) => !['nexthop', 'dot-nexthop', 'hostname'].includes(word));
  const literal = others.map(toName);
  const remarks = others.filter((word) => word.startsWith('.')).map(coversMore);
  const isSaid = (name: string): boolean => 'value' in certificateName().read(name);
  const wrong = literal.filter((name) => !isSaid(name));
  for (const name of wrong) remarks.push(refused(name));
  const right = literal.filter(isSaid);
  const hopNames = hop.isMx ? ofDomain(words, hop, right) : ofHosts(words, hop, right);
  return { names: hopNames.names, remarks: [...remarks, ...hopNames.remarks] };
}

/** `.contoso.com` is every name below it. */
function toName(word: string): string {
  return word.startsWith('.') ? `*${word}` : word;
}

function coversMore(word: string): Remark {
  return changed(`match=${word}: the name ${word.slice(1)} itself is accepted too`);
}

function refused(name: string): Remark {
  return missed(`the name ${name} cannot be demanded: it is none, or anybody could have it`);
}

/** By MX. A name that the MX record gives is not taken on its word. */
function ofDomain(
  words: readonly string[],
  { domain }: NextHop,
  literal: readonly string[],
): NamesWanted {
  const [hasNext, hasDot] = [words.includes('nexthop'), words.includes('dot-nexthop')];
  const remarks: Remark[] = [];
  if (words.includes('hostname')) {
    const text =
      literal.length > 0 || hasNext || hasDot
        ? 'hostname: the name in the MX record is not accepted, since DNS could be forged'
        : "hostname: the certificate must carry the recipient's domain or a name below it, and not that in the MX record, which could be forged; where it does not, name the partner's servers in tlsDomain";
    remarks.push(changed(text));
  }
  if (literal.length === 0) {
    if (domain !== null && hasNext && !hasDot) return { names: [domain], remarks };
    if (hasNext !== hasDot) {
      remarks.push(changed("the recipient's domain and all names below it are accepted"));
    }
    return { names: null, remarks };
  }
  if (domain === null) {
    if (hasNext || hasDot) {
      remarks.push(changed(`of the names only ${literal.join(', ')} are accepted, not nexthop`));
    }
    return { names: literal, remarks };
  }
  return { names: unique([...own(domain, hasNext, hasDot), ...literal]), remarks };
}

function ofHosts(
  words: readonly string[],
  { hosts, isHostMx }: NextHop,
  literal: readonly string[],
): NamesWanted {
  const [hasNext, hasDot, hasHost] = ['nexthop', 'dot-nexthop', 'hostname'].map((word) =>
    words.includes(word),
  ) as [boolean, boolean, boolean];
  const named = hosts.filter((host) => 'value' in certificateName().read(host));
  const hostNames = named.flatMap((host) => [
    ...own(host, hasNext, hasDot),
    ...(hasHost ? [isHostMx ? `*.${host}` : host] : []),
  ]);
  const names = unique([...hostNames, ...literal]);
  if (names.length > 0) return { names, remarks: [] };
  const text =
    'no name is known that the certificate of this host must carry: write it as tlsDomain';
  return { names: [], remarks: [weaker(text)] };
}

function own(domain: string, hasNext: boolean, hasDot: boolean): string[] {
  if (hasDot) return [`*.${domain}`];
  return hasNext ? [domain] : [];
}

function unique(names: readonly string[]): string[] {
  return [...new Set(names)];
}
