/** What the API serves of people, sign-in, tokens and the audit log: handed to it by `app`. */
import type { Actor } from '../identity/actor.ts';
import type { AuditChain, AuditPage, AuditQuery, ChainQuery } from './contract/audit.ts';
import type {
  Acceptance,
  InvitationView,
  PeopleView,
  PersonAdd,
  PersonChangeOrder,
  PersonView,
} from './contract/people.ts';
import type {
  PasswordChange,
  RecoveryCodes,
  SessionView,
  SignInOrder,
  SignInWays,
  TotpOffer,
  TotpRemove,
} from './contract/session.ts';
import type { NewTokenView, OwnTokenAdd, TokenAdd, TokenListView } from './contract/tokens.ts';

/** The header fields that somebody is known by; null where they are not there. */
export interface Credentials {
  readonly authorization: string | null;
  readonly cookie: string | null;
  /** The other end of the connection; nothing that the request says of it is believed. */
  readonly address: string | null;
}

/**
 * Null: nobody whom we know. What it throws refuses the request, too. `isUse` false: a look whether
 * somebody is known still, which keeps no session from ending as idle.
 */
export type Authenticate = (
  credentials: Credentials,
  isUse?: boolean,
) => Promise<Actor | null> | Actor | null;

/** `secret` is what the cookie carries from now on. */
export interface OpenedSession {
  readonly secret: string;
  readonly session: SessionView;
}

/** Where the browser is sent, and what it must come back with. */
export interface OidcStart {
  readonly url: string;
  readonly binding: string;
}

export interface OidcReturn {
  /** The query as it came. */
  readonly query: string;
  /** What the cookie of the start holds; null where there is none. */
  readonly binding: string | null;
  readonly credentials: Credentials;
}

/** All of them may throw a Failure. What changes something writes it into the audit log. */
export interface PeopleServices {
  /** As in `Authenticate`. */
  authenticate(credentials: Credentials, isUse?: boolean): Actor | null;
  /** Throws `sign-in-refused`, `second-factor-needed`, `second-factor-wrong`, `sign-in-locked`, `sign-in-busy`. */
  signIn(order: SignInOrder, credentials: Credentials): Promise<OpenedSession>;
  signInWays(): SignInWays;
  startOidc(): Promise<OidcStart>;
  finishOidc(back: OidcReturn): Promise<OpenedSession>;
  signOut(actor: Actor): void;
  describeSession(actor: Actor): SessionView;
  listPeople(): PeopleView;
  readPerson(name: string): PersonView;
  addPerson(order: PersonAdd, actor: Actor): PersonView;
  changePerson(name: string, order: PersonChangeOrder, actor: Actor): Promise<PersonView>;
  removePerson(name: string, reason: string | null, actor: Actor): void;
  /** Null: the first administrator. */
  invite(person: string | null, actor: Actor): InvitationView;
  /** Resolves to the name that may sign in now. Throws `invitation-unusable`, `password-unfit`. */
  accept(order: Acceptance, credentials: Credentials): Promise<string>;
  /** All sessions of the person end. */
  changePassword(order: PasswordChange, actor: Actor): Promise<void>;
  startTotp(password: string, actor: Actor): Promise<TotpOffer>;
  confirmTotp(code: string, actor: Actor): RecoveryCodes;
  removeTotp(order: TotpRemove, actor: Actor): Promise<void>;
  /** Null: everybody's. */
  listTokens(person: string | null): TokenListView;
  addToken(order: TokenAdd, actor: Actor): NewTokenView;
  removeToken(id: string, actor: Actor): void;
  listOwnTokens(actor: Actor): TokenListView;
  addOwnToken(order: OwnTokenAdd, actor: Actor): NewTokenView;
  removeOwnToken(id: string, actor: Actor): void;
  /** Only what is of `organizations`; null: everything. */
  searchAudit(query: AuditQuery, organizations: readonly string[] | null): AuditPage;
  readAuditChain(query: ChainQuery): AuditChain;
  /** Writes down what was done elsewhere, such as the reading of a message. */
  note(actor: Actor, what: Noted): void;
}

export interface Noted {
  readonly action: string;
  readonly organization: string | null;
  readonly object: { readonly kind: string; readonly name: string } | null;
  readonly reason?: string | null;
  readonly after?: unknown;
}
