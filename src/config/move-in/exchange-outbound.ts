/** Outbound connectors, from Get-OutboundConnector. @see New-OutboundConnector */
import { smartHosts } from '../connector-readers.ts';
import { domainPattern } from '../mail-readers.ts';
import { show } from '../readers.ts';
import { Draft } from './draft.ts';
import { nameConnector, takeShared, takeType } from './exchange-connectors.ts';
import { readDomains, readHosts, takeEntries } from './exchange-lists.ts';
import { ObjectReader } from './exchange-object.ts';
import { takeModes, takeServers, takeValidation } from './exchange-outbound-rest.ts';
import { takeOutboundTls } from './exchange-outbound-tls.ts';
import type { ExchangeObject } from './exchange-source.ts';
import type { UniqueNames } from './unique-names.ts';

export interface ImportedOutbound {
  readonly draft: Draft;
  /** Its name in the source, by which rules name it. */
  readonly written: string;
}

export function importOutbound(object: ExchangeObject, names: UniqueNames): ImportedOutbound {
  const named = nameConnector(object, names);
  const draft = new Draft(
    'outbound-connector',
    named.name,
    object,
    `outbound connector ${show(named.written)}`,
  );
  const reader = new ObjectReader(object, draft);
  takeShared(reader, named);
  takeTestMode(reader);
  const isOn = draft.value['enabled'] !== false;
  const type = takeType(reader);
  const use = takeUse(reader, type);
  const hosts = takeRoute(reader);
  takeCentral(reader, type, hosts);
  const demands = takeOutboundTls(reader, { patterns: use.patterns, hosts });
  takeServers(reader, type);
  takeModes(reader, hosts.length > 0);
  takeValidation(reader, use);
  reader.refuse(
    ['LinkForModifiedConnector'],
    'reserved by Microsoft, and without meaning for anybody else',
    false,
  );
  reader.finish();
  if (isOn && demands) draft.protects = protectedBy(use, named.written);
  const isCentral = draft.value['routeAllMessagesViaOnPremises'] === true;
  if (use.isNothing && !isCentral) {
    const isUnread = draft.isOff;
    const why = isUnread
      ? 'none of its domains can be read'
      : 'no domain and no rule leads to it, so no mail ever takes it';
    draft.drop(why, isUnread ? 'not-possible' : 'left-out');
  }
  return { draft, written: named.written };
}

export interface Use {
  readonly patterns: readonly string[];
  readonly isAllAccepted: boolean;
  readonly isForRules: boolean;
  /** No mail is led to it. */
  readonly isNothing: boolean;
}

function protectedBy({ patterns, isAllAccepted, isForRules }: Use, name: string): string {
  if (isForRules)
    return `mail that a rule leads to connector ${show(name)}: it waits until that is on`;
  const all = [...patterns, ...(isAllAccepted ? ['all accepted domains'] : [])];
  return `mail to ${all.join(', ') || 'domains that were not understood'}`;
}

/** Exchange keeps such a connector for tests and sends no mail of its own accord by it. */
function takeTestMode(reader: ObjectReader): void {
  const { spot, value } = reader.flag('TestMode', false);
  if (spot === null) return;
  if (value) {
    const why =
      'since Exchange sends no ordinary mail through a connector in test mode; mode: observe would send it';
    reader.draft.change(spot, 'enabled', false, why);
  } else reader.draft.leave(spot, 'false, as where it is not written');
}

function takeUse(reader: ObjectReader, type: 'Partner' | 'OnPremises'): Use {
  const { draft } = reader;
  const isForRules = reader.takeFlag('IsTransportRuleScoped', 'isTransportRuleScoped');
  const spot = reader.given('RecipientDomains');
  const all = reader.flag('AllAcceptedDomains', false);
  const why = 'has no effect beside IsTransportRuleScoped: true, where only rules choose';
  if (isForRules) {
    if (spot !== null) draft.leave(spot, `${show(spot.value)} ${why}`);
    if (all.spot !== null) draft.leave(all.spot, why);
    return { patterns: [], isAllAccepted: false, isForRules, isNothing: false };
  }
  const read = spot === null ? null : readDomains(spot, domainPattern());
  if (spot !== null && read !== null) {
    takeEntries(draft, spot, read, { key: 'recipientDomains', isWeaker: true });
  }
  const isAllAccepted = all.value && type === 'OnPremises';
  if (all.spot !== null && isAllAccepted) draft.take(all.spot, 'allAcceptedDomains', true);
  else if (all.spot !== null && all.value) {
    draft.turnOff(
      all.spot,
      'true needs ConnectorType OnPremises: such mail is for your own servers',
    );
  } else if (all.spot !== null) draft.leave(all.spot, 'false, as where it is not written');
  const patterns = read?.entries ?? [];
  return {
    patterns,
    isAllAccepted,
    isForRules,
    isNothing: patterns.length === 0 && !isAllAccepted,
  };
}

/** The smart hosts; empty where mail goes by MX. */
function takeRoute(reader: ObjectReader): readonly string[] {
  const { draft } = reader;
  const spot = reader.given('SmartHosts');
  const mx = reader.flag('UseMXRecord', spot === null);
  if (mx.value) {
    if (mx.spot !== null) draft.leave(mx.spot, 'true, as where no smart hosts are');
    if (spot !== null) {
      draft.leave(spot, `${show(spot.value)} has no effect beside UseMXRecord: true`);
    }
    return [];
  }
  const read = spot === null ? null : readHosts(spot, smartHosts());
  if (spot !== null && read !== null) {
    // A host less is a way less; the others are as safe as before.
    const isNone = read.entries.length === 0;
    takeEntries(draft, spot, read, { key: 'smartHosts', isWeaker: isNone });
  }
  const hosts = read?.entries ?? [];
  if (mx.spot !== null && hosts.length > 0) draft.leave(mx.spot, 'false, as smartHosts say');
  else if (mx.spot !== null || spot !== null) {
    const place = mx.spot ?? { ...draft.place, property: 'UseMXRecord' };
    draft.turnOff(
      place,
      'false needs a host in SmartHosts that can be read; by MX it would go elsewhere',
    );
  }
  return hosts;
}

/** Centralized mail transport. */
function takeCentral(
  reader: ObjectReader,
  type: 'Partner' | 'OnPremises',
  hosts: readonly string[],
): void {
  const { draft } = reader;
  const { spot, value } = reader.flag('RouteAllMessagesViaOnPremises', false);
  if (spot === null) return;
  const isForRules = draft.value['isTransportRuleScoped'] === true;
  if (!value) draft.leave(spot, 'false, as where it is not written');
  else if (isForRules) draft.leave(spot, 'has no effect beside IsTransportRuleScoped: true');
  else if (type === 'OnPremises' && hosts.length > 0) {
    draft.take(spot, 'routeAllMessagesViaOnPremises', true);
  } else {
    const why =
      'true needs ConnectorType OnPremises and SmartHosts: your servers, where all mail goes first';
    draft.turnOff(spot, why);
  }
}
