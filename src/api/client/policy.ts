/** The client's calls about the objects of the policy. */
import type { ObjectKind } from '../../config/policy-object.ts';
import { kindOf } from '../../config/policy-object.ts';
import type { CertificateContentsView } from '../contract/certificates.ts';
import { certificateContentsSchema } from '../contract/certificates.ts';
import type {
  ChangedView,
  ChangesOrderInput,
  ObjectListView,
  ObjectView,
} from '../contract/policy-objects.ts';
import { changedSchema, objectListSchema, objectViewSchema } from '../contract/policy-objects.ts';
import type { Caller } from './caller.ts';
import { formatQuery } from './caller.ts';

/** `organization` null for organizations themselves and for certificates. */
export interface ObjectsOf {
  readonly kind: ObjectKind;
  readonly organization: string | null;
}

export interface PolicyClient {
  /** One page, in the order in which the objects act. Throws `object-unknown` for an organization. */
  listObjects(
    of: ObjectsOf,
    query?: { readonly name?: string; readonly limit?: number; readonly after?: string },
  ): Promise<ObjectListView>;
  /** What is in one of our own certificates. Throws `object-unknown`. */
  readCertificate(name: string): Promise<CertificateContentsView>;
  /** Throws `object-unknown`. */
  readObject(key: ObjectsOf & { readonly name: string }): Promise<ObjectView>;
  /**
   * All of them or none. Throws `policy-refused`, whose `problemsOfFailure` tells what is wrong, and
   * `policy-asks-less`, whose `weakerOfFailure` tells what would be asked less.
   */
  changePolicy(order: ChangesOrderInput): Promise<ChangedView>;
}

export function policyClient({ ask }: Caller): PolicyClient {
  return {
    listObjects: (of, query = {}) =>
      ask({ method: 'GET', path: `${listPath(of)}${formatQuery(query)}` }, objectListSchema),
    readCertificate: (name) => {
      const path = `/v1/certificates/${encodeURIComponent(name)}/contents`;
      return ask({ method: 'GET', path }, certificateContentsSchema);
    },
    readObject: (key) => {
      const path = `${listPath(key)}/${encodeURIComponent(key.name)}`;
      return ask({ method: 'GET', path }, objectViewSchema);
    },
    changePolicy: (order) =>
      ask({ method: 'POST', path: '/v1/changes', body: order }, changedSchema),
  };
}

function listPath({ kind, organization }: ObjectsOf): string {
  const { collection } = kindOf(kind);
  if (organization === null) return `/v1/${collection}`;
  return `/v1/organizations/${encodeURIComponent(organization)}/${collection}`;
}
