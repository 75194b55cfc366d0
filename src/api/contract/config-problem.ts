/** One thing that is wrong with a configuration, or worth a look. */
import { z } from 'zod';

/** What is wrong with the configuration, at its place; `key` empty where the whole file is meant. */
export const configProblem = z
  .object({
    file: z.string(),
    line: z.int().min(1),
    column: z.int().min(1),
    key: z.string(),
    text: z.string(),
    suggestion: z.string().nullable().meta({ description: 'the nearest right word' }),
    severity: z.enum(['error', 'warning']),
  })
  .meta({ id: 'ConfigProblem' });
export type ConfigProblemView = z.infer<typeof configProblem>;
