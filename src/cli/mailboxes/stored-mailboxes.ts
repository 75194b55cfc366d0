/** Mailboxes as the gateway keeps them: policy objects, read and changed by its API. */
import type { ApiClient } from '../../api/client.ts';
import type { ChangedView, ChangesOrderInput } from '../../api/contract/policy-objects.ts';
import { canonicalName } from '../../config/policy-object.ts';
import type { Address } from '../../mail/address.ts';
import { Failure } from '../../mail/failure.ts';
import { withAncestors } from '../../mail/pattern-index.ts';
import { explainRefusal } from '../explain-refusal.ts';
import { findOrganizations } from '../policy-objects/find-object.ts';
import { listAll, policyObjectsOf } from '../policy-objects/open-policy-objects.ts';
import type {
  MailboxBook,
  MailboxOrder,
  MailboxRow,
  NewMailbox,
  SavedMailbox,
} from './mailbox-book.ts';
import { noOwner } from './mailbox-book.ts';

/** `organization`: the one that is looked into; null for all that may be seen. */
export function storedMailboxes(client: ApiClient, organization: string | null): MailboxBook {
  const organizations = () => findOrganizations(policyObjectsOf(client), organization);
  return {
    list: async () => {
      const rows: MailboxRow[] = [];
      for (const id of await organizations()) rows.push(...(await rowsOf(client, id)));
      return rows;
    },
    ownerOf: async (primary) => ownerAmong(client, await organizations(), primary),
    add: ({ organization: owner, account, addresses, passwordHash }: NewMailbox, order) => {
      const object = keyOf(owner, account);
      const secret = passwordHash === null ? {} : { passwordHash };
      const value = { account, addresses: [...addresses], ...secret };
      return change(client, { kind: 'put', object, value, expect: 'absent' }, order);
    },
    setPassword: ({ organization: owner, account, etag }, passwordHash, order) => {
      const object = keyOf(owner, account);
      const value = passwordHash === null ? {} : { passwordHash };
      return change(client, { kind: 'patch', object, value, expect: etag ?? 'present' }, order);
    },
  };
}

function keyOf(organization: string, account: string) {
  return { kind: 'mailbox' as const, organization, name: canonicalName('mailbox', account) };
}

async function rowsOf(client: ApiClient, organization: string): Promise<readonly MailboxRow[]> {
  const objects = await listAll(client, 'mailbox', organization);
  return objects.map(({ value, etag }) => ({
    organization,
    account: String(value['account']),
    addresses: [value['addresses']].flat().map(String),
    canSignIn: (value['passwordHash'] ?? null) !== null,
    etag,
  }));
}

async function ownerAmong(
  client: ApiClient,
  organizations: readonly string[],
  { domain }: Address,
): Promise<string> {
  const [first] = organizations;
  if (first === undefined) {
    const text =
      'there is no organization yet: a policy file makes one, `postern apply -f FILE` (docs/policy.md)';
    throw new Failure('object-unknown', text);
  }
  if (organizations.length === 1) return first;
  const exact = new Map<string, string>();
  const withSubDomains = new Map<string, string>();
  for (const id of organizations) {
    for (const { name, value } of await listAll(client, 'accepted-domain', id)) {
      exact.set(name, id);
      if (value['matchSubDomains'] === true) withSubDomains.set(name, id);
    }
  }
  const above = withAncestors(domain).find((each) => withSubDomains.has(each));
  const owner = exact.get(domain) ?? (above === undefined ? undefined : withSubDomains.get(above));
  if (owner === undefined) throw noOwner(domain);
  return owner;
}

async function change(
  client: ApiClient,
  one: ChangesOrderInput['changes'][number],
  { reason, isDryRun }: MailboxOrder,
): Promise<SavedMailbox> {
  const changed = await client
    .changePolicy({ changes: [one], reason, dryRun: isDryRun })
    .catch((error: unknown): ChangedView => {
      throw explainRefusal(error, { reason: '--reason' });
    });
  return { kind: 'stored', changed };
}
