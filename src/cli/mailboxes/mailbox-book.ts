/** The mailboxes that commands work on, wherever they are kept, and finding one of them. */
import { findNearest } from '../../config/nearest.ts';
import type { Address } from '../../mail/address.ts';
import { Failure } from '../../mail/failure.ts';
import type { ChangedView } from '../../api/contract/policy-objects.ts';
import type { AfterChange } from '../reload-after.ts';

/** The first address is the primary one. `etag`: the version that was read; null in a file. */
export interface MailboxRow {
  readonly organization: string;
  readonly account: string;
  readonly addresses: readonly string[];
  readonly canSignIn: boolean;
  readonly etag: string | null;
}

/** `passwordHash` null: nobody can sign in. */
export interface NewMailbox {
  readonly organization: string;
  readonly account: string;
  readonly addresses: readonly string[];
  readonly passwordHash: string | null;
}

/** `reason` stands in the history of the policy. `isDryRun`: nothing is changed, only checked. */
export interface MailboxOrder {
  readonly reason: string | null;
  readonly isDryRun: boolean;
}

/** Where the change is now. `after`: how it came in force; null for a dry run. */
export type SavedMailbox =
  | { readonly kind: 'stored'; readonly changed: ChangedView }
  | { readonly kind: 'file'; readonly file: string; readonly after: AfterChange | null };

/** Throws Failures. Passwords come as their argon2id hash and are never given back. */
export interface MailboxBook {
  list(): Promise<readonly MailboxRow[]>;
  /** Whose a mailbox with this primary address is: as named, the only one, or the domain's. */
  ownerOf(primary: Address): Promise<string>;
  add(mailbox: NewMailbox, order: MailboxOrder): Promise<SavedMailbox>;
  /** `passwordHash` null for a dry run. */
  setPassword(
    mailbox: MailboxRow,
    passwordHash: string | null,
    order: MailboxOrder,
  ): Promise<SavedMailbox>;
}

/** Throws `mailbox-exists`; accounts are unique on a gateway, in any case. */
export function refuseKnown(rows: readonly MailboxRow[], account: string): void {
  const known = rows.find((row) => isName(row.account, account));
  if (known === undefined) return;
  const text = `there is a mailbox ${known.account} already (${known.addresses.join(', ')})`;
  throw new Failure('mailbox-exists', text);
}

/** By its account in any case, or one of its addresses. Throws `mailbox-unknown`. */
export function findMailboxRow(rows: readonly MailboxRow[], name: string): MailboxRow {
  const row =
    rows.find(({ account }) => isName(account, name)) ??
    rows.find(({ addresses }) => addresses.some((address) => isName(address, name)));
  if (row !== undefined) return row;
  const nearest = findNearest(
    name,
    rows.flatMap(({ account, addresses }) => [account, ...addresses]),
  );
  const hint = nearest === null ? '' : `; did you mean ${nearest}?`;
  throw new Failure('mailbox-unknown', `there is no mailbox ${name}${hint}`);
}

/** Of a domain that nobody accepts, where several organizations could be meant. */
export function noOwner(domain: string): Failure {
  const text = `no organization accepts ${domain}: name the one with --organization, and let it accept the domain`;
  return new Failure('option-wrong', text);
}

function isName(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}
