/** The header of a hypothetical message, read and cleaned as that of one that arrives. */
import type { SupposedArrival, SupposedHeader } from '../api/explain-content.ts';
import { readRuleHeader } from '../content/read-rule-header.ts';
import { readArrivingHeader } from '../content/arriving-header.ts';
import type { Policy } from '../policy/policy.ts';
import { rulesForParts, statePart } from '../receiving/arrival.ts';

/** `lines` are fields without line ends. */
export function readSupposedHeader(
  policy: Policy,
  lines: readonly string[],
  arrival: SupposedArrival,
): SupposedHeader {
  const text = [...lines, ''].map((line) => `${line}\r\n`).join('');
  const arriving = readArrivingHeader(
    Buffer.from(text, 'utf8'),
    rulesForParts(policy, [arrival]),
    null,
  );
  const kept = statePart(policy, arrival, arriving);
  const { from } = arriving.facts;
  return {
    from,
    header: readRuleHeader(Buffer.concat(kept.pieces), from, policy.hostName),
    removed: Object.keys(arriving.changes?.removed ?? {}),
  };
}
