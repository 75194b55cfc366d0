/** The changes that make the policy of a gateway what a file says. */
import type { ChangesOrderInput, PolicyDocument } from '../../api/contract/policy-objects.ts';
import { kindOf, textOfKey } from '../../config/policy-object.ts';
import type { ObjectKey, PolicyObject } from '../../config/policy-object.ts';
import { splitPolicy } from '../../config/split-policy.ts';
import type { Flow } from './read-flow.ts';

/**
 * `prune`: remove what the file does not have, of the organizations that it names, and of certificates
 * where it names any. `pruneOrganizations`: whole organizations besides.
 */
export interface PruneOptions {
  readonly prune: boolean;
  readonly pruneOrganizations: boolean;
}

export function flowChanges(
  flow: Flow,
  { policy }: PolicyDocument,
  options: PruneOptions,
): ChangesOrderInput['changes'] {
  const present = splitPolicy(policy);
  const wanted = new Set(flow.objects.map(textOfKey));
  const leftOver = present.filter(
    (object) => !wanted.has(textOfKey(object)) && isPruned(object, flow, options),
  );
  const known = new Set(present.map(textOfKey));
  // What the file does not say of an organization that is there stays, as everything else does.
  const isMerged = (object: ObjectKey): boolean =>
    object.kind === 'organization' && !options.prune && known.has(textOfKey(object));
  return [...leftOver.map(removal), ...puts(flow.objects, options.prune, isMerged)];
}

function removal({ kind, organization, name }: ObjectKey): ChangesOrderInput['changes'][number] {
  const object = { kind, organization, name };
  return { kind: 'remove', object, withContents: kind === 'organization' };
}

/** Of an organization that goes as a whole, what is in it goes with it. */
function isPruned(
  { kind, organization, name }: PolicyObject,
  flow: Flow,
  { prune, pruneOrganizations }: PruneOptions,
): boolean {
  if (kind === 'organization') return pruneOrganizations && !flow.organizations.has(name);
  if (kind === 'certificate') return prune && flow.hasCertificates;
  return prune && flow.organizations.has(organization!);
}

/** Rules stand in the order of the file, before those that it does not have; the others as they are. */
function puts(
  objects: readonly PolicyObject[],
  isExact: boolean,
  isMerged: (object: ObjectKey) => boolean,
): ChangesOrderInput['changes'] {
  const places = new Map<string, number>();
  return objects.map(({ kind, organization, name, value }) => {
    const group = `${kind} ${organization ?? ''}`;
    const place = places.get(group) ?? 0;
    places.set(group, place + 1);
    const isOrdered = kind === 'rule' || (isExact && kindOf(kind).namedBy !== null);
    const object = { kind, organization, name };
    const verb = isMerged(object) ? 'patch' : 'put';
    return { kind: verb, object, value: { ...value }, place: isOrdered ? place : null };
  });
}
