/**
 * Mailboxes that stand in the configuration file, as long as it alone says what the policy is: the file is
 * edited, and a gateway that runs on it takes it anew.
 */
import type { ApiClient } from '../../api/client.ts';
import { addMailbox, setPasswordHash } from '../../config/edit-mailboxes.ts';
import { formatAddress } from '../../mail/address.ts';
import { Failure } from '../../mail/failure.ts';
import { findDomainOwner } from '../../policy/directory.ts';
import type { Policy } from '../../policy/policy.ts';
import type { Loaded } from '../change-config.ts';
import { changeConfig, loadWhole } from '../change-config.ts';
import type { AfterChange } from '../reload-after.ts';
import { reloadGateway } from '../reload-gateway.ts';
import type { MailboxBook, MailboxOrder, MailboxRow, SavedMailbox } from './mailbox-book.ts';
import { findMailboxRow, noOwner, refuseKnown } from './mailbox-book.ts';

/** `client` null where no gateway runs on the file. `organization`: the one that is meant; null for all. */
export interface FileParts {
  readonly file: string;
  readonly organization: string | null;
  readonly client: ApiClient | null;
  readonly nowMs: () => number;
}

export function fileMailboxes(parts: FileParts): MailboxBook {
  const { file, organization: named } = parts;
  return {
    list: async () => rowsIn(await loadWhole(file), named),
    ownerOf: async ({ domain }) => ownerIn((await loadWhole(file)).policy, domain, named),
    add: ({ organization, ...mailbox }, order) =>
      save(parts, order, (loaded, text) => {
        refuseKnown(rowsIn(loaded, null), mailbox.account);
        const place = loaded.policy.organizations.findIndex(({ id }) => id === organization);
        return addMailbox(text, { place, ...mailbox });
      }),
    setPassword: ({ account }, passwordHash, order) =>
      save(parts, order, (loaded, text) => {
        const found = findMailboxRow(rowsIn(loaded, named), account);
        return passwordHash === null ? text : setPasswordHash(text, found.account, passwordHash);
      }),
  };
}

/** Of a configuration, whatever its policy was taken from. Throws `option-wrong` for no organization of it. */
export function rowsIn(
  { config, policy }: Loaded,
  organization: string | null,
): readonly MailboxRow[] {
  if (organization !== null) requireOrganization(policy, organization);
  const wanted = policy.organizations.filter(({ id }) => (organization ?? id) === id);
  return wanted.flatMap(({ id, mailboxes }) =>
    mailboxes.map(({ account, addresses }) => ({
      organization: id,
      account,
      addresses: addresses.map(formatAddress),
      canSignIn: config.credentials.some(
        (each) => each.organization === id && each.account === account,
      ),
      etag: null,
    })),
  );
}

function requireOrganization({ organizations }: Policy, named: string): void {
  if (organizations.some(({ id }) => id === named)) return;
  const known = organizations.map(({ id }) => id).join(', ');
  throw new Failure('option-wrong', `--organization: there is no ${named}; there are: ${known}`);
}

function ownerIn(policy: Policy, domain: string, named: string | null): string {
  if (named !== null) {
    requireOrganization(policy, named);
    return named;
  }
  const { organizations } = policy;
  if (organizations.length === 1) return organizations[0]!.id;
  const owner = findDomainOwner(policy, domain);
  if (owner === null) throw noOwner(domain);
  return owner.organization.id;
}

async function save(
  { file, client, nowMs }: FileParts,
  { reason, isDryRun }: MailboxOrder,
  change: (loaded: Loaded, text: string) => string,
): Promise<SavedMailbox> {
  const isAsInForce = await isInForce(client, isDryRun);
  await changeConfig({ nowMs, isDryRun }, file, change);
  if (isDryRun) return { kind: 'file', file, after: null };
  return { kind: 'file', file, after: await takeAnew(client, isAsInForce, reason) };
}

/** Whether nothing but our change waits in the file. */
async function isInForce(client: ApiClient | null, isDryRun: boolean): Promise<boolean> {
  if (client === null || isDryRun) return false;
  return (await client.checkConfig()).kind === 'same';
}

/** What somebody else has begun to write into the file is put in force by nobody but them. */
async function takeAnew(
  client: ApiClient | null,
  isAsInForce: boolean,
  reason: string | null,
): Promise<AfterChange> {
  if (client === null) return { kind: 'no-gateway' };
  if (!isAsInForce) return { kind: 'not-asked' };
  return reloadGateway(client, { reason });
}
