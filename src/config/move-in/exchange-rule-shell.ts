/** What surrounds conditions and actions of a rule of Exchange: name, order, mode, its connector. */
import { show } from '../readers.ts';
import type { ConnectorName } from './exchange-connectors.ts';
import type { ObjectReader } from './exchange-object.ts';
import { isUnset, readText } from './exchange-values.ts';

export function takeShell(
  reader: ObjectReader,
  { written, name }: ConnectorName,
  place: number,
): void {
  const { draft } = reader;
  draft.value['name'] = name;
  const spot = reader.given('Name');
  const at = spot ?? { ...draft.place, property: 'Name' };
  if (name !== written) {
    draft.change(
      at,
      'name',
      name,
      `since ${show(written)} cannot be a name here, or is one already`,
    );
  } else if (spot !== null) draft.take(spot, 'name', name);
  const priority = reader.given('Priority');
  if (priority !== null) {
    draft.say(priority, 'taken-over', `the order of the list; it stands at place ${place + 1}`);
  }
  takeState(reader);
  takeMode(reader);
  takeLocation(reader);
  reader.takeNote('Comments', 'comments');
  takeErrorAction(reader);
}

function takeState(reader: ObjectReader): void {
  const state = reader.word('State', ['Enabled', 'Disabled']);
  const flag = reader.flag('Enabled', true);
  const isOff = state?.value === 'Disabled' || !flag.value;
  if (isOff) reader.draft.value['enabled'] = false;
  for (const spot of [state?.value === null ? undefined : state?.spot, flag.spot]) {
    if (spot === undefined || spot === null) continue;
    if (isOff) reader.draft.take(spot, 'enabled', false);
    else reader.draft.leave(spot, 'on, as where it is not written');
  }
}

function takeMode(reader: ObjectReader): void {
  const found = reader.word('Mode', ['Enforce', 'Audit', 'AuditAndNotify']);
  if (found === null || found.value === null) return;
  const { spot, value } = found;
  if (value === 'Enforce') reader.draft.leave(spot, 'Enforce, as where it is not written');
  else if (value === 'Audit') reader.draft.take(spot, 'mode', 'Audit');
  else
    reader.draft.change(spot, 'mode', 'Audit', 'since there are no policy tips here to notify by');
}

function takeLocation(reader: ObjectReader): void {
  const found = reader.word('SenderAddressLocation', ['Header', 'Envelope', 'HeaderOrEnvelope']);
  if (found === null || found.value === null) return;
  if (found.value === 'Header')
    reader.draft.leave(found.spot, 'Header, as where it is not written');
  else reader.draft.take(found.spot, 'senderAddressLocation', found.value);
}

/** What cannot be examined is decided here by what the rule does, whatever Exchange was told. */
function takeErrorAction(reader: ObjectReader): void {
  const spot = reader.given('RuleErrorAction');
  if (spot === null) return;
  const text =
    'what cannot be examined is unknown here: a rule that only protects acts, for every other the message waits (docs/rules.md)';
  reader.draft.say(spot, 'changed', text);
}

/** A connector that only rules choose. */
export interface RuleConnector {
  /** As it is called here. */
  readonly name: string;
  readonly isOff: boolean;
}

/** The connector by the name that it has here. */
export function takeRoute(
  reader: ObjectReader,
  connectors: ReadonlyMap<string, RuleConnector>,
): void {
  const { draft } = reader;
  const spot = reader.given('RouteMessageOutboundConnector');
  if (spot === null) return;
  const written = readText(spot.value);
  const found = connectors.get((written ?? '').trim().toLowerCase());
  const name = found?.name;
  if (found === undefined) {
    const why = 'is no connector of this import that only rules choose (IsTransportRuleScoped)';
    draft.turnOff(spot, `${show(spot.value)} ${why}`);
  } else if (found.isOff) {
    const why = 'which is off: mail that this rule meets waits until it is on';
    draft.change(spot, 'routeMessageOutboundConnector', name, why);
  } else if (name === written) draft.take(spot, 'routeMessageOutboundConnector', name);
  else
    draft.change(spot, 'routeMessageOutboundConnector', name, 'as that connector is called here');
}

/** What Exchange writes about the rule in other words, and about its keeping. */
export function leaveDescriptions(reader: ObjectReader): void {
  const described = ['Conditions', 'Exceptions', 'Actions', 'Description'];
  const kept = [
    'CreatedBy',
    'LastModifiedBy',
    'ManuallyModified',
    'IsRuleConfigurationSupported',
    'RuleConfigurationUnsupportedReason',
    'RuleIdentity',
    'RuleSubType',
    'RuleVersion',
    'Size',
    'UseLegacyRegex',
    'DlpPolicy',
    'DlpPolicyId',
  ];
  for (const name of described) {
    const spot = reader.given(name);
    if (spot !== null) reader.draft.leave(spot, 'says the same as the other properties');
  }
  for (const name of kept) {
    const spot = reader.given(name);
    if (spot === null) continue;
    if (name.startsWith('DlpPolicy')) {
      reader.draft.turnOff(spot, 'the rule is a part of a DLP policy, which there is none of here');
    } else reader.draft.leave(spot, "Exchange's own bookkeeping");
  }
  const severity = reader.given('SetAuditSeverity');
  if (severity !== null && !isUnset(severity.value)) {
    reader.draft.miss(severity, 'has no place here: the trace has every rule that acted');
  }
}
