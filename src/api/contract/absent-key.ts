/** Keys that may be absent from an object of the contract, and are never undefined. */
import type { z } from 'zod';

/** As zod's `exactOptional`, which would stand in the OpenAPI document as required. */
export function mayBeAbsent<T extends z.ZodType>(schema: T): z.ZodExactOptional<T> {
  return schema.optional() as unknown as z.ZodExactOptional<T>;
}
