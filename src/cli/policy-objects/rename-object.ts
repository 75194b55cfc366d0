/** Gives an object another name, and tells everything of its organization that names it. */
import { Failure } from '../../mail/failure.ts';
import type {
  ObjectChange,
  ObjectValue,
  ObjectView,
  PolicyObjectsClient,
} from './policy-objects-client.ts';

/** What it is to be. */
export interface Renamed {
  readonly name: string;
  readonly value: ObjectValue;
  readonly position: number | null;
}

/** The changes that make it, all or none of which are done. Throws `option-wrong` for a domain. */
export async function renameObject(
  client: PolicyObjectsClient,
  { kind, organization, name, etag }: ObjectView,
  after: Renamed,
): Promise<readonly ObjectChange[]> {
  if (kind === 'accepted-domain') {
    const text = `an accepted domain is named by its domain: remove ${name} and create ${after.name}`;
    throw new Failure('option-wrong', text);
  }
  const objects = await client.listObjects(kind, organization);
  const place = objects.findIndex((object) => object.name === name);
  const isCaseOnly = after.name.toLowerCase() === name.toLowerCase();
  if (!isCaseOnly && objects.some((object) => isEqual(object.name, after.name))) {
    throw new Failure('object-exists', `there is another ${after.name}`);
  }
  const position = kind === 'rule' ? { position: after.position ?? place } : {};
  const to = { kind, organization, name: after.name };
  return [
    { action: 'delete', place: { kind, organization, name }, etag },
    { action: 'put', place: to, value: after.value, isNew: true, ...position },
    ...(kind === 'outbound-connector'
      ? await changeRules(client, { organization, name }, after.name)
      : []),
  ];
}

function isEqual(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

/** Rules name outbound connectors. */
async function changeRules(
  client: PolicyObjectsClient,
  { organization, name }: { readonly organization: string; readonly name: string },
  to: string,
): Promise<readonly ObjectChange[]> {
  const rules = await client.listObjects('rule', organization);
  return rules.flatMap(({ kind, name: rule, value, etag }): ObjectChange[] => {
    const patch = {
      ...renamed(value, 'routeMessageOutboundConnector', [name, to]),
      ...renamed(value, 'overrides', [name, to]),
    };
    if (Object.keys(patch).length === 0) return [];
    return [{ action: 'patch', place: { kind, organization, name: rule }, patch, etag }];
  });
}

function renamed(
  value: ObjectValue,
  key: string,
  [from, to]: readonly [string, string],
): ObjectValue {
  const now = value[key];
  const swap = (each: unknown): unknown => (each === from ? to : each);
  if (Array.isArray(now)) return now.includes(from) ? { [key]: now.map(swap) } : {};
  return now === from ? { [key]: to } : {};
}
