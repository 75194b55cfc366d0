/** The client's calls about people, tokens and the audit log. */
import { z } from 'zod';
import type { AuditChain, AuditPage, AuditQueryInput } from '../contract/audit.ts';
import { auditChainSchema, auditPageSchema } from '../contract/audit.ts';
import type {
  InvitationView,
  PeopleView,
  PersonAddInput,
  PersonChangeInput,
  PersonView,
} from '../contract/people.ts';
import { invitationSchema, peopleSchema, personSchema } from '../contract/people.ts';
import type { SessionView } from '../contract/session.ts';
import { sessionSchema } from '../contract/session.ts';
import type { NewTokenView, TokenAddInput, TokenListView } from '../contract/tokens.ts';
import { newTokenSchema, tokenListSchema } from '../contract/tokens.ts';
import type { Caller } from './caller.ts';
import { formatQuery } from './caller.ts';

export interface PeopleClient {
  readSession(): Promise<SessionView>;
  listPeople(): Promise<PeopleView>;
  /** Throws `person-unknown`. */
  readPerson(name: string): Promise<PersonView>;
  addPerson(order: PersonAddInput): Promise<PersonView>;
  changePerson(name: string, order: PersonChangeInput): Promise<PersonView>;
  removePerson(name: string, reason?: string): Promise<void>;
  /** Null: the first administrator. */
  invite(person: string | null): Promise<InvitationView>;
  listTokens(person?: string): Promise<TokenListView>;
  addToken(order: TokenAddInput): Promise<NewTokenView>;
  removeToken(id: string): Promise<void>;
  searchAudit(query: AuditQueryInput): Promise<AuditPage>;
  /** Oldest first, those behind `after`. */
  readAuditChain(after: number): Promise<AuditChain>;
}

export function peopleClient({ ask }: Caller): PeopleClient {
  const personPath = (name: string): string => `/v1/people/${encodeURIComponent(name)}`;
  return {
    readSession: () => ask({ method: 'GET', path: '/v1/session' }, sessionSchema),
    listPeople: () => ask({ method: 'GET', path: '/v1/people' }, peopleSchema),
    readPerson: (name) => ask({ method: 'GET', path: personPath(name) }, personSchema),
    addPerson: (order) => ask({ method: 'POST', path: '/v1/people', body: order }, personSchema),
    changePerson: (name, order) =>
      ask({ method: 'PATCH', path: personPath(name), body: order }, personSchema),
    removePerson: async (name, reason) => {
      const path = `${personPath(name)}${formatQuery({ reason })}`;
      await ask({ method: 'DELETE', path }, z.null());
    },
    invite: (person) =>
      ask({ method: 'POST', path: '/v1/invitations', body: { person } }, invitationSchema),
    listTokens: (person) =>
      ask({ method: 'GET', path: `/v1/tokens${formatQuery({ person })}` }, tokenListSchema),
    addToken: (order) => ask({ method: 'POST', path: '/v1/tokens', body: order }, newTokenSchema),
    removeToken: async (id) => {
      await ask({ method: 'DELETE', path: `/v1/tokens/${encodeURIComponent(id)}` }, z.null());
    },
    searchAudit: (query) =>
      ask({ method: 'GET', path: `/v1/audit${formatQuery(query)}` }, auditPageSchema),
    readAuditChain: (after) =>
      ask({ method: 'GET', path: `/v1/audit/chain${formatQuery({ after })}` }, auditChainSchema),
  };
}
