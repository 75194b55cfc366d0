/** What inbound and outbound connectors of Exchange have in common. */
import { show } from '../readers.ts';
import type { ObjectReader } from './exchange-object.ts';
import type { ExchangeObject } from './exchange-source.ts';
import { readText } from './exchange-values.ts';
import type { UniqueNames } from './unique-names.ts';

export interface ConnectorName {
  /** As the source has it. */
  readonly written: string;
  /** As it is here. */
  readonly name: string;
}

export function nameConnector(object: ExchangeObject, names: UniqueNames): ConnectorName {
  const found = ['name', 'identity', 'id']
    .map((key) => object.properties.find(({ property }) => property.toLowerCase() === key))
    .map((property) => (property === undefined ? null : readText(property.value)))
    .find((text) => text !== null && text.trim() !== '');
  const written = found ?? '';
  return { written, name: names.make(written) };
}

/** Name, switch, note and who made it. */
export function takeShared(reader: ObjectReader, { written, name }: ConnectorName): void {
  const { draft } = reader;
  draft.value['name'] = name;
  const spot = reader.given('Name');
  const place = spot ?? { ...draft.place, property: 'Name' };
  if (name !== written) {
    const why = `since ${show(written)} cannot be a name here, or is one already`;
    draft.change(place, 'name', name, why);
  } else if (spot !== null) draft.take(spot, 'name', name);
  takeEnabled(reader);
  reader.takeNote('Comment', 'comment');
  takeSource(reader);
}

function takeEnabled(reader: ObjectReader): void {
  const { spot, value } = reader.flag('Enabled', true);
  if (spot === null) return;
  if (value) reader.draft.leave(spot, 'true, as where it is not written');
  else reader.draft.take(spot, 'enabled', false);
}

function takeSource(reader: ObjectReader): void {
  const words = ['Default', 'HybridWizard', 'Migrated', 'AdminUI'] as const;
  const spot = reader.given('ConnectorSource');
  if (spot === null) return;
  const text = readText(spot.value);
  const word = words.find((each) => each.toLowerCase() === text?.trim().toLowerCase());
  if (word === undefined) reader.draft.miss(spot, `${show(spot.value)} is shown only, and unknown`);
  else if (word === 'Default') reader.draft.leave(spot, 'Default, as where it is not written');
  else reader.draft.take(spot, 'connectorSource', word);
}

/** Partner where it is not told. Unknown, it is Partner too, which grants nothing, and off. */
export function takeType(reader: ObjectReader): 'Partner' | 'OnPremises' {
  const found = reader.word('ConnectorType', ['Partner', 'OnPremises']);
  if (found === null) return 'Partner';
  const type = found.value ?? 'Partner';
  if (found.value === 'OnPremises') reader.draft.take(found.spot, 'connectorType', type);
  else if (found.value === 'Partner')
    reader.draft.leave(found.spot, 'Partner, as where it is not written');
  return type;
}
