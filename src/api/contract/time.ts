/** Times in the API. @see RFC 3339 §5.6 */
import { z } from 'zod';

export const time = z.iso
  .datetime({ precision: 3 })
  .meta({ description: 'RFC 3339, UTC, milliseconds' });

/** A time that somebody asks by: with seconds or fractions of them, and read as milliseconds. */
export const askedTime = z.iso
  .datetime()
  .transform((text) => new Date(text).toISOString())
  .meta({ description: 'RFC 3339, UTC' });
