/**
 * Certificate policies, as far as a path may demand them of itself.
 *
 * Nobody configures policies here: the initial set is "any", so that a path fails only where one
 * of its CAs requires an explicit policy and no policy holds throughout. Policy mappings are not
 * followed: a path that maps policies and requires one fails, which is the safe side.
 * @see RFC 5280 §6.1.2, §6.1.3, §6.1.4, §6.1.5
 */
import type { ParsedCertificate } from './parsed-certificate.ts';

const anyPolicy = '2.5.29.32.0';

/** `valid` null stands for any policy. Counts are of certificates that may still follow. */
interface State {
  valid: ReadonlySet<string> | null;
  explicit: number;
  anyInhibited: number;
}

/** Why the path breaks its own policy demands; null where it does not. `path` is leaf first. */
export function policyViolation(path: readonly ParsedCertificate[]): string | null {
  const certificates = path.slice(0, -1).toReversed();
  const requires = certificates.some(
    ({ extensions }) => extensions.policies.requireExplicit !== null,
  );
  if (!requires) return null;
  if (certificates.some(({ extensions }) => extensions.policies.hasMappings)) {
    return 'an explicit policy is required and policies are mapped';
  }
  const far = certificates.length + 1;
  const state: State = { valid: null, explicit: far, anyInhibited: far };
  for (const [index, certificate] of certificates.entries()) {
    const isLeaf = index === certificates.length - 1;
    narrow(state, certificate, isLeaf);
    if (state.explicit === 0 && state.valid?.size === 0) return 'no policy holds for the path';
    count(state, certificate, isLeaf);
  }
  return state.explicit === 0 && state.valid?.size === 0 ? 'no policy holds for the path' : null;
}

/** The policies that still hold below this certificate. */
function narrow(state: State, certificate: ParsedCertificate, isLeaf: boolean): void {
  const { identifiers } = certificate.extensions.policies;
  if (identifiers === null) {
    state.valid = new Set();
    return;
  }
  const anyAllowed = state.anyInhibited > 0 || (!isLeaf && certificate.isSelfIssued);
  if (identifiers.includes(anyPolicy) && anyAllowed) return;
  const named = identifiers.filter((identifier) => identifier !== anyPolicy);
  const { valid } = state;
  state.valid = new Set(valid === null ? named : named.filter((each) => valid.has(each)));
}

function count(state: State, certificate: ParsedCertificate, isLeaf: boolean): void {
  const { requireExplicit, inhibitAny } = certificate.extensions.policies;
  if (isLeaf || !certificate.isSelfIssued) {
    state.explicit = Math.max(0, state.explicit - 1);
    state.anyInhibited = Math.max(0, state.anyInhibited - 1);
  }
  if (isLeaf) {
    if (requireExplicit === 0) state.explicit = 0;
    return;
  }
  state.explicit = Math.min(state.explicit, requireExplicit ?? state.explicit);
  state.anyInhibited = Math.min(state.anyInhibited, inhibitAny ?? state.anyInhibited);
}
