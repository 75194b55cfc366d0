/**
 * The way of an organization's own fields between its two sides: `X-MS-Exchange-Organization-X` goes
 * out as `X-MS-Exchange-CrossPremises-X` and becomes itself again on arrival.
 *
 * Only the beginning of a name changes. What speaks about one side alone, or must not be shown to
 * other readers, does not cross.
 * @see New-InboundConnector and New-OutboundConnector, CloudServicesMailEnabled; docs/adr/0025
 */
import type { FieldEdit } from './header-pieces.ts';

const organization = 'X-MS-Exchange-Organization-';
const crossPremises = 'X-MS-Exchange-CrossPremises-';
const organizationBytes = Buffer.from(organization, 'latin1');
const crossPremisesBytes = Buffer.from(crossPremises, 'latin1');

/**
 * By the end of the name, lower case: each side says itself which way the message went, and blind
 * recipients are nobody else's business. A bare prefix names nothing.
 */
const staying: ReadonlySet<string> = new Set(['', 'messagedirectionality', 'bcc']);

/** A field that is one by the grammar: its name as written, and its place. */
export interface CrossingField {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

/** On the way to the other side; a field that does not cross is taken out. */
export function demote({ name, start, end }: CrossingField): FieldEdit {
  if (staying.has(endOf(name, organization))) return { start, end, bytes: null };
  return { start, end: start + organization.length, bytes: crossPremisesBytes };
}

/** What arrives from the other side. */
export interface Promotion {
  /** One for each field, in its order. */
  readonly edits: readonly FieldEdit[];
  /** The fields are ours again, and say how the sender was authenticated. */
  readonly hasAuthAs: boolean;
}

/**
 * A server that passes on what a stranger wrote beside its own would show as several AuthAs: which
 * one is meant cannot be told, and none is believed.
 */
export function promote(fields: readonly CrossingField[]): Promotion {
  const ends = fields.map(({ name }) => endOf(name, crossPremises));
  const authAsCount = ends.filter((end) => end === 'authas').length;
  const edits = fields.map(({ start, end }, i): FieldEdit => {
    const isAmbiguous = authAsCount > 1 && ends[i] === 'authas';
    if (isAmbiguous || staying.has(ends[i]!)) return { start, end, bytes: null };
    return { start, end: start + crossPremises.length, bytes: organizationBytes };
  });
  return { edits, hasAuthAs: authAsCount === 1 };
}

function endOf(name: string, prefix: string): string {
  return name.slice(prefix.length).toLowerCase();
}
