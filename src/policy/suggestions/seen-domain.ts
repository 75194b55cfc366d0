/** Adds up what messages say of one domain, in bounded memory. */
import type { CertificateFacts } from '../evidence.ts';
import { presentedNames } from '../name-match.ts';
import type { SeenLeaf } from './choose-names.ts';
import type { Observation, SeenPeer, Terms } from './observation.ts';
import { keyOfTerms } from './observation.ts';
import type { Missing, SeenCertificate, SeenOfDomain } from './suggestion.ts';

const dayMs = 24 * 3600_000;
const hostsMax = 50;
/** More certificates than this are no ground for a connector. */
export const leavesMax = 50;
const problemsMax = 10;
const versionsMax = 10;
const namesShownMax = 20;

type Who = Pick<Observation, 'direction' | 'organization' | 'domain'>;

export class SeenDomain {
  readonly who: Who;
  /** Messages that say anything of the domain, delivered or not. */
  #judged = 0;
  #messages = 0;
  #firstAtMs = Infinity;
  #lastAtMs = -Infinity;
  readonly #days = new Set<number>();
  readonly #hosts = new Set<string>();
  #hostsLeftOut = 0;
  readonly #versions = new Set<string>();
  readonly #leaves = new Map<string, { facts: CertificateFacts; hosts: Set<string> }>();
  #hasMoreLeaves = false;
  readonly #met = new Map<string, { readonly terms: Terms; messages: number }>();
  readonly #missing = new Map<string, { -readonly [Key in keyof Missing]: Missing[Key] }>();

  constructor({ direction, organization, domain }: Who) {
    this.who = { direction, organization, domain };
  }

  add(seen: Observation): void {
    this.#judged++;
    this.#firstAtMs = Math.min(this.#firstAtMs, seen.atMs);
    this.#lastAtMs = Math.max(this.#lastAtMs, seen.atMs);
    if (seen.isMail) {
      this.#messages++;
      this.#days.add(Math.floor(seen.atMs / dayMs));
    }
    for (const peer of seen.peers) this.#addPeer(peer);
    for (const terms of new Map(seen.met.map((each) => [keyOfTerms(each), each])).values()) {
      const key = keyOfTerms(terms);
      const known = this.#met.get(key) ?? { terms, messages: 0 };
      this.#met.set(key, known);
      known.messages++;
    }
    if (seen.problem !== null) this.#addProblem(seen);
  }

  #addPeer({ host, version, leaf }: SeenPeer): void {
    if (this.#versions.size < versionsMax) this.#versions.add(version);
    if (!this.#hosts.has(host)) {
      if (this.#hosts.size < hostsMax) this.#hosts.add(host);
      else this.#hostsLeftOut++;
    }
    if (leaf === null) return;
    const known = this.#leaves.get(leaf.fingerprint256);
    if (known !== undefined) {
      if (known.hosts.size < hostsMax) known.hosts.add(host);
      return;
    }
    if (this.#leaves.size >= leavesMax) this.#hasMoreLeaves = true;
    else this.#leaves.set(leaf.fingerprint256, { facts: leaf, hosts: new Set([host]) });
  }

  #addProblem({ problem, id, atMs }: Observation): void {
    const { kind, reason } = problem!;
    const key = `${kind} ${reason}`;
    const known = this.#missing.get(key);
    if (known !== undefined) known.messages++;
    else if (this.#missing.size < problemsMax) {
      this.#missing.set(key, { kind, reason, messages: 1, id, atMs });
    }
  }

  /** Under which every message holds, the plainest first; null where under none, or too much was seen. */
  termsOfAll(): Terms | null {
    if (this.#hasMoreLeaves) return null;
    const whole = [...this.#met.values()].filter(({ messages }) => messages === this.#judged);
    const [best] = whole
      .map(({ terms }) => terms)
      .sort((a, b) => rankOf(a) - rankOf(b) || (keyOfTerms(a) < keyOfTerms(b) ? -1 : 1));
    return best ?? null;
  }

  /** Messages that hold under the terms that most of them do. */
  get met(): number {
    return Math.max(0, ...[...this.#met.values()].map(({ messages }) => messages));
  }

  get judged(): number {
    return this.#judged;
  }

  leaves(): readonly SeenLeaf[] {
    return [...this.#leaves.values()];
  }

  missing(): readonly Missing[] {
    const all = [...this.#missing.values()];
    if (this.#hasMoreLeaves) {
      const reason = `it showed more than ${leavesMax} certificates`;
      const first = { id: '', atMs: this.#lastAtMs, messages: this.#judged };
      all.push({ kind: 'unmet', reason, ...first });
    }
    return all.sort((a, b) => b.messages - a.messages);
  }

  view(): SeenOfDomain {
    return {
      ...this.who,
      messages: this.#messages,
      days: this.#days.size,
      firstAtMs: this.#firstAtMs,
      lastAtMs: this.#lastAtMs,
      hosts: [...this.#hosts].sort(),
      hostsLeftOut: this.#hostsLeftOut,
      versions: [...this.#versions].sort(),
      certificates: Array.from(this.#leaves.values(), ({ facts }) => toCertificate(facts)),
    };
  }
}

function toCertificate(facts: CertificateFacts): SeenCertificate {
  const { fingerprint256, issuer, notAfter } = facts;
  const names = presentedNames(facts).slice(0, namesShownMax);
  return { fingerprint256, names, issuer, notAfter };
}

/** The bundled CAs before others, and certificates for the right use before those for servers. */
function rankOf({ anchors, purpose }: Terms): number {
  return (anchors === 'bundled' ? 0 : 2) + (purpose === 'either' ? 1 : 0);
}
