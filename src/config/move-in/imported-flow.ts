/** What an import makes, as policy objects, and as the YAML of a configuration file. */
import { composePolicy } from '../compose-policy.ts';
import { formatConfig } from '../format-config.ts';
import type { PolicyObject } from '../policy-object.ts';
import type { Draft } from './draft.ts';

/** The drafts that are made, after the organization that they belong to. */
export function toObjects(drafts: readonly Draft[], organization: string): PolicyObject[] {
  const id = organization;
  const own: PolicyObject = { kind: 'organization', organization: null, name: id, value: { id } };
  const made = drafts.filter(({ isDropped }) => !isDropped);
  const others = made.map(({ kind, name, value }) => ({
    kind,
    organization: kind === 'certificate' ? null : organization,
    name,
    value,
  }));
  return [own, ...others];
}

/** `head`: lines of comment above it. */
export function formatFlow(objects: readonly PolicyObject[], head: readonly string[]): string {
  const comment = head.map((line) => `# ${line}\n`).join('');
  return `${comment}${formatConfig(composePolicy({}, objects).value, false)}`;
}
