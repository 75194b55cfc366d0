/** What a change of the policy leaves in the audit log: one entry for each object, without secrets. */
import { withoutSecrets } from '../../config/object-secrets.ts';
import { textOfKey } from '../../config/policy-object.ts';
import type { Actor } from '../../identity/actor.ts';
import type { Happening } from '../people/audit-book.ts';
import type { Difference } from './policy-book.ts';

/** Writes an entry in the transaction under way. */
export type AuditChange = (actor: Actor, what: Happening) => void;

export function happeningsOf(
  { before, changed }: Difference,
  reason: string | null,
): readonly Happening[] {
  const known = new Map(before.objects.map((object) => [textOfKey(object), object] as const));
  return changed.versions.map(({ key, value }) => {
    const old = known.get(textOfKey(key));
    const { kind, name } = key;
    const done = old === undefined ? 'added' : value === null ? 'removed' : 'changed';
    return {
      action: `${kind}.${done}`,
      organization: kind === 'organization' ? name : key.organization,
      object: { kind, name },
      reason,
      ...(old === undefined ? {} : { before: withoutSecrets(kind, old.value) }),
      ...(value === null ? {} : { after: withoutSecrets(kind, value) }),
    };
  });
}

/** A revision that the file made. The first one changes nothing that anybody had: one entry says it. */
export function happeningsOfImport(
  difference: Difference,
  { file, revision, reason }: { file: string; revision: number; reason: string | null },
): readonly Happening[] {
  const { before, changed } = difference;
  const imported = {
    action: 'policy.imported',
    object: { kind: 'file', name: file },
    reason,
    after: { revision, objects: changed.versions.length },
  };
  return before.revision === 0 ? [imported] : [imported, ...happeningsOf(difference, reason)];
}
