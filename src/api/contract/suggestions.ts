/** `GET /v1/suggestions`: domains whose recorded mail always had validated TLS, as drafts of connectors. */
import { z } from 'zod';
import { draftValueOf } from '../../config/draft-connector.ts';
import type { Direction } from '../../policy/suggestions/observation.ts';
import type {
  NearMiss,
  SeenOfDomain,
  SuggestOptions,
  Suggestion,
  Suggestions,
} from '../../policy/suggestions/suggestion.ts';
import { time } from './time.ts';

export const suggestDefaults = { days: 30, minMessages: 10, minDays: 3 } as const;

export const suggestQuerySchema = z.object({
  days: z.coerce.number().int().min(1).max(3650).default(suggestDefaults.days),
  organization: z
    .string()
    .max(64)
    .optional()
    .meta({ description: 'only what is of this organization, by its id' }),
  minMessages: z.coerce.number().int().min(1).max(1_000_000).default(suggestDefaults.minMessages),
  minDays: z.coerce
    .number()
    .int()
    .min(1)
    .max(3650)
    .default(suggestDefaults.minDays)
    .meta({ description: 'different days (UTC) on which there was mail' }),
  direction: z.enum(['outbound', 'inbound', 'both']).default('both'),
});
export type SuggestQuery = z.output<typeof suggestQuerySchema>;
/** As a client writes it: what is left out has its default. */
export type SuggestQueryInput = Partial<SuggestQuery>;

export function optionsOf(
  query: Pick<SuggestQuery, 'direction' | 'minMessages' | 'minDays'>,
): SuggestOptions {
  const { direction, minMessages, minDays } = query;
  const directions: readonly Direction[] =
    direction === 'both' ? ['outbound', 'inbound'] : [direction];
  return { directions, minMessages, minDays };
}

const seenShape = {
  direction: z.enum(['inbound', 'outbound']),
  organization: z.string(),
  domain: z.string(),
  messages: z.int().min(0).meta({ description: 'delivered, or accepted' }),
  days: z.int().min(0),
  firstAt: time,
  lastAt: time,
  hosts: z
    .array(z.string())
    .meta({ description: 'servers, or the names that clients greeted with' }),
  hostsLeftOut: z.int().min(0),
  versions: z.array(z.string()),
  certificates: z.array(
    z.object({
      fingerprint256: z.string(),
      names: z.array(z.string()),
      issuer: z.string(),
      notAfter: z.string(),
    }),
  ),
};

export const suggestionsSchema = z
  .object({
    formatVersion: z.literal(1),
    policyRevision: z.string().nullable().meta({
      description: 'whose connectors and domains are left out; null where none is known',
    }),
    since: time,
    oldestAt: time.nullable().meta({ description: 'of the oldest record that was read' }),
    messages: z.int().min(0).meta({ description: 'that were read' }),
    minMessages: z.int(),
    minDays: z.int(),
    suggestions: z.array(
      z.object({
        ...seenShape,
        remarks: z.array(z.string()),
        connector: z.object({
          kind: z.enum(['inbound-connector', 'outbound-connector']),
          organization: z.string(),
          name: z.string(),
          value: z
            .record(z.string(), z.unknown())
            .meta({ description: 'as it stands in a configuration' }),
        }),
      }),
    ),
    near: z.array(
      z.object({
        ...seenShape,
        met: z.int().min(0),
        tooFew: z.string().nullable(),
        missing: z.array(
          z.object({
            kind: z.enum(['unmet', 'undecided']),
            reason: z.string(),
            messages: z.int().min(0),
            id: z.string().meta({ description: 'of one such message; empty where it is of none' }),
            at: time,
          }),
        ),
      }),
    ),
    nearLeftOut: z.int().min(0),
    covered: z.int().min(0).meta({ description: 'domains that a connector covers already' }),
    others: z.int().min(0).meta({ description: 'domains that are not even nearly' }),
    domainsLeftOut: z.int().min(0).meta({ description: 'messages of domains beyond the bound' }),
  })
  .meta({ id: 'Suggestions' });
export type SuggestionsView = z.infer<typeof suggestionsSchema>;

/** What was read, and under which bounds. */
export interface SuggestedFrom {
  readonly policyRevision: string | null;
  readonly since: string;
  readonly oldestAt: string | null;
  readonly messages: number;
  readonly minMessages: number;
  readonly minDays: number;
}

/** The same for the API and for `postern connector suggest --json`. */
export function describeSuggestions(found: Suggestions, from: SuggestedFrom): SuggestionsView {
  const { suggestions, near, ...counts } = found;
  return {
    formatVersion: 1,
    ...from,
    suggestions: suggestions.map(describeSuggestion),
    near: near.map(describeNear),
    ...counts,
  };
}

type Describe<Part extends keyof SuggestionsView> =
  SuggestionsView[Part] extends readonly (infer Item)[] ? Item : never;

function describeSuggestion(suggestion: Suggestion): Describe<'suggestions'> {
  const { direction, organization, connector } = suggestion;
  const kind = direction === 'inbound' ? 'inbound-connector' : 'outbound-connector';
  const value = draftValueOf(suggestion);
  return {
    ...describeSeen(suggestion),
    remarks: [...suggestion.remarks],
    connector: { kind, organization, name: connector.name, value },
  };
}

function describeNear(near: NearMiss): Describe<'near'> {
  const { met, tooFew, missing } = near;
  return {
    ...describeSeen(near),
    met,
    tooFew,
    missing: missing.map(({ atMs, ...rest }) => ({ ...rest, at: formatTime(atMs) })),
  };
}

function describeSeen(seen: SeenOfDomain) {
  const { direction, organization, domain, messages, days, hostsLeftOut } = seen;
  return {
    direction,
    organization,
    domain,
    messages,
    days,
    firstAt: formatTime(seen.firstAtMs),
    lastAt: formatTime(seen.lastAtMs),
    hosts: [...seen.hosts],
    hostsLeftOut,
    versions: [...seen.versions],
    certificates: seen.certificates.map((each) => ({ ...each, names: [...each.names] })),
  };
}

function formatTime(ms: number): string {
  return new Date(ms).toISOString();
}
