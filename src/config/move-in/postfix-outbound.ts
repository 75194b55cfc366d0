/**
 * Outbound connectors of what Postfix says about mail that leaves: its routes, and by next hop its TLS
 * policies.
 *
 * For each domain that some line names, what holds for its mail in Postfix is worked out whole, and a
 * connector made of it.
 */
import { show } from '../readers.ts';
import { Draft } from './draft.ts';
import type { Spot } from './draft.ts';
import type { MoveLine, MovePlace } from './move-report.ts';
import type { Effect, Effects, OutboundSource } from './postfix-effects.ts';
import { computeEffects, isNeeded, isOff, keysOf, twinOf } from './postfix-effects.ts';
import type { MailPattern } from './postfix-patterns.ts';
import { formatMailPattern, parseMailPattern } from './postfix-patterns.ts';
import { formatRouteHost, isOrdinaryTransport } from './postfix-routes.ts';
import type { UniqueNames } from './unique-names.ts';

export function importOutboundFlow(
  source: OutboundSource,
  names: UniqueNames,
): { readonly drafts: readonly Draft[]; readonly lines: readonly MoveLine[] } {
  const effects = computeEffects(source);
  const needed = new Set(
    [...effects.values()].filter((effect) => isNeeded(effect, effects, source)),
  );
  const drafts = [...needed].flatMap((effect) =>
    draftOf(effect, effects, { source, names, needed }),
  );
  return { drafts, lines: [...tellUnused(effects, source), ...tellUnusedRoutes(drafts, source)] };
}

interface Making {
  /** Those that a connector is made for. */
  readonly needed: ReadonlySet<Effect>;
  readonly source: OutboundSource;
  readonly names: UniqueNames;
}

/** One connector for a domain and all below it, where both are treated alike. */
function draftOf(effect: Effect, effects: Effects, { source, names, needed }: Making): Draft[] {
  const { pattern } = effect;
  const twin = twinOf(effect, effects);
  // What is below the domain makes the connector for both.
  if (pattern.kind === 'exact' && twin !== null && needed.has(twin)) return [];
  const place = placeOf(effect, effects, source);
  const domain = recipientDomain(pattern);
  const isBoth = pattern.kind === 'below' && twin !== null;
  const name = names.make(nameOf(pattern, isBoth));
  const draft = new Draft('outbound-connector', name, place, `outbound connector ${show(name)}`);
  Object.assign(draft.value, {
    name,
    ...(isOwn(pattern, source) && effect.hosts.length > 0 ? { connectorType: 'OnPremises' } : {}),
    recipientDomains: [domain],
    ...keysOf(effect),
    ...(source.clientCertificate === null ? {} : { clientCertificate: source.clientCertificate }),
  });
  tell(draft, effect);
  if (isBoth) tell(draft, twin);
  tellGeneral(draft, effect);
  if (effect.demand.isForced)
    draft.protects = `mail to ${domain === '*' ? 'all other domains' : domain}`;
  return [draft];
}

function recipientDomain(pattern: MailPattern): string {
  if (pattern.kind === 'any') return '*';
  return pattern.kind === 'below' ? `*.${pattern.domain}` : pattern.domain;
}

function nameOf(pattern: MailPattern, isBoth: boolean): string {
  if (pattern.kind === 'any') return 'All other mail';
  return pattern.kind === 'below' && !isBoth ? `*.${pattern.domain}` : pattern.domain;
}

function isOwn(pattern: MailPattern, { ownDomains }: OutboundSource): boolean {
  return pattern.kind !== 'any' && ownDomains.has(pattern.domain);
}

/** The line of the policy, else that of the route, else that of what is below it, else the general one. */
function placeOf(
  { entries, route, pattern }: Effect,
  effects: Effects,
  { otherPolicy }: OutboundSource,
): MovePlace {
  const isExact = pattern.kind === 'exact';
  const below = isExact ? effects.get(`.${pattern.domain}`) : undefined;
  const spot = entries[0] ?? route.spot ?? below?.entries[0] ?? below?.route.spot;
  const { file, line } = spot ?? otherPolicy.spot;
  return { file, line };
}

