/** What one field implies of another that was not spoken of: told, never done in silence. */
import type { Naming } from './compose-value.ts';
import type { FieldChange, FieldChanges } from './object-order.ts';
import type { ObjectValue } from './policy-objects-client.ts';

/** `notes` are sentences for the person. */
export interface Completed {
  readonly fields: FieldChanges;
  readonly notes: readonly string[];
}

/**
 * A certificate name of a partner is demanded only with `restrictDomainsToCertificate`. Exchange's
 * own examples give the name alone and mean the demand; without it the name would have no effect.
 */
export function completeFields(
  before: ObjectValue,
  fields: FieldChanges,
  { kind, spelling }: Naming,
): Completed {
  const name = fields.get('tlsSenderCertificateName');
  const restrict = 'restrictDomainsToCertificate';
  const isAsked =
    kind.kind === 'inbound-connector' &&
    isGiven(name) &&
    !fields.has(restrict) &&
    before[restrict] !== true &&
    typeAfter(before, fields) !== 'OnPremises';
  if (!isAsked) return { fields, notes: [] };
  const note = `${spelling.nameOf(kind, 'tlsSenderCertificateName')} acts only with ${spelling.nameOf(kind, restrict)}, which is therefore set to true: mail of the sender domains without such a certificate is refused`;
  return { fields: new Map([...fields, [restrict, { kind: 'set', value: true }]]), notes: [note] };
}

function isGiven(change: FieldChange | undefined): boolean {
  if (change === undefined || change.kind === 'unset') return false;
  return change.kind === 'set' || change.add.length > 0;
}

function typeAfter(before: ObjectValue, fields: FieldChanges): unknown {
  const change = fields.get('connectorType');
  if (change === undefined) return before['connectorType'];
  return change.kind === 'set' ? change.value : undefined;
}
