/** Makes, lists and removes API tokens. */
import type {
  NewTokenView,
  OwnTokenAdd,
  TokenListView,
  TokenView,
} from '../../api/contract/tokens.ts';
import type { Actor } from '../../identity/actor.ts';
import { digestSecret, generateSecret } from '../../identity/bearer-secret.ts';
import { Failure } from '../../mail/failure.ts';
import type { AuditActor } from '../../report/audit-chain.ts';
import type { StoredPerson } from '../../store/control/people.ts';
import type { StoredToken } from '../../store/control/tokens.ts';
import { auditActor } from './audit-book.ts';
import type { PeopleParts } from './people-parts.ts';
import { knownPerson, newId, timeAt } from './people-parts.ts';

const dayMs = 24 * 3_600_000;
/** Tokens of one person at once. */
const tokensMax = 100;

/** `person` null: everybody's. */
export function listTokens(parts: PeopleParts, person: string | null): TokenListView {
  const id = person === null ? null : knownPerson(parts.people, person).id;
  const names = new Map(parts.people.list().map((each) => [each.id, each.name]));
  const tokens = parts.tokens.list(id).map((token) => describe(token, names.get(token.person)));
  return { formatVersion: 1, tokens };
}

/** Throws `organization-unknown`, `tokens-full`. */
export function addToken(
  parts: PeopleParts,
  person: StoredPerson,
  { order, actor }: { readonly order: OwnTokenAdd; readonly actor: Actor },
): NewTokenView {
  const { tokens, audit, change, hasOrganization } = parts;
  const { organization } = order;
  if (organization !== null && !hasOrganization(organization)) {
    throw new Failure('organization-unknown', `there is no organization "${organization}"`);
  }
  const secret = generateSecret('token');
  const token: StoredToken = {
    id: newId(),
    person: person.id,
    name: order.name,
    permissions: [...new Set(order.permissions)],
    organization,
    createdAt: timeAt(parts.nowMs()),
    expiresAtMs: parts.nowMs() + order.expiresInDays * dayMs,
    lastUsedAtMs: null,
  };
  return change(() => {
    if (tokens.list(person.id).length >= tokensMax) {
      throw new Failure('tokens-full', `"${person.name}" has ${tokensMax} tokens already`);
    }
    tokens.add(token, digestSecret(secret));
    const view = describe(token, person.name);
    const object = { kind: 'token', name: token.id };
    audit.note(auditActor(actor), { action: 'token.added', object, after: view });
    return { ...view, secret };
  });
}

/** `person` null: whoever's it is. Throws `token-unknown`. */
export function removeToken(
  parts: PeopleParts,
  id: string,
  { person, actor }: { readonly person: StoredPerson | null; readonly actor: Actor },
): void {
  const { tokens, change } = parts;
  change(() => {
    const token = tokens.byId(id);
    if (token === null || (person !== null && token.person !== person.id)) {
      throw new Failure('token-unknown', `there is no token ${id}`);
    }
    remove(parts, token, auditActor(actor));
  });
}

/** Whoever had the old password may have made some. Belongs in the transaction that sets the new one. */
export function endTokensOf(parts: PeopleParts, person: string, by: AuditActor): void {
  for (const token of parts.tokens.list(person)) remove(parts, token, by);
}

function remove({ tokens, people, audit }: PeopleParts, token: StoredToken, by: AuditActor): void {
  tokens.remove(token.id);
  const before = describe(token, people.byId(token.person)?.name);
  audit.note(by, { action: 'token.removed', object: { kind: 'token', name: token.id }, before });
}

function describe(token: StoredToken, person: string | undefined): TokenView {
  const { id, name, permissions, organization, createdAt, expiresAtMs, lastUsedAtMs } = token;
  return {
    id,
    person: person ?? '',
    name,
    permissions: [...permissions],
    organization,
    createdAt,
    expiresAt: timeAt(expiresAtMs),
    lastUsedAt: lastUsedAtMs === null ? null : timeAt(lastUsedAtMs),
  };
}
