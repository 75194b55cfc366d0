/** Which organization and which object a command line means. */
import { findNearest } from '../../config/nearest.ts';
import { Failure } from '../../mail/failure.ts';
import type { Naming } from './compose-value.ts';
import { guidOf } from './object-id.ts';
import type { ObjectView, PolicyObjectsClient } from './policy-objects-client.ts';

/** The one that is named, or the only one. Throws `object-unknown`, `option-wrong`. */
export async function findOrganization(
  client: PolicyObjectsClient,
  named: string | null,
  { spelling }: Naming,
): Promise<string> {
  const all = await listOrganizations(client, named);
  if (named !== null) return oneOf(all, named);
  if (all.length === 1) return all[0]!;
  const list = all.slice(0, 20).join(', ');
  throw new Failure('option-wrong', `${spelling.organization} is needed, one of: ${list}`);
}

/** All where none is named. */
export async function findOrganizations(
  client: PolicyObjectsClient,
  named: string | null,
): Promise<readonly string[]> {
  const all = await listOrganizations(client, named);
  return named === null ? all : [oneOf(all, named)];
}

/** Who may look into one organization need not be one who may list them all. */
async function listOrganizations(
  client: PolicyObjectsClient,
  named: string | null,
): Promise<readonly string[]> {
  try {
    return await client.listOrganizations();
  } catch (error) {
    const mayNot = error instanceof Failure && error.code === 'api-not-permitted';
    if (mayNot && named !== null) return [named];
    throw error;
  }
}

function oneOf(all: readonly string[], named: string): string {
  if (all.includes(named)) return named;
  const nearest = findNearest(named, all);
  const hint = nearest === null ? '' : `; did you mean ${nearest}?`;
  throw new Failure('object-unknown', `there is no organization ${named}${hint}`);
}

/** By its name, else by its name in another case, else by its id; null where it is none of these. */
export function matchObject(objects: readonly ObjectView[], identity: string): ObjectView | null {
  const lower = identity.toLowerCase();
  return (
    objects.find(({ name }) => name === identity) ??
    objects.find(({ name }) => name.toLowerCase() === lower) ??
    objects.find((object) => guidOf(object) === lower) ??
    null
  );
}

/** Throws `object-unknown` where none is meant. */
export function findObject(
  objects: readonly ObjectView[],
  identity: string,
  naming: Naming,
): ObjectView {
  const found = matchObject(objects, identity);
  if (found === null) throw unknownObject(objects, identity, naming);
  return found;
}

/** What is said of a name that no object bears. */
export function unknownObject(
  objects: readonly ObjectView[],
  identity: string,
  { kind }: Naming,
): Failure {
  const nearest = findNearest(
    identity,
    objects.map(({ name }) => name),
  );
  const hint = nearest === null ? '' : `; did you mean ${nearest}?`;
  return new Failure('object-unknown', `there is no ${kind.words} ${identity}${hint}`);
}
