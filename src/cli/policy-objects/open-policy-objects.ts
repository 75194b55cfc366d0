/** The policy objects of the running gateway, by its API. */
import type { ApiClient } from '../../api/client.ts';
import type {
  ChangesOrderInput,
  ObjectView as ApiView,
} from '../../api/contract/policy-objects.ts';
import type { ObjectKind } from '../../config/policy-object.ts';
import type { CommandContext, GatewayOptions } from '../command-context.ts';
import { connectGateway } from '../command-context.ts';
import type { PolicyKindName } from './policy-kind.ts';
import type { ObjectChange, ObjectView, PolicyObjectsClient } from './policy-objects-client.ts';

export async function openPolicyObjects(
  context: CommandContext,
  options: GatewayOptions,
): Promise<PolicyObjectsClient> {
  return policyObjectsOf(await connectGateway(context, options));
}

/** Over a client of the API. */
export function policyObjectsOf(client: ApiClient): PolicyObjectsClient {
  return {
    listOrganizations: async () => {
      const organizations = await listAll(client, 'organization', null);
      return organizations.map(({ name }) => name);
    },
    listObjects: async (kind, organization) =>
      (await listAll(client, kind, organization)).map((view) => toView(view, kind, organization)),
    change: async (changes, { dryRun, reason }) => {
      const order = { changes: changes.map(toOrder), dryRun, reason };
      const { kind, revision, weaker, warnings } = await client.changePolicy(order);
      return { revision: kind === 'changed' ? revision : null, weaker, warnings };
    },
  };
}

/** Every object of the kind, in the order in which they act. */
export async function listAll(
  client: ApiClient,
  kind: ObjectKind,
  organization: string | null,
): Promise<readonly ApiView[]> {
  const objects: ApiView[] = [];
  let after: string | null = null;
  do {
    const page = await client.listObjects(
      { kind, organization },
      { limit: 5000, ...(after === null ? {} : { after }) },
    );
    objects.push(...page.objects);
    ({ next: after } = page);
  } while (after !== null);
  return objects;
}

function toView(view: ApiView, kind: PolicyKindName, organization: string): ObjectView {
  const { name, value, etag, revision, changedAt, changedBy } = view;
  return { kind, organization, name, value, etag, revision, changedAt, changedBy };
}

function toOrder(change: ObjectChange): ChangesOrderInput['changes'][number] {
  const { place: object } = change;
  if (change.action === 'delete') return { kind: 'remove', object, expect: change.etag };
  const place = change.position ?? null;
  if (change.action === 'patch') {
    return { kind: 'patch', object, value: { ...change.patch }, place, expect: change.etag };
  }
  const expect = change.isNew ? 'absent' : 'any';
  return { kind: 'put', object, value: { ...change.value }, place, expect };
}
