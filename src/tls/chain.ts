/**
 * The search for a path from a presented leaf to a trust anchor.
 *
 * Builds every path that names, key identifiers and signatures allow, judges each whole
 * (`path-checks.ts`) and takes the first that is valid; everything is bounded. Examinations are
 * remembered per set of anchors, since partners come back.
 * @see RFC 5280 §6.1, RFC 4158 (path building)
 */
import type { PathResult } from '../policy/evidence.ts';
import type { AnchorsName } from '../policy/policy.ts';
import type { PathPurpose } from '../policy/tls-requirement.ts';
import { isCostlyKey } from './algorithm-strength.ts';
import type { AnchorSet } from './anchors.ts';
import { keyUsageBit } from './certificate-extensions.ts';
import type { ParsedCertificate } from './parsed-certificate.ts';
import { faultOfPath } from './path-checks.ts';
import type { PathFault, SinglePurpose } from './path-checks.ts';
import type { PresentedChain } from './presented-chain.ts';

/** The anchor lies at most this deep; the leaf is at depth 0. */
export const pathDepthMax = 8;
/** Signatures checked for one examination at most. */
export const signatureChecksMax = 32;
/** Certificates tried as next on a path, for one examination at most. */
const stepsMax = 256;
/** How long a path that was not found is not searched again. */
const failureRememberedMs = 60_000;

/** What to look for; `set` null where the anchors named are not available. */
export interface PathSearch {
  readonly anchors: AnchorsName;
  readonly set: AnchorSet | null;
  readonly purpose: PathPurpose;
  /** Epoch milliseconds. */
  readonly at: number;
}

/** A path that was found, leaf first and anchor last, or what stood in the way. */
export type PathFound =
  { readonly path: readonly ParsedCertificate[] } | { readonly fault: PathFault };

/** The result for evidence, from memory where the same chain was examined before. */
export function examineChain(chain: PresentedChain, search: PathSearch): PathResult {
  const { anchors, purpose, at, set } = search;
  if (chain.certificates.length === 0) return nothingPresented(anchors, purpose);
  const key = `${purpose} ${chain.key()}`;
  const remembered = set?.examined.get(key);
  if (remembered !== undefined && remembered.from <= at && at < remembered.until) {
    return remembered.result;
  }
  const found = findPath(chain, search);
  if ('fault' in found) {
    const result: PathResult = { kind: 'not-reached', anchors, purpose, ...found.fault };
    set?.examined.set(key, { result, from: at, until: at + failureRememberedMs });
    return result;
  }
  const from = Math.max(...found.path.map((certificate) => certificate.notBefore));
  const until = Math.min(...found.path.map((certificate) => certificate.notAfter));
  const result: PathResult = {
    kind: 'reached',
    anchors,
    purpose,
    anchorFingerprint256: found.path.at(-1)!.fingerprint256,
    notBefore: new Date(from).toISOString(),
    notAfter: new Date(until).toISOString(),
  };
  set?.examined.set(key, { result, from, until });
  return result;
}

function nothingPresented(anchors: AnchorsName, purpose: PathPurpose): PathResult {
  const problem = 'no-certificate';
  return { kind: 'not-reached', anchors, purpose, problem, detail: 'none was presented' };
}

/** The search itself, without memory. Never throws for what the peer presented. */
export function findPath(chain: PresentedChain, search: PathSearch): PathFound {
  const { set } = search;
  if (set === null) return notFound('anchors-unavailable', `trust anchors ${search.anchors}`);
  const [leaf, ...others] = chain.parsed();
  if (leaf === undefined) return notFound('no-certificate', 'none was presented');
  if (leaf === null || leaf.x509() === null) {
    return notFound('malformed', 'the leaf is no certificate in strict DER');
  }
  const sent = others.filter((certificate) => certificate !== null);
  const walk = new Walk(set, sent, search);
  const path = walk.from([leaf]);
  if (path !== null) return { path };
  if (walk.isExhausted) return notFound('limit-exceeded', 'too many possible paths');
  if (walk.fault === null && chain.isTruncated) {
    return notFound('limit-exceeded', 'more certificates than are taken from a peer');
  }
  if (walk.fault === null && sent.length < others.length) {
    return notFound(
      'malformed',
      'no path leads to a trust anchor; a certificate is not strict DER',
    );
  }
  return { fault: walk.fault ?? withoutAnchor(leaf) };
}

function notFound(problem: PathFault['problem'], detail: string): PathFound {
  return { fault: { problem, detail } };
}

function withoutAnchor(leaf: ParsedCertificate): PathFault {
  return leaf.isSelfSigned
    ? { problem: 'self-signed', detail: 'the leaf is signed by itself and is no anchor' }
    : { problem: 'untrusted-root', detail: 'no path leads to a trust anchor' };
}

