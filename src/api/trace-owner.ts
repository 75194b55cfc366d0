/** Whose a trace is: the organization that took the message in, or whose policy refused it. */
import type { TraceView } from './contract.ts';

/** Null where it is nobody's, or cannot be read: then it is the gateway's administrators' alone. */
export function ownerOfTrace({ events }: TraceView): string | null {
  const first = events.find(({ kind }) => kind === 'received' || kind === 'refused');
  if (first === undefined) return null;
  if (first.kind === 'received') return textOrNull(first.organization);
  if (first.kind !== 'refused') return null;
  const { decision } = first;
  if (typeof decision !== 'object' || decision === null) return null;
  return 'organization' in decision ? textOrNull(decision.organization) : null;
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
