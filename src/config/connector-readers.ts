/** Readers of values that only connectors have: dates, smart hosts with ranges, what is not there yet. */
import type { SmartHost } from '../policy/policy.ts';
import { addressesOf, expandRange, overlapsPrivate, parseSpan } from '../policy/address-span.ts';
import type { Read, Reader } from './field.ts';
import { addressRange, smartHost } from './mail-readers.ts';
import { choice, flag, parsed, show } from './readers.ts';

/** `2027-03-31`, a day that exists. */
export function calendarDate(): Reader<string> {
  return parsed('a date such as 2027-03-31', (raw) => {
    const isDay = /^\d{4}-\d{2}-\d{2}$/.test(raw) && dayOf(`${raw}T00:00:00Z`) === raw;
    return isDay
      ? { value: raw }
      : { wrong: `must be a date such as 2027-03-31, not ${show(raw)}` };
  });
}

/** A date and time with seconds and offset; in UTC with milliseconds afterwards. */
export function timestamp(): Reader<string> {
  const shape = /^(\d{4}-\d{2}-\d{2})T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})$/;
  return parsed('a time such as 2026-11-28T09:30:00Z', (raw) => {
    const day = shape.exec(raw)?.[1];
    const isTime = day !== undefined && dayOf(`${day}T00:00:00Z`) === day;
    const ms = isTime ? Date.parse(raw) : Number.NaN;
    if (!Number.isNaN(ms)) return { value: new Date(ms).toISOString() };
    return { wrong: `must be a time such as 2026-11-28T09:30:00Z, not ${show(raw)}` };
  });
}

function dayOf(time: string): string | null {
  const ms = Date.parse(time);
  return Number.isNaN(ms) ? null : new Date(ms).toISOString().slice(0, 10);
}

const rangeMax = 16;

/** A smart host, or a small range of them, written as CIDR without a port. */
export function smartHosts(): Reader<readonly SmartHost[]> {
  const single = smartHost();
  const form = 'a smart host such as mail.contoso.com, 192.0.2.1:26 or 192.0.2.0/28';
  return parsed(form, (raw): Read<readonly SmartHost[]> => {
    const range = /^[\d.:a-fA-F]+\/\d{1,3}$/.test(raw) ? addressRange().read(raw) : null;
    if (range === null) {
      const read = single.read(raw);
      return 'value' in read ? { value: [read.value] } : read;
    }
    if (!('value' in range)) return range;
    const addresses = addressesOf(range.value, rangeMax);
    if (addresses !== null) return { value: addresses.map((host) => ({ host, port: 25 })) };
    return {
      wrong: `holds more than ${rangeMax} addresses: ${show(raw)}; mail would try them one by one. Name the hosts, or a range of at most a /28 (IPv6: /124)`,
    };
  });
}

/** What enhanced filtering passes over, as canonical CIDR: an address, `a-b`, or CIDR. */
export function skippedAddresses(): Reader<readonly string[]> {
  return parsed('an address, a range a-b or CIDR', (raw): Read<readonly string[]> => {
    const ranges = raw.includes('-') ? spanOf(raw) : cidrOf(raw);
    if (!('value' in ranges) || !ranges.value.some(overlapsPrivate)) return ranges;
    return {
      wrong: `holds private or loopback addresses: ${show(raw)}; these are passed over anyway and may not be listed`,
    };
  });
}

function cidrOf(raw: string): Read<readonly string[]> {
  const read = addressRange().read(raw);
  return 'value' in read ? { value: [read.value] } : read;
}

function spanOf(raw: string): Read<readonly string[]> {
  const span = parseSpan(raw);
  if (span !== null) return { value: expandRange(span) };
  return {
    wrong: `must be an address, a range such as 192.0.2.1-192.0.2.9, lowest first, or CIDR, not ${show(raw)}`,
  };
}

const mailWaits = 'mail whose TLS is not met waits, and its sender is told';

/** Only what exists. */
export const failureAction = choice(['queue'], {
  alternateSmartHost: `alternateSmartHost is not there yet; write queue: ${mailWaits}`,
  portal: `portal is not there yet; write queue: ${mailWaits}`,
  bounce: `bounce is not there yet; write queue: ${mailWaits}, and returned at expiry`,
});

/** Stricter values bind at destinations that publish a policy, which nothing here looks up yet. */
export const mtaStsMode = choice(['None'], {
  Opportunistic:
    'Opportunistic demands what the destination publishes, and MTA-STS is not looked up yet; write None',
});

export const daneMode = choice(['None'], {
  Opportunistic:
    'Opportunistic demands what the destination publishes, and DANE is not looked up yet; write None',
  Mandatory:
    'Mandatory sends to destinations with DANE only, and DANE is not looked up yet; write None',
});

/** False alone. */
export const noSenderRewriting: Reader<boolean> = {
  form: 'false',
  words: ['false'],
  read(raw) {
    const read = flag().read(raw);
    if (!('value' in read) || !read.value) return read;
    return {
      wrong:
        'true is not there yet: senders are not rewritten (SRS), so forwarded mail may fail SPF',
    };
  },
};