/** Each line that took part, with what became of it and all that is to be said about that. */
function tell(draft: Draft, effect: Effect): void {
  const { entries, route, demand, hosts } = effect;
  const { smartHosts: _hosts, ...keys } = keysOf(effect);
  const tls = Object.entries(keys).map(([key, value]) => `${key}: ${show(value)}`);
  const words = tls.length === 0 ? 'TLS where the other side offers it' : tls.join(', ');
  const remarks = demand.remarks.map(({ text }) => text);
  const state = isOff(effect) ? 'off, with ' : '';
  const about = (text: string): string =>
    [`${show(text)}: ${state}${words}`, ...remarks].join('; ');
  for (const entry of entries) say(draft, entry, effect, about(entry.text));
  const { spot, text } = route;
  if (spot === null || route.route.kind === 'unchanged') return;
  const way = hosts.length === 0 ? 'by MX' : `smartHosts: ${show(hosts.map(formatRouteHost))}`;
  if (entries.length > 0) say(draft, spot, null, `${show(text)}: ${way}`);
  else say(draft, spot, effect, [`${show(text)}: ${state}${way}, ${words}`, ...remarks].join('; '));
}

/** Once for a line; `effect` null: nothing of it is changed. */
function say(draft: Draft, spot: Spot, effect: Effect | null, text: string): void {
  const isSaid = draft.lines.some(
    ({ file, line, property }) =>
      file === spot.file && line === spot.line && property === spot.property,
  );
  if (isSaid) return;
  const remarks = effect?.demand.remarks ?? [];
  if (remarks.some(({ isWeaker }) => isWeaker)) draft.turnOffAndSaySo(spot, text);
  else if (remarks.some(({ outcome }) => outcome === 'not-possible')) draft.miss(spot, text);
  else draft.say(spot, remarks.length > 0 ? 'changed' : 'taken-over', text);
}

/** All other mail, where only the general level speaks of it; or a domain that no line names itself. */
function tellGeneral(draft: Draft, effect: Effect): void {
  if (draft.lines.length > 0) return;
  const texts = effect.demand.remarks.map(({ text }) => text);
  const { pattern } = effect;
  const property = pattern.kind === 'any' ? 'smtp_tls_security_level' : formatMailPattern(pattern);
  const tls = Object.entries(keysOf(effect)).map(([key, value]) => `${key}: ${show(value)}`);
  const state = isOff(effect) ? 'off, with ' : '';
  const words = tls.length === 0 ? 'TLS where the other side offers it' : tls.join(', ');
  const why = pattern.kind === 'any' ? [] : ['no line names it, and *.domain would cover it here'];
  say(
    draft,
    { ...draft.place, property },
    effect,
    [`${state}${words}`, ...texts, ...why].join('; '),
  );
}

/** Lines of policy maps that no mail asks for, in Postfix neither. */
function tellUnused(effects: Effects, source: OutboundSource): MoveLine[] {
  const used = new Set([...effects.values()].flatMap(({ entries }) => entries));
  return [...source.policies.entries.values()]
    .filter((entry) => !used.has(entry))
    .filter((entry, place, all) => all.indexOf(entry) === place)
    .map(({ property, file, line, text }): MoveLine => {
      const isHost = parseMailPattern(property) === null;
      const why = isHost
        ? 'no route of main.cf and its transport maps leads there, so no mail asks for it'
        : 'has no effect: the mail of this domain goes to other next hops, by whose policies Postfix decides';
      return {
        subject: '',
        property,
        file,
        line,
        outcome: 'left-out',
        text: `${show(text)}: ${why}`,
      };
    });
}

/** Lines of transport maps that make no connector. */
function tellUnusedRoutes(drafts: readonly Draft[], { transports }: OutboundSource): MoveLine[] {
  const placeOfLine = ({ file, line, property }: Spot): string => `${file}\n${line}\n${property}`;
  const said = new Set(
    [...drafts.flatMap(({ lines }) => lines), ...transports.lines].map(placeOfLine),
  );
  const lines = [...transports.entries.values()].flatMap(({ spot, text, route }): MoveLine[] => {
    if (spot === null || said.has(placeOfLine(spot))) return [];
    said.add(placeOfLine(spot));
    const transport = route.kind === 'mx' ? route.transport : '';
    const isPlain = isOrdinaryTransport(transport);
    const why = isPlain
      ? 'such mail goes the way that it goes without the line'
      : `by MX; the transport ${transport} is one of master.cf, which is not read: it may demand more`;
    const outcome = isPlain ? 'left-out' : 'not-possible';
    return [{ subject: '', ...spot, outcome, text: `${show(text)}: ${why}` }];
  });
  return lines;
}
