/** Times in the API. @see RFC 3339 §5.6 */
import { z } from 'zod';

export const time = z.iso
  .datetime({ precision: 3 })
  .meta({ description: 'RFC 3339, UTC, milliseconds' });
