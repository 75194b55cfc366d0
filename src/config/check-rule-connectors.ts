/** Checks of what rules name outside of themselves: the connector that they route to, overrides. */
import { findNearest } from './nearest.ts';
import type { Located, Parts, Report } from './parts.ts';
import type { ParsedRule } from './schema-rules.ts';

export function checkRuleConnectors(
  parts: Parts,
  { value, path }: Located<ParsedRule>,
  report: Report,
): void {
  const route = value.routeMessageOutboundConnector;
  if (route !== null) checkRoute(parts, { value, path }, report);
  value.overrides.forEach((name, place) => {
    const here = [...path, 'overrides', place];
    if (name === route) {
      const text = `names the connector that the rule routes to: what "${name}" demands holds there`;
      report({ path: here, at: 'value', text });
    } else checkName(parts, name, { path: here, report });
  });
  if (route !== null || value.overrides.length === 0) return;
  const text = 'acts only with routeMessageOutboundConnector: the route that leads past connectors';
  report({ path: [...path, 'overrides'], at: 'key', text });
}

function checkRoute(
  parts: Parts,
  { value, path }: Pick<Located<ParsedRule>, 'value' | 'path'>,
  report: Report,
): void {
  const name = value.routeMessageOutboundConnector!;
  const here = [...path, 'routeMessageOutboundConnector'];
  const found = parts.outbound.find((connector) => connector.value.name === name);
  if (found === undefined) return checkName(parts, name, { path: here, report });
  if (!found.value.isTransportRuleScoped) {
    const text = `needs isTransportRuleScoped: true on the connector "${name}", so that only rules choose it`;
    report({ path: here, at: 'value', text });
  } else if (!found.value.enabled && value.enabled) {
    const text = `the connector "${name}" is off: mail that this rule meets will wait`;
    report({ path: here, at: 'value', text, severity: 'warning' });
  }
}

function checkName(
  parts: Parts,
  name: string,
  at: { readonly path: Located<ParsedRule>['path']; readonly report: Report },
): void {
  const names = parts.outbound.map(({ value }) => value.name);
  if (names.includes(name) || !parts.outboundAreWhole) return;
  const text = `there is no outbound connector "${name}"`;
  at.report({ path: at.path, at: 'value', text, suggestion: findNearest(name, names) });
}
