/** The policy as the control file keeps it: what is in force now, and the one way to write another revision. */
import type { ChangedPolicy, PlacedObject } from '../../config/change-policy.ts';
import { replacePolicy } from '../../config/change-policy.ts';
import type {
  ObjectKey,
  ObjectKind,
  ObjectValue,
  PolicyObject,
} from '../../config/policy-object.ts';
import { openControlReader } from '../../store/control/control-file.ts';
import type { StoredObject } from '../../store/control/policy-revisions.ts';
import type { PolicyRevisions } from '../../store/control/policy-revisions.ts';
import type { Log } from '../../report/log.ts';
import { foldersOf } from '../data-folder.ts';

export interface PolicyState {
  /** The newest revision; 0 before the first. */
  readonly revision: number;
  /** In the order in which they stand. */
  readonly objects: readonly PlacedObject[];
  /** What was taken over from the file last, and the revision that did; null where nothing was yet. */
  readonly imported: { readonly digest: string; readonly revision: number } | null;
}

/** How a revision came to be. `also` runs in its transaction. */
export interface RevisionBy {
  readonly author: string;
  readonly origin: 'file' | 'change' | 'rollback';
  readonly reason: string | null;
  readonly also?: (revision: number, difference: Difference) => void;
}

/** What was in force, and what is different. */
export interface Difference {
  readonly before: PolicyState;
  readonly changed: ChangedPolicy;
}

/** Null where the object was not there. */
export interface PolicyChange {
  readonly key: ObjectKey;
  readonly before: Pick<PlacedObject, 'position' | 'value'> | null;
  readonly after: Pick<PlacedObject, 'position' | 'value'> | null;
}

export interface RecordedPolicy {
  readonly objects: readonly PolicyObject[];
  /** Of the file's part that they were taken from; null where they were not. */
  readonly fileDigest: string | null;
}

export class PolicyBook {
  readonly revisions: PolicyRevisions;
  #state: PolicyState;

  constructor(revisions: PolicyRevisions) {
    this.revisions = revisions;
    this.#state = readState(revisions);
  }

  get state(): PolicyState {
    return this.#state;
  }

  /** The newest revision; 0 before the first. */
  newest(): number {
    return this.#state.revision;
  }

  /** What the policy was made of as of a revision. */
  objectsAt(revision: number): readonly PlacedObject[] {
    return placed(this.revisions.objectsAt(revision));
  }

  /** What a revision did, object by object. */
  changesOf(revision: number): readonly PolicyChange[] {
    return this.revisions.changesOf(revision).map(({ before, after, ...key }) => ({
      key: key as ObjectKey,
      before: before as PolicyChange['before'],
      after: after as PolicyChange['after'],
    }));
  }

  /** The number of the revision; the newest where nothing is different. Throws a Failure of the store. */
  record({ objects, fileDigest }: RecordedPolicy, by: RevisionBy): number {
    const before = this.#state;
    const number = before.revision + 1;
    const changed = replacePolicy(before.objects, objects, number);
    // A file that is meant, after the policy was changed otherwise, is an import also where nothing differs.
    const isImported =
      fileDigest === null ||
      (before.imported?.digest === fileDigest && before.imported.revision === before.revision);
    if (changed.versions.length === 0 && isImported) return before.revision;
    const { author, origin, reason, also } = by;
    const at = new Date().toISOString();
    const writes = changed.versions.map(({ key, position, value, setBy }) => ({
      ...key,
      position,
      value,
      setBy: setBy ?? ('gateway' as const),
    }));
    this.revisions.write({ number, at, author, origin, reason, fileDigest }, writes, () =>
      also?.(number, { before, changed }),
    );
    const imported =
      fileDigest === null ? this.#state.imported : { digest: fileDigest, revision: number };
    this.#state = { revision: number, objects: changed.objects, imported };
    return number;
  }

  /** Decisions name this policy from now on. What cannot be noted is logged: the policy acts all the same. */
  noteInForce(policyRevision: string, log: Log): void {
    const { revision } = this.#state;
    try {
      this.revisions.noteInForce({ since: new Date().toISOString(), policyRevision, revision });
    } catch (error) {
      log.error(
        { err: error, policyRevision, revision },
        'which policy is in force could not be noted',
      );
    }
  }
}

/** Beside a gateway that may run or not. Throws a Failure where there is a file that cannot be read. */
export function readPolicyState(dataFolder: string): PolicyState {
  const control = openControlReader(foldersOf(dataFolder).control);
  if (control === null) return { revision: 0, objects: [], imported: null };
  try {
    return readState(control.policy);
  } finally {
    control.close();
  }
}

function readState(revisions: PolicyRevisions): PolicyState {
  const revision = revisions.newest()?.number ?? 0;
  const imported = revisions.lastImport();
  return {
    revision,
    objects: placed(revisions.objectsAt(revision)),
    imported:
      imported === null ? null : { digest: imported.fileDigest!, revision: imported.number },
  };
}

/** As they stood, in their order. */
function placed(stored: readonly StoredObject[]): readonly PlacedObject[] {
  return stored
    .map(({ setBy, ...object }) => ({
      ...object,
      ...(setBy === 'organization' ? { setBy } : {}),
      kind: object.kind as ObjectKind,
      value: object.value as ObjectValue,
    }))
    .sort((a, b) => a.position - b.position);
}
