/** People of a gateway: joins the parts that the API is served from. */
import type { Noted, PeopleServices } from '../../api/people-services.ts';
import type { Actor } from '../../identity/actor.ts';
import type { SignInOptions } from '../../identity/sign-in.ts';
import { auditActor, auditGateway } from './audit-book.ts';
import type { Happening } from './audit-book.ts';
import { authenticate } from './authenticate.ts';
import { describeSession } from './describe-session.ts';
import { accept, invite, inviteAs } from './invitations.ts';
import type { OidcDesk } from './oidc-desk.ts';
import { knownDesk, openOidcDesk } from './oidc-desk.ts';
import type { OidcSettings } from './oidc-desk.ts';
import { OwnAccount } from './own-account.ts';
import type { PeopleParts, PeopleSettings } from './people-parts.ts';
import { knownPerson, makeParts, ownPerson } from './people-parts.ts';
import { addPerson, changePerson, describePerson, removePerson } from './person-admin.ts';
import { SecondFactor } from './second-factor.ts';
import { readAuditChain, searchAudit } from './show-audit.ts';
import { SignInDesk } from './sign-in-desk.ts';
import { addToken, listTokens, removeToken } from './token-desk.ts';

export interface OpenPeople {
  readonly services: PeopleServices;
  /** A link for the first administrator; null where there is somebody already. */
  readonly inviteFirst: () => string | null;
  /** Writes a change of somebody else's into the audit log, in the transaction under way. */
  readonly auditChange: (actor: Actor, what: Happening) => void;
  /** Takes on what was changed in the control file by others. */
  readonly refresh: () => void;
  readonly close: () => void;
}

export interface PeopleOptions extends Omit<PeopleSettings, 'oidcIssuer'> {
  /** Null where no provider is configured. */
  readonly oidc: OidcSettings | null;
  readonly signIn?: SignInOptions;
}

const tidyEveryMs = 3_600_000;
/** Tokens that ended stay in lists for a month, so that whoever wonders finds them. */
const tokensKeptMs = 30 * 24 * 3_600_000;

export function openPeople(options: PeopleOptions): OpenPeople {
  const { oidc, signIn = {}, ...settings } = options;
  const parts = makeParts({ ...settings, oidcIssuer: oidc?.issuer ?? null });
  const factor = new SecondFactor(parts);
  const desk = new SignInDesk(parts, factor, signIn);
  const learning: PeopleParts = { ...parts, onPeopleChanged: () => desk.learnPeople() };
  const account = new OwnAccount(learning, desk, factor);
  const oidcDesk = oidc === null ? null : openOidcDesk(oidc, learning, desk);
  const timer = setInterval(() => tidy(parts), tidyEveryMs).unref();
  return {
    services: servicesOf(learning, { desk, account, oidcDesk }),
    inviteFirst: () => {
      if (parts.people.count() > 0) return null;
      const { url, secret } = invite(parts, null, auditGateway);
      return url ?? secret;
    },
    auditChange: (actor, what) => parts.audit.note(auditActor(actor), what),
    refresh: () => desk.learnPeople(),
    close: () => {
      clearInterval(timer);
      parts.audit.flush();
    },
  };
}

interface Desks {
  readonly desk: SignInDesk;
  readonly account: OwnAccount;
  readonly oidcDesk: OidcDesk | null;
}

function servicesOf(parts: PeopleParts, { desk, account, oidcDesk }: Desks): PeopleServices {
  const { people } = parts;
  return {
    authenticate: (credentials, isUse) => authenticate(parts, credentials, isUse),
    signIn: (order, credentials) => desk.signIn(order, credentials),
    ...oidcServices(oidcDesk),
    signOut: (actor) => desk.signOut(actor),
    describeSession: (actor) => describeSession(parts, actor),
    listPeople: () => ({
      formatVersion: 1,
      people: people.list().map((person) => describePerson(parts, person)),
    }),
    readPerson: (name) => describePerson(parts, knownPerson(people, name)),
    addPerson: (order, actor) => addPerson(parts, order, actor),
    changePerson: (name, order, actor) => changePerson(parts, { name, order }, actor),
    removePerson: (name, reason, actor) => removePerson(parts, { name, reason }, actor),
    invite: (person, actor) => inviteAs(parts, person, actor),
    accept: (order, credentials) => accept(parts, order, credentials),
    changePassword: (order, actor) => account.changePassword(order, actor),
    startTotp: (password, actor) => account.startTotp(password, actor),
    confirmTotp: (code, actor) => account.confirmTotp(code, actor),
    removeTotp: (order, actor) => account.removeTotp(order, actor),
    listTokens: (person) => listTokens(parts, person),
    addToken: ({ person, ...order }, actor) =>
      addToken(parts, knownPerson(people, person), { order, actor }),
    removeToken: (id, actor) => removeToken(parts, id, { person: null, actor }),
    listOwnTokens: (actor) => listTokens(parts, ownPerson(people, actor).name),
    addOwnToken: (order, actor) => addToken(parts, ownPerson(people, actor), { order, actor }),
    removeOwnToken: (id, actor) =>
      removeToken(parts, id, { person: ownPerson(people, actor), actor }),
    searchAudit: (query, organizations) => {
      parts.audit.flush();
      return searchAudit(parts.log, query, organizations);
    },
    readAuditChain: (query) => readAuditChain(parts.log, query),
    note: (actor, what: Noted) => parts.audit.note(auditActor(actor), what),
  };
}

function oidcServices(
  oidcDesk: OidcDesk | null,
): Pick<PeopleServices, 'signInWays' | 'startOidc' | 'finishOidc'> {
  return {
    signInWays: () => ({
      password: true,
      oidc: oidcDesk === null ? null : { label: oidcDesk.label },
    }),
    startOidc: () => knownDesk(oidcDesk).start(),
    finishOidc: (back) => knownDesk(oidcDesk).finish(back),
  };
}

function tidy({ sessions, tokens, sessionRules, nowMs }: PeopleParts): void {
  const now = nowMs();
  sessions.removeOver({
    signedInBeforeMs: now - sessionRules.maxMs,
    seenBeforeMs: now - sessionRules.idleMs,
  });
  tokens.removeExpired(now - tokensKeptMs);
}
