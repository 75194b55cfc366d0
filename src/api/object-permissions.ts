/** Which permission each kind of policy object takes, to be read and to be changed. */
import type { ObjectKey, ObjectKind } from '../config/policy-object.ts';
import type { Actor } from '../identity/actor.ts';
import type { Permission } from '../identity/permissions.ts';
import { mayDo } from '../identity/permissions.ts';
import { Failure } from '../mail/failure.ts';

export type ObjectVerb = 'put' | 'patch' | 'remove';

export function permissionToRead(kind: ObjectKind): Permission {
  return kind === 'certificate' ? 'certificate.read' : 'policy.read';
}

/**
 * Who makes or removes an organization, or says to which servers of the inner network mail is handed,
 * looks after the whole gateway.
 */
export function permissionToChange(kind: ObjectKind, verb: ObjectVerb): Permission {
  switch (kind) {
    case 'organization':
      return verb === 'patch' ? 'policy.write' : 'organization.write';
    case 'certificate':
      return 'certificate.write';
    case 'delivery-target':
      return 'target.write';
    case 'inbound-connector':
    case 'outbound-connector':
      return 'connector.write';
    case 'accepted-domain':
    case 'alias':
    case 'mailbox':
    case 'rule':
      return 'policy.write';
  }
}

/** An organization is its own; null for what belongs to the gateway. */
export function organizationOfObject({ kind, organization, name }: ObjectKey): string | null {
  return kind === 'organization' ? name : organization;
}

/** Throws `object-unknown` for what is out of reach, `api-not-permitted` for what is seen and not changed. */
export function requireChange(actor: Actor, object: ObjectKey, verb: ObjectVerb): void {
  const organization = organizationOfObject(object);
  const permission = permissionToChange(object.kind, verb);
  if (mayDo(actor, permission, organization)) return;
  requireRead(actor, object);
  const text = `this takes the permission ${permission}, which you do not have`;
  throw new Failure('api-not-permitted', text, { wireText: text });
}

/** Throws `object-unknown` for what is out of reach. */
export function requireRead(actor: Actor, object: ObjectKey): void {
  const organization = organizationOfObject(object);
  if (mayDo(actor, permissionToRead(object.kind), organization)) return;
  const { name } = object;
  const where = organization === null ? `"${name}"` : `organization "${organization}"`;
  throw new Failure('object-unknown', `there is no ${where}`);
}