/** Depth first over the possible issuers, trusted ones first; keeps the most telling fault. */
class Walk {
  fault: PathFault | null = null;
  isExhausted = false;
  #rank = 0;
  #steps = 0;
  #signatures = new Map<string, boolean>();
  readonly #set: AnchorSet;
  readonly #sent: readonly ParsedCertificate[];
  readonly #search: PathSearch;

  constructor(set: AnchorSet, sent: readonly ParsedCertificate[], search: PathSearch) {
    this.#set = set;
    this.#sent = sent;
    this.#search = search;
  }

  /** The first valid path that begins with these certificates; null where there is none. */
  from(path: readonly ParsedCertificate[]): readonly ParsedCertificate[] | null {
    const last = path.at(-1)!;
    if (this.#set.has(last.fingerprint256)) {
      const fault = this.#judge(path);
      if (fault === null) return path;
      this.#note(3, fault);
    }
    if (last.isSelfSigned) return null;
    for (const issuer of this.#possibleIssuers(last)) {
      if (path.some((each) => isSameAuthority(each, issuer))) continue;
      if (path.length > pathDepthMax) {
        this.#note(2, { problem: 'limit-exceeded', detail: `a path deeper than ${pathDepthMax}` });
        return null;
      }
      this.#steps += 1;
      this.isExhausted ||= this.#steps > stepsMax;
      if (this.isExhausted) return null;
      const found = this.#isIssuedBy(last, issuer) ? this.from([...path, issuer]) : null;
      if (found !== null) return found;
    }
    return null;
  }

  #possibleIssuers(certificate: ParsedCertificate): ParsedCertificate[] {
    const { issuerKey } = certificate;
    const sent = this.#sent.filter(
      (each) => each.subjectKey === issuerKey && !this.#set.has(each.fingerprint256),
    );
    const { at } = this.#search;
    const staleness = (each: ParsedCertificate): number =>
      each.notBefore <= at && at < each.notAfter ? 0 : 1;
    const trusted = [...this.#set.bySubject(issuerKey)];
    return [...trusted, ...sent].sort((a, b) => staleness(a) - staleness(b));
  }

  #isIssuedBy(certificate: ParsedCertificate, issuer: ParsedCertificate): boolean {
    const child = certificate.x509();
    const parent = issuer.x509();
    const key = issuer.publicKey();
    if (child === null || parent === null || key === null) return false;
    if (!child.checkIssued(parent)) {
      const usage = issuer.extensions.keyUsage;
      const mayNotSign = usage !== null && (usage & keyUsageBit.keyCertSign) === 0;
      if (mayNotSign) {
        this.#note(1, { problem: 'not-a-ca', detail: 'the issuer has no keyCertSign' });
      }
      return false;
    }
    const pair = `${certificate.fingerprint256} ${issuer.fingerprint256}`;
    const known = this.#signatures.get(pair);
    if (known !== undefined) return known;
    if (isCostlyKey(issuer)) {
      this.#note(2, { problem: 'weak-key', detail: 'the key of an issuer is too large' });
      return false;
    }
    if (this.#signatures.size === signatureChecksMax) {
      this.isExhausted = true;
      return false;
    }
    const isGood = verify(() => child.verify(key));
    this.#signatures.set(pair, isGood);
    if (!isGood) {
      this.#note(2, { problem: 'bad-signature', detail: 'a signature is not of its issuer' });
    }
    return isGood;
  }

  /** `either` is met by a path that is valid throughout for one of the two purposes. */
  #judge(path: readonly ParsedCertificate[]): PathFault | null {
    const { purpose, at } = this.#search;
    const purposes: SinglePurpose[] =
      purpose === 'either' ? ['clientAuth', 'serverAuth'] : [purpose];
    let fault: PathFault | null = null;
    for (const each of purposes) {
      fault = faultOfPath(path, each, at);
      if (fault === null || fault.problem !== 'wrong-purpose') return fault;
    }
    return fault;
  }

  #note(rank: number, fault: PathFault): void {
    if (rank <= this.#rank) return;
    this.#rank = rank;
    this.fault = fault;
  }
}

/** The same name with the same key again would only make a circle. */
function isSameAuthority(a: ParsedCertificate, b: ParsedCertificate): boolean {
  return a.subjectKey === b.subjectKey && a.spki.raw.equals(b.spki.raw);
}

/** OpenSSL throws for keys and algorithms that it does not know: no good signature then. */
function verify(check: () => boolean): boolean {
  try {
    return check();
  } catch {
    return false;
  }
}
