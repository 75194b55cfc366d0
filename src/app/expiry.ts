/** Certificates of the configuration whose end is near: said at 30, 14, 7 and 1 days, and when it is there. */
import type { FileReference } from '../config/config.ts';
import { certificateFacts } from '../tls/certificate-facts.ts';
import { pemBlocks } from '../tls/pem.ts';
import type { Configuration } from './configuration.ts';
import type { HeldFile } from './held-files.ts';

/** `id` changes with the certificate and with each step towards its end. */
export interface Expiry {
  readonly id: string;
  readonly text: string;
}

const dayMs = 86_400_000;
const stepsDays = [0, 1, 7, 14, 30] as const;

interface Validity {
  readonly subject: string;
  readonly notAfterMs: number;
}

/** Parsing costs more than looking; a file's contents never change. */
const validities = new WeakMap<HeldFile, readonly Validity[]>();

/** In the order of the configuration; empty where the next end is further away than 30 days. */
export function findExpiries(configuration: Configuration, nowMs: number): readonly Expiry[] {
  const seen = new Set<string>();
  return configuration.config.files.flatMap((reference) => {
    const file = configuration.files.get(reference.path);
    if (reference.kind === 'key' || file === undefined || seen.has(reference.path)) return [];
    seen.add(reference.path);
    return expiriesOf(reference, file, nowMs);
  });
}

/** When each of our own certificates ends, by the key of the configuration that names its file. */
export function certificateEnds(
  configuration: Configuration,
): readonly { readonly key: string; readonly notAfterMs: number }[] {
  return configuration.config.files.flatMap(({ kind, key, path }) => {
    const file = configuration.files.get(path);
    if (kind !== 'certificate' || file === undefined) return [];
    const ends = validitiesOf(file).map(({ notAfterMs }) => notAfterMs);
    return ends.length === 0 ? [] : [{ key, notAfterMs: Math.min(...ends) }];
  });
}

function expiriesOf(reference: FileReference, file: HeldFile, nowMs: number): Expiry[] {
  return validitiesOf(file).flatMap(({ subject, notAfterMs }) => {
    const leftDays = (notAfterMs - nowMs) / dayMs;
    const step = stepsDays.find((days) => leftDays <= days);
    if (step === undefined) return [];
    const { key, path } = reference;
    const end = new Date(notAfterMs).toISOString().slice(0, 10);
    const when =
      leftDays <= 0 ? `expired on ${end}` : `expires on ${end}, in ${describeDays(leftDays)}`;
    const text = `${path} (${key}): the certificate ${subject} ${when}; put the next one there, it is taken by itself`;
    return [{ id: `${file.fingerprint} ${subject} ${step}`, text }];
  });
}

function describeDays(days: number): string {
  if (days < 1) return 'less than a day';
  return Math.floor(days) === 1 ? '1 day' : `${Math.floor(days)} days`;
}

function validitiesOf(file: HeldFile): readonly Validity[] {
  const known = validities.get(file) ?? readValidities(file);
  validities.set(file, known);
  return known;
}

function readValidities(file: HeldFile): readonly Validity[] {
  return pemBlocks(file.bytes.toString('latin1')).flatMap(({ label, der }) => {
    if (label !== 'CERTIFICATE') return [];
    const { subject, notAfter } = certificateFacts(der);
    const notAfterMs = Date.parse(notAfter);
    return Number.isNaN(notAfterMs) ? [] : [{ subject, notAfterMs }];
  });
}
