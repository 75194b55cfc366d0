/** Prints objects as cmdlets do: `-Format table`, `list` or `json`, and only some properties. */
import { findNearest } from '../../config/nearest.ts';
import type { CommandContext } from '../command-context.ts';
import { formatJson } from '../json-text.ts';
import type { ObjectRecord } from '../policy-objects/object-record.ts';
import { formatRecordList, formatRecordTable } from '../policy-objects/object-text.ts';
import type { Arguments } from './arguments.ts';
import { usage } from './parameter.ts';

/** `columns` are those of the table where no properties are named. Nothing is printed of nothing but in JSON. */
export async function printRecords(
  { out, width }: CommandContext,
  given: Arguments,
  {
    records,
    columns,
  }: { readonly records: readonly ObjectRecord[]; readonly columns: readonly string[] },
): Promise<void> {
  const format = given.word('Format') ?? 'table';
  const chosen = chooseProperties(given.list('Property'), records);
  if (format === 'json') return out.print(formatJson(records.map((each) => pick(each, chosen))));
  if (records.length === 0) return;
  return out.print(
    format === 'list'
      ? formatRecordList(records, chosen)
      : formatRecordTable(records, chosen ?? columns, width),
  );
}

/** Null for all; in the spelling of the records. */
function chooseProperties(
  named: readonly string[] | null,
  [first]: readonly ObjectRecord[],
): readonly string[] | null {
  if (named === null || first === undefined) return null;
  const known = Object.keys(first);
  return named.map((name) => {
    const found = known.find((each) => each.toLowerCase() === name.toLowerCase());
    if (found !== undefined) return found;
    const nearest = findNearest(name, known);
    const hint = nearest === null ? '' : `; did you mean ${nearest}?`;
    throw usage(`-Property: there is no property ${name}${hint}`);
  });
}

function pick(record: ObjectRecord, names: readonly string[] | null): ObjectRecord {
  if (names === null) return record;
  return Object.fromEntries(names.map((name) => [name, record[name] ?? null]));
}
