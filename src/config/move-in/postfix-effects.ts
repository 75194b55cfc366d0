/**
 * What holds in Postfix for the mail of each domain that some line names: its route, and by next hop its
 * TLS policy.
 */
import { show } from '../readers.ts';
import type { MovePlace } from './move-report.ts';
import type { MailPattern } from './postfix-patterns.ts';
import { formatMailPattern, parseMailPattern } from './postfix-patterns.ts';
import type { PolicyEntry, PolicyTable } from './postfix-policy-table.ts';
import { findPolicy } from './postfix-policy-table.ts';
import type { RouteHost } from './postfix-routes.ts';
import { formatRouteHost, isOrdinaryTransport } from './postfix-routes.ts';
import type { TlsDemand, TlsSettings } from './postfix-tls-demand.ts';
import { demandOf } from './postfix-tls-demand.ts';
import type { TlsPolicy } from './postfix-tls-policy.ts';
import { strictnessOf } from './postfix-tls-policy.ts';
import type { RouteEntry, TransportTable } from './postfix-transports.ts';
import { routeFor } from './postfix-transports.ts';
import type { Remark } from './remark.ts';
import { changed, weaker } from './remark.ts';

/** By `contoso.com`, `.contoso.com` or `*`, in the order of the lines. */
export type Effects = ReadonlyMap<string, Effect>;

export interface OutboundSource {
  readonly policies: PolicyTable;
  readonly transports: TransportTable;
  /** Of mail that no transport map routes. */
  readonly otherwise: RouteEntry;
  /** Of next hops that no policy map names, and the line that says so. */
  readonly otherPolicy: { readonly policy: TlsPolicy; readonly spot: MovePlace };
  readonly settings: TlsSettings;
  /** Domains whose mail is handed on to servers of the same organization. */
  readonly ownDomains: ReadonlySet<string>;
  /** The certificate that connectors present; null where none is set. */
  readonly clientCertificate: string | null;
}

/** What holds for the mail of a pattern. */
export interface Effect {
  readonly pattern: MailPattern;
  readonly route: RouteEntry;
  /** Lines of policy maps; none: the policy of all other next hops. */
  readonly entries: readonly PolicyEntry[];
  readonly demand: TlsDemand;
  readonly hosts: readonly RouteHost[];
}

/** Every domain that a line names, once; all other mail last. */
function patternsOf({ policies, transports }: OutboundSource): readonly MailPattern[] {
  const keys = new Set([...transports.entries.keys(), ...policies.entries.keys()]);
  keys.delete('*');
  const found = [...keys].flatMap((key) => parseMailPattern(key) ?? []);
  return [...found, { kind: 'any' }];
}

function effectOf(pattern: MailPattern, source: OutboundSource): Effect {
  const route = routeFor(pattern, source.transports, source.otherwise);
  const { settings, policies } = source;
  if (route.route.kind !== 'hosts') {
    const entry = pattern.kind === 'any' ? null : findPolicy(policies, formatMailPattern(pattern));
    const domain = pattern.kind === 'exact' ? pattern.domain : null;
    const hop = { isMx: true, domain, hosts: [], isHostMx: false };
    const policy = entry?.policy ?? source.otherPolicy.policy;
    const entries = entry === null ? [] : [entry];
    const demand = demandOf(policy, hop, settings);
    const remarks = [...demand.remarks, ...(demand.isForced ? remarksOnRoute(route, []) : [])];
    return { pattern, route, entries, demand: { ...demand, remarks }, hosts: [] };
  }
  return effectOnHosts(pattern, route, source);
}

/** Each host of a next hop has a policy of its own in Postfix; here they share the strictest. */
function effectOnHosts(pattern: MailPattern, route: RouteEntry, source: OutboundSource): Effect {
  const { otherPolicy, settings } = source;
  const hosts = route.route.kind === 'hosts' ? route.route.hosts : [];
  const found = hosts.map(({ key }) => findPolicy(source.policies, key));
  const entries = found.flatMap((entry) => entry ?? []);
  const texts = new Set(found.map((entry) => entry?.text ?? ''));
  const hop = {
    isMx: false,
    domain: null,
    hosts: hosts.map(({ host }) => host),
    isHostMx: hosts.some(({ isMx }) => isMx),
  };
  const policies = found.map((entry) => entry?.policy ?? otherPolicy.policy);
  const policy = policies.reduce((best, each) =>
    strictnessOf(each) > strictnessOf(best) ? each : best,
  );
  const isClear = policies.filter((each) => strictnessOf(each) === strictnessOf(policy));
  const demand = demandOf(policy, hop, settings);
  const remarks = [
    ...demand.remarks,
    ...(texts.size > 1 ? [manyPolicies(texts, new Set(isClear).size === 1)] : []),
    ...remarksOnRoute(route, hosts),
  ];
  return { pattern, route, entries, hosts, demand: { ...demand, remarks } };
}

