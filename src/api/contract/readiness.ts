/** `GET /v1/readiness`: would the recorded mail of the last days have met a connector's demands. */
import { z } from 'zod';
import { findNearest } from '../../config/nearest.ts';
import { Failure } from '../../mail/failure.ts';
import type { Policy } from '../../policy/policy.ts';
import type {
  ConnectorName,
  Direction,
  ReadinessSummary,
  ReadinessView,
} from '../../policy/readiness-summary.ts';
import type { ReadSoFar } from './records.ts';
import { daysMax, ofOrganization, oldestAt } from './records.ts';
import { time } from './time.ts';

const direction = z.enum(['inbound', 'outbound']);

export const readinessDays = 30;

export const readinessQuerySchema = z.object({
  name: z.string().min(1).max(64).meta({ description: 'of the connector' }),
  days: z.coerce.number().int().min(1).max(daysMax).default(readinessDays),
  direction: direction.optional().meta({ description: 'where both have one of this name' }),
  organization: ofOrganization,
});
export type ReadinessQuery = z.output<typeof readinessQuerySchema>;
/** As a client writes it. */
export interface ReadinessQueryInput {
  readonly name: string;
  readonly days?: number | undefined;
  readonly direction?: Direction | undefined;
  readonly organization?: string | undefined;
}

const count = z.int().min(0);

export const readinessSchema = z
  .object({
    formatVersion: z.literal(1),
    name: z.string(),
    days: z.int(),
    since: time,
    oldestAt,
    results: z.array(
      z.object({
        direction,
        organization: z.string(),
        met: count.meta({ description: 'messages; of a message every delivery met the demands' }),
        unmet: count,
        undecided: count.meta({ description: 'what was examined does not tell' }),
        modes: z
          .object({ enforce: count, warn: count, observe: count })
          .meta({ description: 'that the connector had, of what was met or unmet' }),
        policyRevisions: count.meta({ description: 'under how many it was judged' }),
        failures: z.array(
          z.object({
            id: z.string(),
            from: z.string(),
            to: z.string(),
            other: z.string().meta({ description: "the client's address, or the server's" }),
            reason: z.string(),
            at: time,
          }),
        ),
        failuresLeftOut: count,
        isReady: z.boolean().meta({
          description:
            'something was seen, and all that could be judged met them; undecided says how much could not',
        }),
      }),
    ),
  })
  .meta({ id: 'Readiness' });
export type ReadinessAnswer = z.infer<typeof readinessSchema>;

/** The same for the API and for `postern connector readiness --json`. */
export function describeReadiness(
  { name, days }: { readonly name: string; readonly days: number },
  views: readonly ReadinessView[],
  { since, oldestAt: oldest }: ReadSoFar,
): ReadinessAnswer {
  const results = views.map(({ failures, modes, ...view }) => ({
    ...view,
    modes: { ...modes },
    failures: failures.map((each) => ({ ...each })),
    isReady: isReady(view),
  }));
  return { formatVersion: 1, name, days, since, oldestAt: oldest, results };
}

/** Where nothing was seen nothing is ready. */
export function isReady({ met, unmet }: Pick<ReadinessView, 'met' | 'unmet'>): boolean {
  return met > 0 && unmet === 0;
}

/** Every connector of a policy, in whichever direction. */
export function connectorNamesOf(policy: Policy): readonly ConnectorName[] {
  return policy.organizations.flatMap(
    ({ id: organization, inboundConnectors, outboundConnectors }) => [
      ...inboundConnectors.map(
        ({ name }) => ({ name, direction: 'inbound', organization }) as const,
      ),
      ...outboundConnectors.map(
        ({ name }) => ({ name, direction: 'outbound', organization }) as const,
      ),
    ],
  );
}

/** What was found, by organization and direction. `known`: connectors that may be named. Throws `connector-unknown`. */
export function viewsOf(
  summary: ReadinessSummary,
  { name, direction, organization }: ReadinessQueryInput,
  known: readonly ConnectorName[],
): readonly ReadinessView[] {
  const meant = known.filter(
    (each) =>
      (direction === undefined || each.direction === direction) &&
      (organization === undefined || each.organization === organization),
  );
  const views = summary.view(meant.filter((each) => each.name === name));
  if (views.length > 0) return views;
  const names = [...meant, ...summary.others()].map((each) => each.name);
  const nearest = findNearest(name, names);
  const hint = nearest === null ? '' : `; did you mean ${nearest}?`;
  const text = `there is no connector ${name}${hint}`;
  throw new Failure('connector-unknown', text, { wireText: text });
}
