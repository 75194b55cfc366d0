/** The objects of the policy as the API shows them. */
import type { ObjectListView, ObjectView } from '../../api/contract/policy-objects.ts';
import type { PlacedObject } from '../../config/change-policy.ts';
import { withoutSecrets } from '../../config/object-secrets.ts';
import type { ObjectKey } from '../../config/policy-object.ts';
import { textOfKey } from '../../config/policy-object.ts';
import { Failure } from '../../mail/failure.ts';
import type { StoredRevision } from '../../store/control/policy-revisions.ts';
import type { PolicyBook } from './policy-book.ts';
import { unknownObject } from './requested-change.ts';

/** Of a revision that there is not. */
export function unknownRevision(text: string): Failure {
  return new Failure('revision-unknown', text);
}

/** Throws `revision-unknown`. */
export function readRevision(policies: PolicyBook, number: number): StoredRevision {
  const revision = policies.revisions.read(number);
  if (revision === null) throw unknownRevision(`there is no revision ${number} of the policy`);
  return revision;
}

/** Reads the newest state at each call. */
export class Viewer {
  readonly #policies: PolicyBook;

  constructor(policies: PolicyBook) {
    this.#policies = policies;
  }

  get revision(): number {
    return this.#policies.state.revision;
  }

  list(
    { kind, organization }: Pick<ObjectKey, 'kind' | 'organization'>,
    query: {
      readonly name?: string | undefined;
      readonly limit: number;
      readonly after?: string | undefined;
    },
    names: readonly string[] | null,
  ): ObjectListView {
    const { objects } = this.#policies.state;
    const isKnown =
      organization === null || objects.some((each) => isOrganization(each, organization));
    if (!isKnown)
      throw unknownObject({ kind: 'organization', organization: null, name: organization });
    const part = query.name?.toLowerCase() ?? '';
    const found = this.#alike({ kind, organization })
      .map((object, place) => ({ object, place }))
      .filter(({ object }) => object.name.toLowerCase().includes(part))
      .filter(({ object }) => names === null || names.includes(object.name))
      .filter(({ object }) => query.after === undefined || object.position > Number(query.after));
    const page = found.slice(0, query.limit);
    const last = found.length > page.length ? page.at(-1) : undefined;
    return {
      formatVersion: 1,
      revision: this.revision,
      objects: page.map(({ object, place }) => this.#view(object, place)),
      next: last === undefined ? null : String(last.object.position),
    };
  }

  read(key: ObjectKey): ObjectView {
    const found = this.find(key);
    if (found === null) throw unknownObject(key);
    return found;
  }

  find(key: ObjectKey): ObjectView | null {
    const text = textOfKey(key);
    const alike = this.#alike(key);
    const place = alike.findIndex((each) => textOfKey(each) === text);
    return place < 0 ? null : this.#view(alike[place]!, place);
  }

  #alike({ kind, organization }: Pick<ObjectKey, 'kind' | 'organization'>) {
    return this.#policies.state.objects.filter(
      (each) => each.kind === kind && each.organization === organization,
    );
  }

  #view(object: PlacedObject, place: number): ObjectView {
    const { kind, organization, name, value, revision } = object;
    const { at, author } = readRevision(this.#policies, revision);
    return {
      kind,
      organization,
      name,
      value: withoutSecrets(kind, value),
      place,
      revision,
      etag: `"${revision}"`,
      changedAt: at,
      changedBy: author,
    };
  }
}

function isOrganization(object: PlacedObject, id: string): boolean {
  return object.kind === 'organization' && object.name === id;
}
