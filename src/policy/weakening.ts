/**
 * What another policy asks less than the one in force: connector by connector, then by the ways that
 * mail takes, and by rules. For whoever is about to put it in force, and has to say why.
 *
 * Mail that is queued already keeps the clauses under which it was accepted.
 */
import { formatDomainPattern } from '../mail/domain-pattern.ts';
import { requirementOfOutbound } from './connector-clauses.ts';
import { findOrganization } from './directory.ts';
import type { Organization, OutboundConnector, Policy } from './policy.ts';
import { describeLost } from './weakened-demands.ts';
import { inboundLosses, newWaysIn } from './weakened-inbound.ts';
import { weakenedRules } from './weakened-rules.ts';
import { weakenedWays } from './weakened-ways.ts';

/** `what` completes "… now": `demands no certificate …`. `connector` null: of the organization. */
export interface Weakening {
  readonly organization: string;
  readonly direction: 'inbound' | 'outbound';
  readonly connector: string | null;
  readonly what: string;
}

/** Empty where the other policy asks for at least as much of everybody. */
export function findWeakenings(before: Policy, after: Policy): readonly Weakening[] {
  return before.organizations.flatMap((organization) => {
    const today = findOrganization(after, organization.id);
    // Without the organization no mail of it moves at all.
    if (today === null) return [];
    return weakenedOrganization(before, after, { was: organization, is: today });
  });
}

function weakenedOrganization(
  before: Policy,
  after: Policy,
  organizations: { readonly was: Organization; readonly is: Organization },
): Weakening[] {
  const { was, is } = organizations;
  const outbound = weakened(was.outboundConnectors, is.outboundConnectors, outboundLosses);
  const told = new Set(outbound.map(({ connector }) => connector));
  const inbound = [
    ...weakened(was.inboundConnectors, is.inboundConnectors, inboundLosses),
    ...newWaysIn(was, is),
  ];
  const whole = [
    ...weakenedWays(before, after, organizations, told),
    ...weakenedRules(was.rules, is.rules),
  ];
  const organization = was.id;
  return [
    ...weakenedSettings(was, is),
    ...outbound.map((each) => ({ organization, direction: 'outbound' as const, ...each })),
    ...inbound.map((each) => ({ organization, direction: 'inbound' as const, ...each })),
    ...whole.map((what) => ({
      organization,
      direction: 'outbound' as const,
      connector: null,
      what,
    })),
  ];
}

function weakenedSettings(before: Organization, after: Organization): Weakening[] {
  const base = { organization: before.id, connector: null };
  const found: Weakening[] = [];
  if (before.rejectDirectSend && !after.rejectDirectSend) {
    const what = 'takes its own domains as MAIL FROM from anybody';
    found.push({ ...base, direction: 'inbound', what });
  }
  const mayGoClear = after.defaultConnector.clearTextAfterFailedTls;
  if (mayGoClear && !before.defaultConnector.clearTextAfterFailedTls) {
    const what = 'sends in clear where TLS failed twice';
    found.push({ ...base, direction: 'outbound', what });
  }
  return found;
}

interface Connector {
  readonly name: string;
  readonly enabled: boolean;
  readonly mode: string;
}

function weakened<Each extends Connector>(
  before: readonly Each[],
  after: readonly Each[],
  lossesOf: (before: Each, after: Each | null) => readonly string[],
): { readonly connector: string; readonly what: string }[] {
  const byName = new Map(after.map((each) => [each.name, each]));
  return before.filter(enforces).flatMap((each) => {
    const today = byName.get(each.name) ?? null;
    const losses = lossesOf(each, today !== null && enforces(today) ? today : null);
    if (losses.length === 0) return [];
    const what = today !== null && enforces(today) ? losses.join(' and ') : whyOff(today, losses);
    return [{ connector: each.name, what }];
  });
}

function enforces({ enabled, mode }: Connector): boolean {
  return enabled && mode === 'enforce';
}

function whyOff(today: Connector | null, losses: readonly string[]): string {
  const how = today === null ? 'is gone' : today.enabled ? `only ${verbOf(today.mode)}` : 'is off';
  return `${how}, and so ${losses.join(' and ')}`;
}

function verbOf(mode: string): string {
  return mode === 'warn' ? 'warns' : 'observes';
}

/** `after` null where it enforces nothing any more. */
function outboundLosses(before: OutboundConnector, after: OutboundConnector | null): string[] {
  // Any domain will do: names that depend on it depend on it in both.
  const domain = 'recipient.test';
  const losses = describeLost(
    requirementOfOutbound(before, domain).clauses,
    after === null ? { clauses: [] } : requirementOfOutbound(after, domain),
  );
  if (after === null) return losses;
  const patterns = new Set(after.recipientDomains.map(formatDomainPattern));
  const dropped = before.recipientDomains.map(formatDomainPattern).filter((p) => !patterns.has(p));
  const isForced = requirementOfOutbound(before, domain).clauses.length > 0;
  if (isForced && dropped.length > 0) losses.push(`no longer covers ${dropped.join(', ')}`);
  if (after.clearTextAfterFailedTls && !before.clearTextAfterFailedTls) {
    losses.push('sends in clear where TLS failed twice');
  }
  const known = new Set(before.trustedOrganizations);
  const trusted = after.trustedOrganizations.filter((each) => !known.has(each));
  if (isForced && trusted.length > 0) losses.push(`trusts ${trusted.join(', ')}`);
  return losses;
}

/** A sentence without a full stop, for people. */
export function describeWeakening({ organization, direction, connector, what }: Weakening): string {
  const whose =
    connector === null
      ? `the organization ${organization}`
      : `the ${direction} connector "${connector}" of ${organization}`;
  return `${whose} ${what}`;
}
