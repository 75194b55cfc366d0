/** Looks for policy objects: one by its name, or all of a kind. */
import type { Naming } from './compose-value.ts';
import { findOrganizations, matchObject, unknownObject } from './find-object.ts';
import type { LookOrder } from './object-order.ts';
import { policyKinds } from './policy-kind.ts';
import type { ObjectView, PolicyObjectsClient } from './policy-objects-client.ts';
import type { Spelling } from './spelling.ts';

/** `place` counts from 0 among the objects of its organization. */
export interface Placed {
  readonly object: ObjectView;
  readonly place: number;
}

/** `organizations` are those that were looked through. Throws `object-unknown` for a name that nothing bears. */
export async function lookUp(
  client: PolicyObjectsClient,
  order: LookOrder,
  spelling: Spelling,
): Promise<{ readonly organizations: readonly string[]; readonly objects: readonly Placed[] }> {
  const naming: Naming = { kind: policyKinds[order.kind], spelling };
  const organizations = await findOrganizations(client, order.organization);
  const objects: Placed[] = [];
  for (const organization of organizations) {
    const list = await client.listObjects(order.kind, organization);
    objects.push(...list.map((object, place) => ({ object, place })));
  }
  const { identity } = order;
  if (identity === null) return { organizations, objects };
  const found = organizations.flatMap((organization) => {
    const own = objects
      .map(({ object }) => object)
      .filter((each) => each.organization === organization);
    const match = matchObject(own, identity);
    return objects.filter(({ object }) => object === match);
  });
  if (found.length > 0) return { organizations, objects: found };
  throw unknownObject(
    objects.map(({ object }) => object),
    identity,
    naming,
  );
}
