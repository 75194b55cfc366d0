/** The care for accepted domains with a fake DNS, a fake lane and a folder of its own. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Configuration } from '../../src/app/configuration.ts';
import { foldersOf } from '../../src/app/data-folder.ts';
import { careForDomains } from '../../src/app/domains/domain-care.ts';
import type { DomainCare } from '../../src/app/domains/domain-care.ts';
import type { ProvenBook } from '../../src/app/domains/proven-book.ts';
import { openProvenBook } from '../../src/app/domains/proven-book.ts';
import { openVerificationSecret, tokenFor } from '../../src/app/domains/verification-secret.ts';
import type { ReloadParts } from '../../src/app/reloader.ts';
import { Reloader } from '../../src/app/reloader.ts';
import { parseConfig } from '../../src/config/load.ts';
import { createFakeResolver } from '../../src/dns/fake-resolver.ts';
import type { FakeEntry } from '../../src/dns/fake-zone.ts';
import { verificationPrefix } from '../../src/policy/domain-proof.ts';
import type { Policy } from '../../src/policy/policy.ts';
import { minimalConfig } from './sample-config.ts';

/** The accepted domain that has to be proven; `example.test` stands beside it. */
export const domain = 'contoso.com';
export const organization = 'fabrikam';

export interface DomainRig {
  readonly folder: string;
  readonly zone: Record<string, FakeEntry>;
  readonly book: ProvenBook;
  readonly care: DomainCare;
  readonly reloader: Reloader;
  /** Policies that a lane was told to prepare. */
  readonly prepared: Policy[];
  readonly lines: string[];
  readonly looks: () => number;
  nowMs: number;
  isDnsDead: boolean;
  isLaneRefusing: boolean;
}

export interface DomainRigOptions {
  readonly folder?: string;
  readonly zone?: Record<string, FakeEntry>;
  readonly id?: string;
  readonly verification?: 'txt' | 'off';
  readonly isDnsDead?: boolean;
}

export async function newFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'postern-domains-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

function configurationFor(folder: string, options: DomainRigOptions): Configuration {
  const { id = organization, verification } = options;
  const text = minimalConfig(folder)
    .replace('organizations:', `domainVerification: ${verification ?? ''}\norganizations:`)
    .replace('domainVerification: \n', '')
    .replace('id: example', `id: ${id}`)
    .replace('acceptedDomains:', `acceptedDomains:\n      - domain: ${domain}`);
  const loaded = parseConfig(text, join(folder, 'postern.yaml'));
  assert.equal(loaded.kind, 'loaded');
  const { config, policy, raw } = loaded;
  const kept = { text, objects: [], fileDigest: null, files: new Map() };
  const problemAt: Configuration['problemAt'] = (path, problem) => ({
    file: config.file,
    line: 1,
    column: 1,
    key: path.join('.'),
    text: problem,
    suggestion: null,
    severity: 'error',
  });
  return { config, policy, raw, ...kept, revision: 'r', warnings: [], problemAt };
}

export async function startDomainRig(
  t: TestContext,
  options: DomainRigOptions = {},
): Promise<DomainRig> {
  const folder = options.folder ?? (await newFolder(t));
  const prepared: Policy[] = [];
  const lines: string[] = [];
  const write = (_fields: object, text: string): void => void lines.push(text);
  const log = { debug: write, info: write, warn: write, error: write };
  const book = await openProvenBook(folder);
  const load = (): Configuration => {
    const next = configurationFor(folder, options);
    return { ...next, policy: book.applyTo(next.policy) };
  };
  const lane: ReloadParts['lanes'][number] = {
    shard: 0,
    ask: (name, asked) => {
      if (name === 'prepare') prepared.push((asked as unknown as { policy: Policy }).policy);
      const refused = { kind: 'refused', path: [], text: 'not now' };
      const answer = name !== 'prepare' ? [] : rig.isLaneRefusing ? refused : { kind: 'prepared' };
      return Promise.resolve(answer as never);
    },
    adopt: () => undefined,
    confirm: () => undefined,
  };
  const reloader = new Reloader(load(), [], {
    record: () => undefined,
    lookUp: () => Promise.resolve([]),
    load: () => Promise.resolve({ kind: 'loaded', configuration: load() }),
    lanes: [lane],
    log,
    onSwap: (next) => rig.care.onSwap(next),
  });
  let looks = 0;
  const rig: DomainRig = {
    folder,
    book,
    zone: options.zone ?? { [domain]: {} },
    reloader,
    prepared,
    lines,
    looks: () => looks,
    nowMs: Date.UTC(2026, 10, 22, 12),
    isDnsDead: options.isDnsDead ?? false,
    isLaneRefusing: false,
    care: careForDomains({
      reloader,
      book,
      log,
      now: () => rig.nowMs,
      steadyNow: () => rig.nowMs,
      openResolver: () => {
        looks++;
        const dead: FakeEntry = { failures: { TXT: 'timeout' } };
        const resolver = createFakeResolver(rig.isDnsDead ? { [domain]: dead } : rig.zone);
        return Promise.resolve({ ...resolver, close: () => undefined });
      },
    }),
  };
  t.after(() => rig.care.close());
  // The secret is there, where one is needed.
  await rig.care.list();
  return rig;
}

/** The text that proves `contoso.com` to a gateway with this folder. */
export async function recordFor(folder: string): Promise<string> {
  const { secret } = await openVerificationSecret(foldersOf(folder).verificationSecret);
  return `${verificationPrefix}${tokenFor(secret, organization, domain)}`;
}

/** A rig whose domain was proven by its record. */
export async function startProven(t: TestContext): Promise<DomainRig> {
  const rig = await startDomainRig(t);
  rig.zone[domain] = { txt: [await recordFor(rig.folder)] };
  await rig.care.verify(domain);
  return rig;
}

export function isProven({ reloader }: DomainRig): boolean {
  const [first] = reloader.inForce.policy.organizations[0]!.acceptedDomains;
  assert.equal(first!.domain, domain);
  return first!.isProven;
}

export async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 400 && !condition(); i++) await sleep(5);
  assert.ok(condition());
}
