/** What the commands ask of the running gateway about policy objects. */
import type { ConfigProblem } from '../../config/problem.ts';
import type { PolicyKindName } from './policy-kind.ts';

/** As it would stand in a configuration file, without defaults. */
export type ObjectValue = Readonly<Record<string, unknown>>;

/** Which object; `organization` has it. */
export interface ObjectPlace {
  readonly kind: PolicyKindName;
  readonly organization: string;
  readonly name: string;
}

/** Lists are in the order in which the objects act. */
export interface ObjectView extends ObjectPlace {
  readonly value: ObjectValue;
  readonly etag: string;
  readonly revision: number;
  /** RFC 3339, UTC. */
  readonly changedAt: string;
  readonly changedBy: string;
}

/** `isNew` object must not exist. `position` counts from 0; absent is the end. */
export type ObjectChange =
  | {
      readonly action: 'put';
      readonly place: ObjectPlace;
      readonly value: ObjectValue;
      readonly isNew: boolean;
      readonly position?: number;
    }
  | {
      /** A merge patch: null takes a key away. `position` moves it. */
      readonly action: 'patch';
      readonly place: ObjectPlace;
      readonly patch: ObjectValue;
      readonly etag: string;
      readonly position?: number;
    }
  | { readonly action: 'delete'; readonly place: ObjectPlace; readonly etag: string };

/** `dryRun` only says what would become of it. `reason`: why less is asked for. */
export interface ChangeOptions {
  readonly dryRun: boolean;
  readonly reason: string | null;
}

/** `weaker`: what is asked for less, in words. `warnings` are about the objects that change. */
export interface ChangeAnswer {
  /** Null where nothing was changed. */
  readonly revision: number | null;
  readonly weaker: readonly string[];
  readonly warnings: readonly ConfigProblem[];
}

/** Throws Failures. */
export interface PolicyObjectsClient {
  listOrganizations(): Promise<readonly string[]>;
  listObjects(kind: PolicyKindName, organization: string): Promise<readonly ObjectView[]>;
  /** All of them or none, as one revision. */
  change(changes: readonly ObjectChange[], options: ChangeOptions): Promise<ChangeAnswer>;
}
