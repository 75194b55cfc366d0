/**
 * Mail-flow rules, from Get-TransportRule, in the order of their priority.
 *
 * A rule of which a condition, an exception or an action cannot be had is off: with a part less it
 * would meet other mail, or do less to it.
 * @see New-TransportRule
 */
import { show } from '../readers.ts';
import { Draft } from './draft.ts';
import { nameConnector } from './exchange-connectors.ts';
import { sayWrong } from './exchange-lists.ts';
import { ObjectReader, lostInCsv } from './exchange-object.ts';
import { actionKeys, conditionKeys } from './exchange-rule-keys.ts';
import type { RuleKey, TextRuleKey } from './exchange-rule-keys.ts';
import type { ExchangeObject, ExchangeProperty } from './exchange-source.ts';
import {
  isTypeName,
  readFlag,
  readJoinedList,
  readList,
  readMoment,
  readSizeBytes,
  readText,
  unwrap,
} from './exchange-values.ts';
import type { RuleConnector } from './exchange-rule-shell.ts';
import { leaveDescriptions, takeRoute, takeShell } from './exchange-rule-shell.ts';
import type { UniqueNames } from './unique-names.ts';

/** `connectors`: those that only rules choose, by the names that they had, in lower case. */
export function importRules(
  objects: readonly ExchangeObject[],
  names: UniqueNames,
  connectors: ReadonlyMap<string, RuleConnector>,
): Draft[] {
  const ordered = objects
    .map((object, place) => ({ object, priority: priorityOf(object), place }))
    .toSorted((a, b) => a.priority - b.priority || a.place - b.place);
  return ordered.map(({ object }, place) => importRule(object, { names, connectors, place }));
}

function priorityOf({ properties }: ExchangeObject): number {
  const found = properties.find(({ property }) => property.toLowerCase() === 'priority');
  const priority = Number(found === undefined ? Number.NaN : readText(found.value));
  return Number.isFinite(priority) ? priority : Number.MAX_SAFE_INTEGER;
}

interface RuleContext {
  readonly names: UniqueNames;
  readonly connectors: ReadonlyMap<string, RuleConnector>;
  /** Among the rules, from 0. */
  readonly place: number;
}

function importRule(object: ExchangeObject, { names, connectors, place }: RuleContext): Draft {
  const named = nameConnector(object, names);
  const draft = new Draft('rule', named.name, object, `rule ${show(named.written)}`);
  const reader = new ObjectReader(object, draft);
  takeShell(reader, named, place);
  for (const [name, key] of conditionKeys) takeKey(reader, name, key);
  takeDates(reader);
  takeRoute(reader, connectors);
  for (const [name, key] of actionKeys) takeKey(reader, name, key);
  leaveDescriptions(reader);
  reader.finish(describeUnknown);
  const isProtecting = draft.value['routeMessageOutboundRequireTls'] === true || draft.isOff;
  if (isProtecting && draft.value['enabled'] !== false)
    draft.protects = `mail of rule ${show(named.written)}`;
  return draft;
}

const actionNames =
  /^(?:Apply|Remove|Set|Moderate|Notify|SenderNotification|Generate|IncidentReport|Copy|AddManager|Disconnect|RouteMessageOutboundIpPool|SmtpReject|Log)/i;

function describeUnknown({ property, value }: ExchangeProperty): string {
  const what = /^ExceptIf/i.test(property)
    ? 'an exception'
    : actionNames.test(property)
      ? 'an action'
      : 'a condition';
  return `${show(value)}: ${what} that there is not here`;
}

function takeKey(reader: ObjectReader, name: string, key: RuleKey): void {
  const { draft } = reader;
  const spot = reader.given(name);
  if (spot === null) return;
  if ('accept' in key) takeTexts(draft, spot, key);
  else if (key.kind === 'flag') takeFlag(draft, spot, key.key);
  else takeSize(draft, spot, key.key);
}

function takeFlag(draft: Draft, spot: ExchangeProperty, key: string): void {
  const value = readFlag(spot.value);
  if (value === null) draft.turnOff(spot, `must be True or False, not ${show(spot.value)}`);
  else if (value) draft.take(spot, key, true);
  else draft.leave(spot, 'false, as where it is not written');
}

function takeSize(draft: Draft, spot: ExchangeProperty, key: string): void {
  const bytes = readSizeBytes(spot.value);
  if (bytes === null) draft.turnOff(spot, `${show(spot.value)} is no size that can be read`);
  else draft.take(spot, key, `${bytes}B`);
}

function takeTexts(draft: Draft, spot: ExchangeProperty, key: TextRuleKey): void {
  const texts = textsOf(spot, key);
  if (typeof texts === 'string') {
    draft.turnOff(spot, texts);
    return;
  }
  const wrong = texts.flatMap((text) => {
    const read = key.accept.read(text);
    return 'value' in read ? [] : [sayWrong(text, read.wrong)];
  });
  const right = texts.filter((text) => 'value' in key.accept.read(text));
  for (const why of wrong) draft.turnOff(spot, why);
  if (right.length === 0) return;
  draft.take(spot, key.key, key.kind === 'single' ? right[0] : right);
}

/** Why not, where the texts cannot be told. */
function textsOf({ value }: ExchangeProperty, key: TextRuleKey): readonly string[] | string {
  if (isTypeName(value)) return lostInCsv;
  if (key.kind === 'joined') return readJoinedList(value) ?? `${show(value)} is no list of texts`;
  const texts = readList(value);
  if (texts === null) return `${show(value)} is no text`;
  if (key.kind === 'single') {
    return texts.length === 1 ? texts : `${show(value)}: one text is expected`;
  }
  const isJoined = !Array.isArray(unwrap(value)) && /[\s,;|]/.test(texts[0] ?? '');
  if (!isJoined) return texts;
  return `${show(value)}: a text in the place of a list, and nothing tells one entry from several; export with ConvertTo-Json -Depth 4`;
}

function takeDates(reader: ObjectReader): void {
  const { draft } = reader;
  for (const [name, key] of [
    ['ActivationDate', 'activationDate'],
    ['ExpiryDate', 'expiryDate'],
  ] as const) {
    const spot = reader.given(name);
    if (spot === null) continue;
    const moment = readMoment(spot.value);
    if (moment === null) {
      const text = `${show(spot.value)} is no date that can be read without knowing the country; export with ConvertTo-Json`;
      draft.turnOff(spot, text);
    } else if (moment.isZoneGuessed) {
      draft.change(spot, key, moment.at, 'in UTC, since the export names no zone');
    } else draft.take(spot, key, moment.at);
  }
}
