/** The policy objects of a gateway in memory: what the whole of them may be the real checks decide. */
import type { CliIo } from '../../src/cli/command-context.ts';
import type { PolicyKindName } from '../../src/cli/policy-objects/policy-kind.ts';
import { policyKinds } from '../../src/cli/policy-objects/policy-kind.ts';
import type {
  ChangeAnswer,
  ChangeOptions,
  ObjectChange,
  ObjectValue,
  ObjectView,
  PolicyObjectsClient,
} from '../../src/cli/policy-objects/policy-objects-client.ts';
import { parseConfig } from '../../src/config/load.ts';
import { canonicalName } from '../../src/config/policy-object.ts';
import { formatProblem } from '../../src/config/problem.ts';
import { Failure } from '../../src/mail/failure.ts';

type Lists = Readonly<Record<PolicyKindName, readonly ObjectValue[]>>;

const listOf: Readonly<Record<PolicyKindName, string>> = {
  'inbound-connector': 'inboundConnectors',
  'outbound-connector': 'outboundConnectors',
  'accepted-domain': 'acceptedDomains',
  rule: 'rules',
};

const empty: Lists = {
  'inbound-connector': [],
  'outbound-connector': [],
  'accepted-domain': [{ domain: 'fabrikam.com' }],
  rule: [],
};

/** What the fake was asked to change, oldest first. */
export interface Asked {
  readonly changes: readonly ObjectChange[];
  readonly options: ChangeOptions;
}

/** `weaker` is what every change is said to weaken, and needs a reason for. */
export class FakePolicyObjects implements PolicyObjectsClient {
  readonly asked: Asked[] = [];
  readonly weaker: string[] = [];
  /** Whether a change must make a policy that holds. */
  isStrict = true;
  #revision = 1;
  #organizations: ReadonlyMap<string, Lists>;

  constructor(organizations: readonly string[] = ['fabrikam'], objects: Partial<Lists> = {}) {
    this.#organizations = new Map(
      organizations.map((id, place) => {
        const domain = place === 0 ? 'fabrikam.com' : `${id}.example`;
        return [id, { ...empty, 'accepted-domain': [{ domain }], ...(place === 0 ? objects : {}) }];
      }),
    );
  }

  get io(): Partial<CliIo> {
    return { openPolicyObjects: async () => this };
  }

  values(kind: PolicyKindName, organization = 'fabrikam'): readonly ObjectValue[] {
    return this.#organizations.get(organization)![kind];
  }

  async listOrganizations(): Promise<readonly string[]> {
    return [...this.#organizations.keys()];
  }

  async listObjects(kind: PolicyKindName, organization: string): Promise<readonly ObjectView[]> {
    return this.values(kind, organization).map((value) => ({
      kind,
      organization,
      name: nameOf(kind, value),
      value,
      etag: etagOf(value),
      revision: this.#revision,
      changedAt: '2026-11-28T09:00:00.000Z',
      changedBy: 'root',
    }));
  }

  async change(changes: readonly ObjectChange[], options: ChangeOptions): Promise<ChangeAnswer> {
    this.asked.push({ changes, options });
    let next = this.#organizations;
    for (const each of changes) next = changed(next, each);
    const result = this.isStrict ? parseConfig(JSON.stringify(compose(next)), 'policy') : null;
    if (result?.kind === 'refused') {
      const errors = result.problems.filter(({ severity }) => severity === 'error');
      throw new Failure('object-wrong', errors.map(formatProblem).join('\n'));
    }
    const { weaker } = this;
    if (options.dryRun) return { revision: null, weaker, warnings: [] };
    if (weaker.length > 0 && options.reason === null) {
      throw new Failure('policy-weaker', weaker.join('\n'));
    }
    this.#organizations = next;
    return { revision: ++this.#revision, weaker, warnings: [] };
  }
}

function compose(organizations: ReadonlyMap<string, Lists>): unknown {
  return {
    hostName: 'mx.fabrikam.com',
    listeners: [{ name: 'mx', host: '127.0.0.1', port: 2525, kind: 'mx' }],
    certificates: { main: { certificate: 'a.pem', key: 'a.key' } },
    serverCertificates: 'main',
    organizations: Array.from(organizations, ([id, lists]) => ({
      id,
      aliases: [
        {
          address: `postmaster@${String(lists['accepted-domain'][0]?.['domain'])}`,
          to: 'x@adatum.com',
        },
      ],
      ...Object.fromEntries(
        Object.entries(lists).map(([kind, values]) => [listOf[kind as PolicyKindName], values]),
      ),
    })),
  };
}

function nameOf(kind: PolicyKindName, value: ObjectValue): string {
  return canonicalName(kind, String(value[policyKinds[kind].nameKey]));
}

function etagOf(value: ObjectValue): string {
  return JSON.stringify(value);
}

function changed(
  organizations: ReadonlyMap<string, Lists>,
  change: ObjectChange,
): ReadonlyMap<string, Lists> {
  const { kind, organization, name } = change.place;
  const lists = organizations.get(organization)!;
  const values = [...lists[kind]];
  const at = values.findIndex((value) => nameOf(kind, value) === name);
  if (change.action === 'put') {
    if (change.isNew && at !== -1) throw new Failure('object-exists', `there is another ${name}`);
    if (at !== -1) values.splice(at, 1);
    const end = at === -1 ? values.length : at;
    values.splice(change.position ?? end, 0, change.value);
  } else {
    if (at === -1) throw new Failure('object-unknown', `there is no ${name}`);
    const [old] = values.splice(at, 1);
    if (etagOf(old!) !== change.etag) throw new Failure('object-exists', 'changed by another');
    if (change.action === 'patch') {
      const merged = Object.entries({ ...old, ...change.patch });
      const value = Object.fromEntries(merged.filter(([, each]) => each !== null));
      values.splice(change.position ?? at, 0, value);
    }
  }
  return new Map([...organizations, [organization, { ...lists, [kind]: values }]]);
}
