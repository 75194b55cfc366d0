/**
 * What was in force when the gateway last ran, kept in the data folder: the static part of the
 * configuration, and which revision of the policy. A reload asks why the policy is to ask for less, a
 * start can only say that it does.
 */
import { readFile, stat } from 'node:fs/promises';
import { z } from 'zod';
import { parseConfig } from '../config/load.ts';
import type { PolicyObject } from '../config/policy-object.ts';
import { policyKeys } from '../config/split-policy.ts';
import { Failure } from '../mail/failure.ts';
import type { Policy } from '../policy/policy.ts';
import type { Log } from '../report/log.ts';
import type { Configuration } from './configuration.ts';
import { foldersOf } from './data-folder.ts';
import { replaceFile } from './replace-file.ts';
import type { Compared } from './weakened-configuration.ts';
import { findWeaker } from './weakened-configuration.ts';

const keptSchema = z.object({
  formatVersion: z.literal(1),
  file: z.string().min(1),
  revision: z.int().min(0),
  config: z.record(z.string(), z.unknown()),
});

const fileBytesMax = 8 * 1024 * 1024;

export interface LastInForce {
  /** Says what `first` asks less than what was in force before; nothing at the very first start. */
  tellStart(first: Configuration): Promise<void>;
  /** For the next start. Never rejects: what cannot be kept is logged. */
  keep(inForce: Configuration): Promise<void>;
  /** Resolves when nothing is being written. */
  written(): Promise<void>;
}

/** Of the policy as it is kept: the newest revision, and what a revision was made of. */
export interface KeptRevisions {
  newest(): number;
  objectsAt(revision: number): readonly PolicyObject[];
}

export interface LastInForceParts {
  readonly log: Log;
  readonly revisions: KeptRevisions;
  /** Gives a policy what is known of its domains. */
  readonly prove: (policy: Policy) => Policy;
}

export function openLastInForce(
  dataFolder: string,
  { log, revisions, prove }: LastInForceParts,
): LastInForce {
  const file = foldersOf(dataFolder).lastInForce;
  let last = Promise.resolve();
  return {
    tellStart: async (first) => {
      const before = await readKept(file, revisions);
      if (before === null) return;
      if ('problem' in before) {
        return log.warn({}, `${before.problem}; whether the policy asks for less is not known`);
      }
      const policy = prove(before.policy);
      const weaker = findWeaker({ ...before, policy }, first).map(({ text }) => text);
      if (weaker.length === 0) return;
      const text =
        'the policy asks for less than when the gateway last ran; queued mail keeps what it was accepted under';
      log.warn({ weaker }, text);
    },
    keep: (inForce) => {
      const revision = revisions.newest();
      const writing = last.then(() => write(file, inForce, revision));
      const done = writing.catch((error: unknown) => {
        log.error(
          { err: error },
          `${file} cannot be written; the next start compares with an older`,
        );
      });
      last = done;
      return done;
    },
    written: () => last,
  };
}

/** Without what the policy is made of, and so without secrets. */
function write(file: string, { config, raw }: Configuration, revision: number): Promise<void> {
  const fixed = Object.entries(raw).filter(([key]) => !policyKeys.includes(key));
  const kept: z.input<typeof keptSchema> = {
    formatVersion: 1,
    file: config.file,
    revision,
    config: Object.fromEntries(fixed),
  };
  return replaceFile(file, JSON.stringify(kept));
}

/** Null where nothing was kept yet. */
async function readKept(
  file: string,
  revisions: KeptRevisions,
): Promise<Compared | { readonly problem: string } | null> {
  try {
    if ((await stat(file)).size > fileBytesMax) return { problem: `${file} is too large` };
    const kept = keptSchema.parse(JSON.parse(await readFile(file, 'utf8')));
    const objects = revisions.objectsAt(kept.revision);
    const choose = () => ({ kind: 'stored', objects }) as const;
    const loaded = parseConfig(JSON.stringify(kept.config), kept.file, choose);
    if (loaded.kind === 'loaded') return loaded;
    return { problem: `${file} is not read by this version` };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return null;
    if (error instanceof Failure) return { problem: error.message };
    return {
      problem: code === undefined ? `${file} is damaged` : `${file} cannot be read (${code})`,
    };
  }
}
