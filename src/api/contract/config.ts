/** What `GET /v1/config` takes and gives: the configuration in force, in the words of the file. */
import { z } from 'zod';
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
