/**
 * What Exchange's Get- cmdlets print, as objects with properties: from ConvertTo-Json or Export-Csv.
 *
 * Which cmdlet an object is from is told by the names of its properties.
 */
import type { CsvRecord, CsvTable } from './csv-lines.ts';
import { readCsv } from './csv-lines.ts';
import type { SourceFile } from './decode-text.ts';
import { decodeText, findBrokenLine } from './decode-text.ts';
import type { Spot } from './draft.ts';
import type { JsonEntry, JsonNode } from './json-lines.ts';
import { readJson } from './json-lines.ts';

export type ExchangeKind =
  'InboundConnector' | 'OutboundConnector' | 'AcceptedDomain' | 'TransportRule';

/** `value` is plain: text, number, boolean, null, or lists and mappings of them. */
export interface ExchangeProperty extends Spot {
  readonly value: unknown;
  /** In CSV everything is text, and lists were joined. */
  readonly isFromCsv: boolean;
}

export interface ExchangeObject {
  /** Null where no cmdlet that is read here prints such an object. */
  readonly kind: ExchangeKind | null;
  readonly file: string;
  readonly line: number;
  /** In the order of the source; a name that comes twice is there twice. */
  readonly properties: readonly ExchangeProperty[];
}

/** A file, or a part of one, that holds no object: what it is instead. */
export interface UnreadPart {
  readonly file: string;
  readonly line: number;
  readonly text: string;
}

export interface ExchangeSource {
  readonly objects: readonly ExchangeObject[];
  readonly unread: readonly UnreadPart[];
}

/** What is lost of a word that a rule looks for, or of a name, would be lost without a trace. */
const notText =
  'is neither UTF-8 nor UTF-16: Windows PowerShell writes such files where no encoding is named; export again with -Encoding utf8';

/** Never throws. */
export function readExchangeFile({ name, content }: SourceFile): ExchangeSource {
  const broken = findBrokenLine(content);
  if (broken !== null) return unread(name, broken, notText);
  const text = decodeText(content);
  const start = text.trimStart()[0];
  if (start === undefined) return unread(name, 1, 'the file is empty');
  if (start === '{' || start === '[') return readJsonFile(name, text);
  const table = readCsv(text);
  if (table !== null) return readTable(name, table);
  const how =
    'is neither JSON nor CSV: write it with `Get-OutboundConnector | ConvertTo-Json -Depth 4`';
  return unread(name, 1, how);
}

function unread(file: string, line: number, text: string): ExchangeSource {
  return { objects: [], unread: [{ file, line, text }] };
}

function readJsonFile(file: string, text: string): ExchangeSource {
  const read = readJson(text);
  if (read.kind === 'wrong') return unread(file, read.line, read.text);
  const objects: ExchangeObject[] = [];
  const parts: UnreadPart[] = [];
  for (const node of listed(read.node)) {
    if (node.kind === 'object') objects.push(toObject(file, node.line, node.entries));
    else parts.push({ file, line: node.line, text: 'is no object with properties' });
  }
  if (objects.length + parts.length === 0) {
    parts.push({ file, line: 1, text: 'holds no object: the cmdlet found nothing' });
  }
  return { objects, unread: parts };
}

/** A list, one object, or the wrapper that PowerShell 5 puts around lists. */
function listed(node: JsonNode): readonly JsonNode[] {
  if (node.kind === 'array') return node.items.flatMap(listed);
  if (node.kind !== 'object') return [node];
  const wrapped = node.entries.find(({ key }) => key.toLowerCase() === 'value')?.node;
  const isWrapper = node.entries.every(({ key }) => /^(?:value|count|@odata\..*)$/i.test(key));
  return isWrapper && wrapped?.kind === 'array' ? wrapped.items.flatMap(listed) : [node];
}

function toObject(file: string, line: number, entries: readonly JsonEntry[]): ExchangeObject {
  const properties = entries.map((entry) => ({
    property: entry.key,
    file,
    line: entry.line,
    value: plain(entry.node),
    isFromCsv: false,
  }));
  return { kind: kindOf(properties.map(({ property }) => property)), file, line, properties };
}

function plain(node: JsonNode): unknown {
  if (node.kind === 'scalar') return node.value;
  if (node.kind === 'array') return node.items.map(plain);
  return Object.fromEntries(node.entries.map(({ key, node: inner }) => [key, plain(inner)]));
}

/** Fields beyond the header get a name too, so that none is lost. */
function readTable(file: string, { header, records }: CsvTable): ExchangeSource {
  const kind = kindOf(header);
  const isWhole = ({ isOpen, fields }: CsvRecord): boolean =>
    !isOpen && fields.length >= header.length;
  const broken = records.filter((record) => !isWhole(record));
  const objects = records.filter(isWhole).map(({ line, fields }) => ({
    kind,
    file,
    line,
    properties: Array.from({ length: Math.max(header.length, fields.length) }, (_, place) => ({
      property: header[place] ?? `column ${place + 1}`,
      file,
      line,
      value: fields[place] ?? '',
      isFromCsv: true,
    })),
  }));
  const parts = broken.map(({ line, isOpen, fields }): UnreadPart => {
    const what = isOpen
      ? 'a quote is never closed'
      : `${fields.length} of ${header.length} columns`;
    return {
      file,
      line,
      text: `is no whole line of CSV (${what}), so nothing is made of it: export again`,
    };
  });
  if (records.length > 0) return { objects, unread: parts };
  return unread(file, 1, 'holds no object: the cmdlet found nothing');
}

/** Properties that only one of the cmdlets prints. */
const signatures: Readonly<Record<ExchangeKind, readonly string[]>> = {
  InboundConnector: [
    'SenderDomains',
    'SenderIPAddresses',
    'TlsSenderCertificateName',
    'RestrictDomainsToIPAddresses',
    'RestrictDomainsToCertificate',
    'TreatMessagesAsInternal',
    'EFSkipIPs',
  ],
  OutboundConnector: [
    'RecipientDomains',
    'SmartHosts',
    'UseMXRecord',
    'TlsSettings',
    'IsTransportRuleScoped',
    'AllAcceptedDomains',
    'RouteAllMessagesViaOnPremises',
  ],
  AcceptedDomain: ['DomainType', 'DomainName', 'MatchSubDomains', 'OutboundOnly'],
  TransportRule: [
    'StopRuleProcessing',
    'SentToScope',
    'FromScope',
    'RuleErrorAction',
    'RouteMessageOutboundRequireTls',
    'RouteMessageOutboundConnector',
    'SenderAddressLocation',
    'RejectMessageReasonText',
  ],
};
/** On-premises cmdlets whose objects share some of these names. */
const others = ['AddressSpaces', 'Bindings', 'RemoteIPRanges', 'PermissionGroups'];

/** The one that most of the names speak for; null where none does, or two do alike. */
function kindOf(names: readonly string[]): ExchangeKind | null {
  const lower = new Set(names.map((name) => name.toLowerCase()));
  if (others.some((name) => lower.has(name.toLowerCase()))) return null;
  const scores = Object.entries(signatures)
    .map(([kind, marks]) => ({
      kind: kind as ExchangeKind,
      score: marks.filter((mark) => lower.has(mark.toLowerCase())).length,
    }))
    .toSorted((a, b) => b.score - a.score);
  const [first, second] = scores;
  return first!.score > second!.score ? first!.kind : null;
}
