/** What outbound connectors of Exchange may have besides: privileges, MTA-STS and DANE, validation. */
import { parseAddress } from '../../mail/address.ts';
import { matchesDomainPattern, parseDomainPattern } from '../../mail/domain-pattern.ts';
import type { Reader } from '../field.ts';
import { mailAddress } from '../mail-readers.ts';
import { show } from '../readers.ts';
import { readEntries, takeEntries } from './exchange-lists.ts';
import type { ObjectReader } from './exchange-object.ts';
import type { Use } from './exchange-outbound.ts';
import { readFlag } from './exchange-values.ts';

/** What only your own servers get. */
export function takeServers(reader: ObjectReader, type: 'Partner' | 'OnPremises'): void {
  if (type === 'OnPremises') {
    reader.takeFlag('CloudServicesMailEnabled', 'cloudServicesMailEnabled');
  } else {
    const why = 'is for your own servers (OnPremises); a partner does not get it here';
    reader.refuse(['CloudServicesMailEnabled'], why, false);
  }
  const srs = 'senders are not rewritten here (SRS), so mail that was forwarded may fail SPF';
  reader.refuse(['SenderRewritingEnabled'], srs, false);
}

/** `Opportunistic` binds where the destination publishes a policy, which nobody here looks up. */
export function takeModes(reader: ObjectReader, hasHosts: boolean): void {
  const { draft } = reader;
  const sts = reader.word('MtaStsMode', ['Opportunistic', 'None']);
  if (sts?.value === 'None') draft.leave(sts.spot, 'None, as where it is not written');
  else if (sts?.value === 'Opportunistic' && hasHosts) {
    draft.leave(sts.spot, 'Opportunistic, which is about MX and not about smart hosts');
  } else if (sts?.value === 'Opportunistic') {
    draft.miss(sts.spot, `Opportunistic: MTA-STS is not looked up yet, so ${instead}`);
  }
  const dane = reader.word('SmtpDaneMode', ['Opportunistic', 'Mandatory', 'None']);
  if (dane?.value === 'None') draft.leave(dane.spot, 'None, as where it is not written');
  else if (dane?.value === 'Opportunistic') {
    draft.miss(dane.spot, `Opportunistic: DANE is not looked up yet, so ${instead}`);
  } else if (dane?.value === 'Mandatory') {
    // Whoever turns it on shall not get less than a proven server.
    if (!hasHosts) draft.value['tlsSettings'] = 'DomainValidation';
    const why =
      'Mandatory: DANE is not looked up yet. DomainValidation stands in its place: look whether the certificates carry the names, or give pins, then turn it on';
    draft.turnOff(dane.spot, why);
  }
}

const instead = 'what the destination publishes does not bind; what tlsSettings demand does';

/** Was done by Exchange and not from here, so it proves nothing here. */
export function takeValidation(reader: ObjectReader, use: Use): void {
  const { draft } = reader;
  for (const name of ['IsValidated', 'LastValidationTimestamp']) {
    const spot = reader.given(name);
    if (spot === null) continue;
    const isNothing = readFlag(spot.value) === false;
    const why = isNothing
      ? 'false, as where it is not written'
      : 'Exchange validated it from its own servers; validate the connector here';
    draft.leave(spot, why);
  }
  const spot = reader.given('ValidationRecipients');
  if (spot === null) return;
  const read = readEntries(spot, takenAddress(use));
  takeEntries(draft, spot, read, { key: 'validationRecipients', isWeaker: false });
}

/** An address whose mail the connector takes. */
function takenAddress({ patterns, isForRules }: Use): Reader<unknown> {
  const inner = mailAddress();
  return {
    form: inner.form,
    read(raw) {
      const read = inner.read(raw);
      const address = typeof raw === 'string' ? parseAddress(raw) : null;
      if (!('value' in read) || address === null || isForRules) return read;
      const isTaken = patterns.some((text) => {
        const pattern = parseDomainPattern(text);
        return pattern !== null && matchesDomainPattern(pattern, address.domain);
      });
      return isTaken ? read : { wrong: `is in none of the recipient domains ${show(patterns)}` };
    },
  };
}
