/**
 * Sets of trust anchors: the bundled roots, the system's, or those of a file.
 *
 * An anchor is trusted for being listed: a CA, self-signed or not, or an end certificate that is
 * then accepted by exact equality. In a file each certificate must be readable, or the whole set
 * is unavailable; a set that is unavailable reaches nothing.
 */
import { readFile } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import { getCACertificates, rootCertificates } from 'node:tls';
import { Failure } from '../mail/failure.ts';
import type { PathResult } from '../policy/evidence.ts';
import type { AnchorsName } from '../policy/policy.ts';
import { BoundedMap } from './bounded-map.ts';
import { parseCertificate } from './parsed-certificate.ts';
import type { ParsedCertificate } from './parsed-certificate.ts';
import { pemBlocks, toPem } from './pem.ts';

const pathsRememberedMax = 2048;

/** One set, immutable; loading again makes a new one, and with it a new memory of paths. */
export class AnchorSet {
  readonly name: AnchorsName;
  /** DER, in the order of the source. Never empty. */
  readonly certificates: readonly Buffer[];
  /** Examined paths by chain and purpose; see `chain.ts`. */
  readonly examined = new BoundedMap<RememberedPath>(pathsRememberedMax);
  #bySubject: Map<string, ParsedCertificate[]> | null = null;
  #fingerprints: Set<string> | null = null;
  readonly #parsed: Map<Buffer, ParsedCertificate>;

  constructor(
    name: AnchorsName,
    certificates: readonly Buffer[],
    parsed = new Map<Buffer, ParsedCertificate>(),
  ) {
    this.name = name;
    this.certificates = certificates;
    this.#parsed = parsed;
  }

  /** Anchors with this subject, in the form of `ParsedCertificate.subjectKey`. */
  bySubject(subjectKey: string): readonly ParsedCertificate[] {
    return this.#index().get(subjectKey) ?? [];
  }

  /** Whether exactly this certificate is an anchor. `fingerprint256` in base64. */
  has(fingerprint256: string): boolean {
    if (this.#fingerprints === null) {
      const all = [...this.#index().values()].flat();
      this.#fingerprints = new Set(all.map((certificate) => certificate.fingerprint256));
    }
    return this.#fingerprints.has(fingerprint256);
  }

  /** The set as PEM blocks, for OpenSSL. */
  toPemBlocks(): string[] {
    return this.certificates.map((der) => toPem('CERTIFICATE', der));
  }

  #index(): Map<string, ParsedCertificate[]> {
    if (this.#bySubject !== null) return this.#bySubject;
    const index = new Map<string, ParsedCertificate[]>();
    for (const der of this.certificates) {
      const parsed = this.#parsed.get(der) ?? parseCertificate(der);
      if (parsed === null) continue;
      const same = index.get(parsed.subjectKey);
      if (same === undefined) index.set(parsed.subjectKey, [parsed]);
      else same.push(parsed);
    }
    this.#bySubject = index;
    return index;
  }
}

/** A result and the time (epoch ms, end excluded) within which it is the result. */
export interface RememberedPath {
  readonly result: PathResult;
  readonly from: number;
  readonly until: number;
}

/** Where sets come from besides the disk. */
export interface AnchorSources {
  /** What a file holds, by its absolute path, where somebody has read it already. */
  readonly files?: ReadonlyMap<string, Buffer>;
  /** Its sets are taken over where their certificates did not change: with them, what was examined. */
  readonly previous?: AnchorRegistry;
}

/** The sets that are loaded, by name. */
export class AnchorRegistry {
  readonly #sets = new Map<AnchorsName, AnchorSet | null>();

  /**
   * Loads or loads again the sets named; a set that cannot be loaded becomes unavailable, also
   * where it was available before. A set whose certificates did not change stays the same object.
   * Returns the failures, one per set; never throws for them.
   */
  async loadAnchors(
    names: readonly AnchorsName[],
    { files = new Map(), previous }: AnchorSources = {},
  ): Promise<Failure[]> {
    const failures: Failure[] = [];
    for (const name of new Set(names)) {
      try {
        const loaded = await loadSet(name, files);
        const known = this.#sets.get(name) ?? previous?.get(name);
        this.#sets.set(name, known && isSameSet(known, loaded) ? known : loaded);
      } catch (error) {
        this.#sets.set(name, null);
        failures.push(error instanceof Failure ? error : unavailable(name, 'cannot load', error));
      }
    }
    return failures;
  }

  /** Null where the set was not loaded or could not be. */
  get(name: AnchorsName): AnchorSet | null {
    return this.#sets.get(name) ?? null;
  }
}

function isSameSet(a: AnchorSet, b: AnchorSet): boolean {
  const { certificates } = b;
  if (a.certificates.length !== certificates.length) return false;
  return a.certificates.every((der, index) => der.equals(certificates[index]!));
}

const systemFile = '/etc/ssl/certs/ca-certificates.crt';

async function loadSet(name: AnchorsName, files: ReadonlyMap<string, Buffer>): Promise<AnchorSet> {
  if (name === 'bundled') return storeSet(name, rootCertificates.join('\n'));
  if (name === 'system') return storeSet(name, await systemPem());
  if (!name.startsWith('file:') || !isAbsolute(name.slice(5))) {
    throw unavailable(name, 'no such set; bundled, system or file: and an absolute path');
  }
  try {
    const path = name.slice(5);
    const bytes = files.get(path) ?? (await readFile(path));
    return fileSet(name, bytes.toString('latin1'));
  } catch (error) {
    throw error instanceof Failure ? error : unavailable(name, 'cannot read the file', error);
  }
}

async function systemPem(): Promise<string> {
  try {
    return await readFile(systemFile, 'latin1');
  } catch {
    // Other systems keep their roots elsewhere; Node knows where. An empty answer fails above.
    return getCACertificates('system').join('\n');
  }
}

/** Somebody else keeps these stores: one odd root in them is left out, not a reason to stop. */
function storeSet(name: AnchorsName, pem: string): AnchorSet {
  const certificates = pemBlocks(pem).filter((block) => block.label === 'CERTIFICATE');
  if (certificates.length === 0) throw unavailable(name, 'no certificates in it');
  return new AnchorSet(
    name,
    certificates.map((block) => block.der),
  );
}

/** The administrator chose each of these: one that cannot be read would be silently ignored. */
function fileSet(name: AnchorsName, pem: string): AnchorSet {
  const parsed = new Map<Buffer, ParsedCertificate>();
  const blocks = pemBlocks(pem);
  if (blocks.length !== pem.split('-----BEGIN ').length - 1) {
    throw unavailable(name, 'a block in it is cut short');
  }
  for (const [index, block] of blocks.entries()) {
    const certificate = block.label === 'CERTIFICATE' ? parseCertificate(block.der) : null;
    if (certificate === null || certificate.x509() === null) {
      throw unavailable(name, `block ${index + 1} (${block.label}) is no readable certificate`);
    }
    parsed.set(block.der, certificate);
  }
  if (parsed.size === 0) throw unavailable(name, 'no certificates in it');
  return new AnchorSet(name, [...parsed.keys()], parsed);
}

function unavailable(name: AnchorsName, why: string, cause?: unknown): Failure {
  const code = cause === undefined ? '' : ` (${errorCode(cause)})`;
  return new Failure('tls-anchors-unavailable', `trust anchors ${name}: ${why}${code}`, { cause });
}

function errorCode(cause: unknown): string {
  return (cause as NodeJS.ErrnoException).code ?? String(cause);
}
