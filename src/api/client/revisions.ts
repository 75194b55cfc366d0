/** The client's calls about the revisions of the policy. */
import type { z } from 'zod';
import type {
  ChangedView,
  DiffView,
  InForceList,
  PolicyDocument,
  RevisionDetail,
  RevisionListView,
} from '../contract/policy-objects.ts';
import {
  changedSchema,
  diffSchema,
  inForceListSchema,
  policyDocumentSchema,
  revisionDetailSchema,
  revisionListSchema,
} from '../contract/policy-objects.ts';
import type { rollbackOrderSchema } from '../contract/policy-objects.ts';
import type { Caller } from './caller.ts';
import { formatQuery } from './caller.ts';

export interface RevisionsClient {
  listRevisions(page?: {
    readonly before?: number;
    readonly limit?: number;
  }): Promise<RevisionListView>;
  /** Throws `revision-unknown`, as the others that name one. */
  readRevision(revision: number): Promise<RevisionDetail>;
  diffRevisions(from: number, to?: number): Promise<DiffView>;
  /** Throws as `changePolicy`. */
  rollBack(revision: number, order: z.input<typeof rollbackOrderSchema>): Promise<ChangedView>;
  whenInForce(policyRevision: string): Promise<InForceList>;
  /** The whole policy, without secrets. */
  readPolicy(): Promise<PolicyDocument>;
}

export function revisionsClient({ ask }: Caller): RevisionsClient {
  const read = <View>(path: string, schema: z.ZodType<View>): Promise<View> =>
    ask({ method: 'GET', path }, schema);
  return {
    listRevisions: (page = {}) => read(`/v1/revisions${formatQuery(page)}`, revisionListSchema),
    readRevision: (revision) => read(`/v1/revisions/${revision}`, revisionDetailSchema),
    diffRevisions: (from, to) =>
      read(`/v1/diff${formatQuery(to === undefined ? { from } : { from, to })}`, diffSchema),
    rollBack: (revision, body) =>
      ask({ method: 'POST', path: `/v1/revisions/${revision}/rollback`, body }, changedSchema),
    whenInForce: (policyRevision) =>
      read(`/v1/policies/${encodeURIComponent(policyRevision)}`, inForceListSchema),
    readPolicy: () => read('/v1/policy', policyDocumentSchema),
  };
}
