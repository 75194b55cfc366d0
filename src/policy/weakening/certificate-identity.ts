/**
 * Which client certificates say that a session is of an own server.
 *
 * Stricter than the floor, where a pin implies CA and name since only the partner holds the key:
 * whoever names a key here may name any key, also of a certificate that no CA and no name speaks for.
 */
import { certificateRequirementOf } from '../connector-clauses.ts';
import { findWeakened } from '../floor.ts';
import type { InboundConnector } from '../policy.ts';
import type { Clause } from '../tls-requirement.ts';

/** Whether it knows any server by certificate. */
export function isKnownByCertificate({
  tlsSenderCertificateNames,
  pins,
}: InboundConnector): boolean {
  return tlsSenderCertificateNames.length > 0 || pins.length > 0;
}

/** Whether every certificate that `other` knows is known by the connector, too. */
export function knowsAllOf(connector: InboundConnector, other: InboundConnector): boolean {
  if (!isKnownByCertificate(other)) return true;
  return isKnownByCertificate(connector) && findDropped(connector, other).length === 0;
}

/** What `before` demands of a certificate and `after` does not; both know some. */
export function findDropped(before: InboundConnector, after: InboundConnector): readonly Clause[] {
  const { clauses } = certificateRequirementOf(after);
  const demanded = certificateRequirementOf(before).clauses;
  return [
    ...findWeakened(demanded.filter(isPin), { clauses }),
    ...findWeakened(
      demanded.filter((clause) => !isPin(clause)),
      { clauses: clauses.filter((clause) => !isPin(clause)) },
    ),
  ];
}

function isPin({ kind }: Clause): boolean {
  return kind === 'trust-spki';
}
