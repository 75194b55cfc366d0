/**
 * Who may do what: permissions, the roles that give them, and the one function that decides.
 *
 * Pure, and closed by default: what no role of a grant gives is refused. Each route of the API names
 * one of these permissions; there is no other way to be let in.
 */
import type { Actor } from './actor.ts';

/**
 * What each permission is about. `organization`: things that belong to one, and a grant for that one
 * is enough. `gateway`: what is common to all. `own`: a person's own account, whatever its roles.
 */
const levels = {
  'status.read': 'organization',
  'queue.read': 'organization',
  'queue.order': 'organization',
  'content.read': 'organization',
  'trace.read': 'organization',
  'record.read': 'organization',
  explain: 'organization',
  'domain.read': 'organization',
  'domain.verify': 'organization',
  'policy.read': 'organization',
  'policy.write': 'organization',
  'connector.write': 'organization',
  validate: 'organization',
  'alarm.read': 'organization',
  'audit.read': 'organization',
  'audit.export': 'gateway',
  'config.read': 'gateway',
  'config.reload': 'gateway',
  'organization.write': 'gateway',
  'target.write': 'gateway',
  'revision.read': 'gateway',
  'revision.rollback': 'gateway',
  'certificate.read': 'gateway',
  'certificate.write': 'gateway',
  submit: 'gateway',
  'person.read': 'gateway',
  'person.write': 'gateway',
  'token.read': 'gateway',
  'token.write': 'gateway',
  'session.read': 'own',
  'account.own': 'own',
} as const;

export type Permission = keyof typeof levels;
export type PermissionLevel = 'organization' | 'gateway' | 'own';

/** All of them, in the order in which they are shown. */
export const permissions = Object.keys(levels) as readonly Permission[];

export function levelOf(permission: Permission): PermissionLevel {
  return levels[permission];
}

/** Whoever makes people, their passwords or tokens makes what outlives the revocation of a token. */
const ofPeopleAlone: ReadonlySet<Permission> = new Set(['person.write', 'token.write']);

/** Whether a token may be given this; what it is given otherwise counts for nothing. */
export function isForTokens(permission: Permission): boolean {
  return levels[permission] !== 'own' && !ofPeopleAlone.has(permission);
}

const looks = ['status.read', 'queue.read', 'trace.read'] as const;

const connectorWork = [
  ...looks,
  'record.read',
  'explain',
  'domain.read',
  'policy.read',
  'connector.write',
  'validate',
  'alarm.read',
] as const;

const reads = permissions.filter((name) => name.endsWith('.read') && levels[name] !== 'own');

/** `own` permissions are in none: they come with being signed in. */
const byRole = {
  'gateway-administrator': permissions.filter((name) => levels[name] !== 'own'),
  'organization-administrator': permissions.filter((name) => levels[name] === 'organization'),
  'connector-administrator': connectorWork,
  auditor: [...reads, 'explain', 'audit.export'],
  'help-desk': looks,
} as const satisfies Readonly<Record<string, readonly Permission[]>>;

export type Role = keyof typeof byRole;
export const roles = Object.keys(byRole) as readonly Role[];

const sets = new Map<Role, ReadonlySet<Permission>>(
  roles.map((role) => [role, new Set<Permission>(byRole[role])]),
);

/** Whether a role has a permission at all; where, says the grant. */
export function roleHas(role: Role, permission: Permission): boolean {
  return sets.get(role)?.has(permission) ?? false;
}

/** A role for one organization, by its id; null: for the whole gateway. */
export interface Grant {
  readonly role: Role;
  readonly organization: string | null;
}

/** Why a grant makes no sense, as a sentence; null where it does. */
export function judgeGrant({ role, organization }: Grant): string | null {
  if (role === 'gateway-administrator' && organization !== null) {
    return 'gateway-administrator is a role for the whole gateway, not for one organization';
  }
  return null;
}

/**
 * Whether the actor may do this to what belongs to `organization`; null: to what is common to all,
 * for which only a grant for the whole gateway counts.
 */
export function mayDo(actor: Actor, permission: Permission, organization: string | null): boolean {
  const seen = organizationsOf(actor, permission);
  if (seen.kind === 'all') return true;
  return organization !== null && seen.organizations.includes(organization);
}

/** Of which organizations: `all`, with what belongs to none, or these, perhaps none. */
export type Reach =
  { readonly kind: 'all' } | { readonly kind: 'some'; readonly organizations: readonly string[] };

const nowhere: Reach = { kind: 'some', organizations: [] };
const everywhere: Reach = { kind: 'all' };

/** What a permission reaches. Lists are filtered to it. */
export function organizationsOf(actor: Actor, permission: Permission): Reach {
  if (!Object.hasOwn(levels, permission)) return nowhere;
  if (levels[permission] === 'own') return ownReach(actor, permission);
  if (actor.kind === 'socket') return everywhere;
  const { narrowing } = actor;
  if (actor.kind === 'token' && !isForTokens(permission)) return nowhere;
  if (narrowing !== null && !narrowing.permissions.includes(permission)) return nowhere;
  const giving = actor.grants.filter(({ role }) => roleHas(role, permission));
  const isForAll = giving.some(({ organization }) => organization === null);
  const only = narrowing?.organization ?? null;
  if (only !== null) {
    const isGiven = isForAll || giving.some(({ organization }) => organization === only);
    return isGiven && levels[permission] === 'organization' ? some([only]) : nowhere;
  }
  if (isForAll) return everywhere;
  if (levels[permission] === 'gateway') return nowhere;
  return some(giving.flatMap(({ organization }) => organization ?? []));
}

function some(organizations: readonly string[]): Reach {
  return { kind: 'some', organizations: [...new Set(organizations)] };
}

/**
 * Accounts are changed by people who signed in themselves: a token that leaked must not be able to
 * make others, and the socket is nobody's account.
 */
function ownReach(actor: Actor, permission: Permission): Reach {
  return actor.kind === 'session' || permission === 'session.read' ? everywhere : nowhere;
}

/** What the actor may do anywhere, in the order of the list; for showing. */
export function permissionsOf(actor: Actor): readonly Permission[] {
  return permissions.filter((permission) => mayAnywhere(actor, permission));
}

/** Whether there is anything that the actor may do this to. */
export function mayAnywhere(actor: Actor, permission: Permission): boolean {
  const reach = organizationsOf(actor, permission);
  return reach.kind === 'all' || reach.organizations.length > 0;
}
