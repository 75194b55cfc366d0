/** What the API serves of the policy; handed to it by `app`. */
import type { Actor } from '../identity/actor.ts';
import type { ObjectKey, ObjectKind } from '../config/policy-object.ts';
import type { ConfigProblem } from '../config/problem.ts';
import type {
  ChangedView,
  ChangesOrder,
  DiffView,
  InForceList,
  ObjectListQuery,
  ObjectListView,
  ObjectView,
  PolicyDocument,
  RevisionDetail,
  RevisionListView,
  RollbackOrder,
} from './contract/policy-objects.ts';

/** `asks-why`: it asks for less, and nobody said why. In both of the others nothing has changed. */
export type PolicyAnswer =
  | { readonly kind: 'done'; readonly view: ChangedView }
  | { readonly kind: 'asks-why'; readonly weaker: readonly string[] }
  | {
      readonly kind: 'refused';
      readonly problems: readonly ConfigProblem[];
      /** Objects that the change is not about, which it would break. */
      readonly dependents: readonly ObjectKey[];
    };

/** All of them may throw a Failure. What is changed is written into the audit log with its author. */
export interface PolicyServices {
  listObjects(
    of: { readonly kind: ObjectKind; readonly organization: string | null },
    query: ObjectListQuery,
    /** Names that may be seen; null: all. */
    names: readonly string[] | null,
  ): Promise<ObjectListView>;
  /** Throws `object-unknown`. */
  readObject(key: ObjectKey): Promise<ObjectView>;
  changePolicy(order: ChangesOrder, author: Actor): Promise<PolicyAnswer>;
  readPolicy(): Promise<PolicyDocument>;
  listRevisions(page: {
    readonly before?: number;
    readonly limit: number;
  }): Promise<RevisionListView>;
  /** Throws `revision-unknown`, as the next two. */
  readRevision(revision: number): Promise<RevisionDetail>;
  diffRevisions(from: number, to: number | null): Promise<DiffView>;
  rollBack(revision: number, order: RollbackOrder, author: Actor): Promise<PolicyAnswer>;
  /** Throws `revision-unknown` where no such policy was in force. */
  whenInForce(policyRevision: string): Promise<InForceList>;
}