function manyPolicies(texts: ReadonlySet<string>, isClear: boolean): Remark {
  const list = [...texts].map((text) => (text === '' ? 'the general one' : show(text))).join(', ');
  const what = `its hosts have different TLS policies (${list})`;
  if (isClear) return changed(`${what}, and the strictest holds for all of them`);
  return weaker(`${what}, none of which is the strictest: make a connector for each`);
}

function remarksOnRoute({ route }: RouteEntry, hosts: readonly RouteHost[]): Remark[] {
  const transport = route.kind === 'hosts' || route.kind === 'mx' ? route.transport : '';
  const byMx = hosts.filter(({ isMx }) => isMx).map(({ host }) => host);
  return [
    ...(isOrdinaryTransport(transport)
      ? []
      : [
          weaker(
            `the transport ${transport} is one of master.cf, which is not read: it may demand more`,
          ),
        ]),
    ...(byMx.length === 0
      ? []
      : [changed(`${byMx.join(', ')}: the address of the name is taken before its MX records`)]),
  ];
}

/**
 * What holds for each domain that a line names, by its pattern.
 *
 * `*.contoso.com` covers contoso.com here, and `.contoso.com` does not there: so contoso.com is looked
 * at too.
 */
export function computeEffects(source: OutboundSource): Effects {
  const effects = new Map<string, Effect>();
  const add = (pattern: MailPattern): void => {
    const key = formatMailPattern(pattern);
    if (!effects.has(key)) effects.set(key, effectOf(pattern, source));
  };
  for (const pattern of patternsOf(source)) {
    if (pattern.kind === 'below') add({ kind: 'exact', domain: pattern.domain });
    add(pattern);
  }
  return effects;
}

/** The keys that decide; equal for mail that is treated alike. */
export function keysOf({ demand, hosts }: Effect): Readonly<Record<string, unknown>> {
  return {
    ...demand.keys,
    ...(hosts.length === 0 ? {} : { smartHosts: hosts.map(formatRouteHost) }),
  };
}

export function isOff({ demand }: Effect): boolean {
  return demand.remarks.some((remark) => remark.isWeaker);
}

function isAlike(a: Effect, b: Effect): boolean {
  return JSON.stringify(keysOf(a)) === JSON.stringify(keysOf(b)) && isOff(a) === isOff(b);
}

/** Whether mail would be treated otherwise without a connector for it, or a line asks for one. */
export function isNeeded(effect: Effect, effects: Effects, source: OutboundSource): boolean {
  const { pattern, route } = effect;
  if (route.route.kind === 'other' || route.route.kind === 'wrong') return false;
  if (pattern.kind === 'any') return effect.hosts.length > 0 || effect.demand.isForced;
  const isOwnPolicy = effect.entries.some(({ property }) => isKeyOf(property, pattern));
  const isOwnRoute =
    effect.hosts.length > 0 && source.transports.entries.has(formatMailPattern(pattern));
  if (isOwnPolicy && effect.hosts.length === 0) return true;
  if (isOwnRoute) return true;
  const wider = widerEffect(pattern, effects);
  if (wider !== null) return !isAlike(effect, wider);
  return effect.demand.isForced || effect.hosts.length > 0;
}

function isKeyOf(property: string, pattern: MailPattern): boolean {
  const own = parseMailPattern(property);
  if (own !== null) return formatMailPattern(own) === formatMailPattern(pattern);
  // A regular expression; it was found by this pattern.
  return property.startsWith('/');
}

/** What would hold for the pattern here if it had no connector. */
function widerEffect(pattern: MailPattern, effects: Effects): Effect | null {
  if (pattern.kind === 'any') return null;
  const labels = pattern.domain.split('.');
  const first = pattern.kind === 'exact' ? 0 : 1;
  for (let place = first; place < labels.length; place++) {
    const found = effects.get(`.${labels.slice(place).join('.')}`);
    if (found !== undefined) return found;
  }
  return effects.get('*') ?? null;
}

/** A domain for all below it, or the other way round, where both are treated alike; null else. */
export function twinOf(effect: Effect, effects: Effects): Effect | null {
  const { pattern } = effect;
  if (pattern.kind === 'any') return null;
  const kind = pattern.kind === 'exact' ? 'below' : 'exact';
  const found = effects.get(formatMailPattern({ kind, domain: pattern.domain }));
  return found !== undefined && isAlike(effect, found) ? found : null;
}
