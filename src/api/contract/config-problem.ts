/** One thing that is wrong with a configuration, or worth a look. */
import { z } from 'zod';
import { objectKinds } from '../../config/policy-object.ts';
import { mayBeAbsent } from './absent-key.ts';

/** What names a policy object. */
export const objectKeySchema = z
  .object({
    kind: z.enum(objectKinds),
    organization: z
      .string()
      .nullable()
      .meta({ description: 'null for organizations and what belongs to the gateway' }),
    name: z.string(),
  })
  .meta({ id: 'ObjectKey' });

/** What is wrong with the configuration, at its place; `key` empty where the whole file is meant. */
export const configProblem = z
  .object({
    file: z.string(),
    line: z.int().min(0).meta({ description: 'from 1; 0 where it stands in no file' }),
    column: z.int().min(0),
    key: z.string(),
    object: mayBeAbsent(objectKeySchema),
    text: z.string(),
    suggestion: z.string().nullable().meta({ description: 'the nearest right word' }),
    severity: z.enum(['error', 'warning']),
  })
  .meta({ id: 'ConfigProblem' });
export type ConfigProblemView = z.infer<typeof configProblem>;
