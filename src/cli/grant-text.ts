/** Roles as the command line takes and shows them: `role`, or `role@organization`. */
import type { GrantView } from '../api/contract/people.ts';
import { grantSchema } from '../api/contract/people.ts';
import { Failure } from '../mail/failure.ts';

/** Throws `option-wrong`. */
export function parseGrant(text: string): GrantView {
  const at = text.indexOf('@');
  const role = at < 0 ? text : text.slice(0, at);
  const organization = at < 0 ? null : text.slice(at + 1);
  const grant = grantSchema.safeParse({ role, organization });
  if (grant.success) return grant.data;
  const why = grant.error.issues[0]?.message ?? 'is wrong';
  throw new Failure('option-wrong', `"${text}" is no role: ${why}`);
}

export function formatGrant({ role, organization }: { role: string; organization: string | null }) {
  return organization === null ? role : `${role}@${organization}`;
}
