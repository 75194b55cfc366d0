/**
 * Moving in from Exchange: what Get-InboundConnector, Get-OutboundConnector, Get-AcceptedDomain and
 * Get-TransportRule print becomes policy objects, and a report with a line for each property.
 *
 * Pure: text in, objects and report out. What comes out loads. Nothing is weaker than it was; what
 * cannot be carried over safely is off, and said.
 */
import type { PolicyObject } from '../policy-object.ts';
import { show } from '../readers.ts';
import type { SourceFile } from './decode-text.ts';
import type { Draft } from './draft.ts';
import { importAcceptedDomains } from './exchange-domains.ts';
import { importInbound } from './exchange-inbound.ts';
import { importOutbound } from './exchange-outbound.ts';
import type { RuleConnector } from './exchange-rule-shell.ts';
import { importRules } from './exchange-rules.ts';
import type { ExchangeKind, ExchangeObject } from './exchange-source.ts';
import { readExchangeFile } from './exchange-source.ts';
import { toObjects } from './imported-flow.ts';
import type { MoveLine, MoveReport } from './move-report.ts';
import { makeReport } from './move-report.ts';
import { organizationIdFor } from './organization-id.ts';
import { settleDrafts } from './settle-drafts.ts';
import { UniqueNames } from './unique-names.ts';

export interface Imported {
  readonly objects: readonly PolicyObject[];
  readonly report: MoveReport;
}

/** `organization`: the id of the organization that they are for; null: made of its first domain. */
export function importExchange(
  files: readonly SourceFile[],
  organization: string | null = null,
): Imported {
  const sources = files.map(readExchangeFile);
  const objects = sources.flatMap((source) => source.objects);
  const of = (kind: ExchangeKind): ExchangeObject[] =>
    objects.filter((object) => object.kind === kind);
  const domains = importAcceptedDomains(of('AcceptedDomain'));
  const drafts = [...domains, ...importFlow(of, domains)];
  const first = domains.find(({ isDropped }) => !isDropped);
  const id = organization ?? organizationIdFor(first?.name ?? null);
  settleDrafts(drafts, id);
  const lines = [
    ...sources.flatMap(({ unread }) =>
      unread.map((part): MoveLine => ({
        ...part,
        subject: '',
        property: '',
        outcome: 'not-possible',
      })),
    ),
    ...objects.filter(({ kind }) => kind === null).flatMap(tellUnknown),
    ...drafts.flatMap((draft) => draft.lines),
    ...tellMissingDomains(files, drafts),
  ];
  const report = makeReport('exchange', {
    files: files.map(({ name }) => name),
    lines,
    unprotected: unprotectedBy(drafts),
  });
  return { objects: toObjects(drafts, id), report };
}

/** Connectors before the rules that name them. */
function importFlow(
  of: (kind: ExchangeKind) => ExchangeObject[],
  domains: readonly Draft[],
): Draft[] {
  const accepted = new Set(domains.filter(({ isDropped }) => !isDropped).map(({ name }) => name));
  const inboundNames = new UniqueNames();
  const inbound = of('InboundConnector').map((object) =>
    importInbound(object, inboundNames, accepted),
  );
  const outboundNames = new UniqueNames();
  const outbound = of('OutboundConnector').map((object) => importOutbound(object, outboundNames));
  const forRules = new Map<string, RuleConnector>();
  for (const { draft, written } of outbound) {
    const key = written.trim().toLowerCase();
    const isForRules = draft.value['isTransportRuleScoped'] === true && !draft.isDropped;
    if (isForRules && !forRules.has(key)) {
      const isOff = draft.isOff || draft.value['enabled'] === false;
      forRules.set(key, { name: draft.name, isOff });
    }
  }
  const rules = importRules(of('TransportRule'), new UniqueNames(), forRules);
  return [...inbound, ...outbound.map(({ draft }) => draft), ...rules];
}

/** Whatever the source protected and that is off now, or not made. */
export function unprotectedBy(drafts: readonly Draft[]): string[] {
  return drafts.flatMap(({ protects, isOff, isDropped }) =>
    protects !== null && (isOff || isDropped) ? [protects] : [],
  );
}

function tellUnknown({ properties, line, file }: ExchangeObject): MoveLine[] {
  const known =
    'Get-InboundConnector, Get-OutboundConnector, Get-AcceptedDomain and Get-TransportRule are read';
  const head = `it is from none of the cmdlets that are read; ${known}`;
  const subject = 'an object';
  return [
    { file, line, subject, property: '', outcome: 'not-possible', text: head },
    ...properties.map((spot): MoveLine => ({
      file: spot.file,
      line: spot.line,
      subject,
      property: spot.property,
      outcome: 'not-possible',
      text: `${show(spot.value)}: what it means is not known`,
    })),
  ];
}

function tellMissingDomains(files: readonly SourceFile[], drafts: readonly Draft[]): MoveLine[] {
  const [first] = files;
  const hasDomain = drafts.some(({ kind, isDropped }) => kind === 'accepted-domain' && !isDropped);
  if (first === undefined || hasDomain) return [];
  const text =
    'there is no accepted domain in the files: add what Get-AcceptedDomain prints, or name them by hand, since an organization needs one';
  return [{ file: first.name, line: 1, subject: '', property: '', outcome: 'not-possible', text }];
}
