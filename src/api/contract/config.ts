/** What `/v1/config` takes and gives: the configuration in force, in the words of the file, and a check of another. */
import { z } from 'zod';
import { configProblem } from './config-problem.ts';
import { time } from './time.ts';

export const configQuerySchema = z.object({
  defaults: z
    .enum(['true', 'false'])
    .default('false')
    .meta({ description: 'also the keys that were left out, with their defaults' }),
});
export type ConfigQuery = z.input<typeof configQuerySchema>;

/** `fileState`: what a reload would find; `refused` where it could not be put in force. */
export const configViewSchema = z
  .object({
    formatVersion: z.literal(1),
    file: z.string(),
    configRevision: z.string(),
    policyRevision: z.string(),
    loadedAt: time.meta({ description: 'when it was put in force' }),
    fileState: z.enum(['same', 'differs', 'needs-restart', 'refused']).meta({
      description: 'the file as it is now, against what is in force; a reload takes `differs` only',
    }),
    config: z.record(z.string(), z.unknown()).meta({
      description: "as in the file, in the schema's order; password hashes are left out",
    }),
  })
  .meta({ id: 'Config' });
export type ConfigView = z.infer<typeof configViewSchema>;

/** Bytes of a configuration that is checked at most; as large as a file may be. */
export const checkedTextBytesMax = 4 * 1024 * 1024;

function isNoLargerThanAFile(text: string): boolean {
  return new TextEncoder().encode(text).length <= checkedTextBytesMax;
}

/** A configuration as it would stand in a file. */
export const checkedText = z
  .string()
  .refine(isNoLargerThanAFile, `is larger than ${checkedTextBytesMax} bytes`);

export const configCheckOrderSchema = z
  .strictObject({
    text: checkedText.nullable().default(null).meta({
      description: 'YAML, as if it stood in the file of the gateway; null: the file as it is now',
    }),
  })
  .meta({ id: 'ConfigCheckOrder' });
export type ConfigCheckOrder = z.input<typeof configCheckOrderSchema>;

/** What a reload would find; nothing is changed. */
export const configCheckSchema = z
  .object({
    formatVersion: z.literal(1),
    kind: z.enum(['same', 'differs', 'needs-restart', 'refused']).meta({
      description: 'against what is in force; a reload takes `same` and `differs`',
    }),
    policyRevision: z
      .string()
      .nullable()
      .meta({ description: 'that it would have; null where a reload does not take it' }),
    problems: z
      .array(configProblem)
      .meta({ description: 'errors, and warnings of conflicts and gaps, each with its mend' }),
    weaker: z.array(z.string()).meta({
      description: 'what it asks less than what is in force: where any, a reload wants a reason',
    }),
  })
  .meta({ id: 'ConfigCheck' });
export type ConfigCheck = z.infer<typeof configCheckSchema>;
