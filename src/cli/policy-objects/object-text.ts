/** Policy objects for people: tables, lists, and what a change does. */
import { stringify } from 'yaml';
import type { KeyDifference } from '../difference-text.ts';
import { formatKeys } from '../difference-text.ts';
import { printable } from '../printable.ts';
import { formatTable } from '../table.ts';
import { padToWidth, widthOf } from '../text-width.ts';
import type { Done } from './carry-out.ts';
import { effectiveValue } from './effective-value.ts';
import { toKebab } from './object-field.ts';
import type { ObjectRecord, RecordValue } from './object-record.ts';
import type { PolicyKindName } from './policy-kind.ts';
import { policyKinds } from './policy-kind.ts';
import type { ObjectValue, ObjectView } from './policy-objects-client.ts';

/** The keys that a table of objects shows beside the name. */
export const tableKeys: Readonly<Record<PolicyKindName, readonly string[]>> = {
  'inbound-connector': [
    'enabled',
    'connectorType',
    'senderDomains',
    'requireTls',
    'tlsSenderCertificateName',
  ],
  'outbound-connector': [
    'enabled',
    'connectorType',
    'recipientDomains',
    'smartHosts',
    'tlsSettings',
    'tlsDomain',
  ],
  'accepted-domain': ['type', 'matchSubDomains', 'recipients'],
  rule: ['enabled', 'mode', 'comments'],
};

/** One row for each record, with these properties; cells that are long give way. */
export function formatRecordTable(
  records: readonly ObjectRecord[],
  properties: readonly string[],
  width: number | null,
): string {
  const columns = properties.map((title) => ({ title, mayShrink: true }));
  const rows = records.map((record) => ({
    cells: properties.map((property) => formatCell(record[property] ?? null)),
  }));
  return formatTable(columns, rows, width);
}

/** `Name : value`, a blank line between records; all properties where `properties` is null. */
export function formatRecordList(
  records: readonly ObjectRecord[],
  properties: readonly string[] | null,
): string {
  const blocks = records.map((record) => {
    const names = properties ?? Object.keys(record);
    const width = Math.max(...names.map(widthOf));
    const lines = names.map((name) =>
      printable(`${padToWidth(name, width)} : ${formatCell(record[name] ?? null)}`).trimEnd(),
    );
    return `${lines.join('\n')}\n`;
  });
  return blocks.join('\n');
}

/** As PowerShell shows values. */
function formatCell(value: RecordValue): string {
  if (value === null) return '';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  return typeof value === 'object' ? `{${value.join(', ')}}` : String(value);
}

/** The table of `list`. `withOrganization` where there are several. */
export function formatObjectTable(
  kind: PolicyKindName,
  objects: readonly ObjectView[],
  look: { readonly withOrganization: boolean; readonly width: number | null },
): string {
  if (objects.length === 0) return `there is no ${policyKinds[kind].words}\n`;
  const keys = tableKeys[kind];
  const titles = keys.map((key) => toKebab(key).toUpperCase().replaceAll('-', ' '));
  const head = look.withOrganization ? ['ORGANIZATION', 'NAME'] : ['NAME'];
  const columns = [...head, ...titles].map((title) => ({ title, mayShrink: true }));
  const rows = objects.map((object) => {
    const { organization, name } = object;
    const effective = effectiveValue(object);
    const names = look.withOrganization ? [organization, name] : [name];
    return { cells: [...names, ...keys.map((key) => formatPlain(effective[key]))] };
  });
  return formatTable(columns, rows, look.width);
}

function formatPlain(value: unknown): string {
  if (value === undefined || value === null) return '';
  if (Array.isArray(value)) return value.map(String).join(', ');
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** What `show` prints: whence it is, then its value as it stands in a configuration file. */
export function formatObject(object: ObjectView): string {
  const { kind, organization, name, revision, changedAt, changedBy, value } = object;
  const head = `# ${policyKinds[kind].words} ${name} of ${organization}, revision ${revision} of ${changedAt} by ${changedBy}`;
  const text = stringify(value, { lineWidth: 0 }).trimEnd();
  return [head, ...text.split('\n')].map((line) => `${printable(line)}\n`).join('');
}

/** Each key that is not as before; empty where nothing changes. */
export function formatChanges({ before, after, position }: Done): string {
  if (after === null) return '  (removed)\n';
  const keys = compareValues(before ?? {}, after);
  const place = position === null ? '' : `  place among the rules: ${position}\n`;
  return `${formatKeys(keys, '  ')}${place}`;
}

function compareValues(before: ObjectValue, after: ObjectValue): readonly KeyDifference[] {
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...keys].flatMap((key): KeyDifference[] => {
    if (JSON.stringify(before[key]) === JSON.stringify(after[key])) return [];
    const was = Object.hasOwn(before, key) ? { before: before[key] } : {};
    const is = Object.hasOwn(after, key) ? { after: after[key] } : {};
    return [{ key, ...was, ...is }];
  });
}
