/** How the command line is spelt: for sentences that name what the person wrote, or could write. */
import type { PolicyKind } from './policy-kind.ts';
import { toKebab } from './object-field.ts';

export interface Spelling {
  readonly nameOf: (kind: PolicyKind, key: string) => string;
  readonly organization: string;
  readonly reason: string;
  readonly confirmed: string;
}

export const kebabSpelling: Spelling = {
  nameOf: (_kind, key) => `--${toKebab(key)}`,
  organization: '--organization',
  reason: '--reason',
  confirmed: '--yes',
};
