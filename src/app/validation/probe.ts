/**
 * A look at the TLS of a connector's hosts: a validation that stops before MAIL and is kept nowhere, and
 * what each TLS setting would say of what was seen.
 *
 * It reaches what the connector's mail reaches, by the same guard and within the same bounds; for
 * anything else no name is looked up and nothing is dialled.
 */
import type { ProbeAnswer, ProbeOrderView } from '../../api/contract/probe.ts';
import type { ConnectorOf } from '../../api/validation-services.ts';
import { Failure } from '../../mail/failure.ts';
import type { AssessedAgainst } from '../../policy/assess-tls.ts';
import { assessTls } from '../../policy/assess-tls.ts';
import type { OutboundConnector, Policy } from '../../policy/policy.ts';
import { asIfInForce, judgeCoverage, withConnector } from '../../policy/validation/cover.ts';
import type { ValidationRun } from '../../policy/validation/run.ts';
import type { Validations } from './validations.ts';

export interface ProbeParts {
  readonly validations: Pick<Validations, 'connectorOf' | 'start'>;
  readonly policy: () => Policy;
}

/** Throws `outbound-connector-unknown`, `address-not-allowed`, `validation-busy`; then nothing was dialled. */
export async function probeConnector(
  { validations, policy }: ProbeParts,
  { organization, name }: ConnectorOf,
  { domain, by }: ProbeOrderView,
): Promise<ProbeAnswer> {
  const connector = validations.connectorOf({ organization, connector: name });
  const to = domain === null ? null : { localPart: 'postmaster', domain };
  if (to !== null) requireCovered(policy(), { organization, connector }, to);
  const started = await validations.start({
    organization,
    connector: name,
    draft: null,
    recipients: to === null ? [] : [to],
    reversePath: null,
    from: null,
    subject: null,
    stopBefore: 'mail',
    trigger: 'order',
    orderedBy: by,
  });
  return describeProbe(await started.run, againstOf(connector, domain));
}

function requireCovered(
  policy: Policy,
  of: { readonly organization: string; readonly connector: OutboundConnector },
  to: { readonly localPart: string; readonly domain: string },
): void {
  const { organization } = of;
  const connector = asIfInForce(of.connector);
  const tried = withConnector(policy, organization, connector);
  if (judgeCoverage(tried, organization, connector, to).finding === null) return;
  const text = `address not allowed: mail for ${to.domain} does not take the connector "${connector.name}"`;
  throw new Failure('address-not-allowed', text, { wireText: text });
}

/** The connector's own names; without any those that would count for the domain. */
function againstOf(
  { anchors, tlsDomains, pins, route }: OutboundConnector,
  domain: string | null,
): AssessedAgainst {
  const isNamed = tlsDomains.length > 0 || route.kind !== 'mx' || domain === null;
  const names = isNamed ? tlsDomains : [{ kind: 'wildcard', domain } as const];
  return { anchors, names, pins };
}

function describeProbe(run: ValidationRun, against: AssessedAgainst): ProbeAnswer {
  const { organization, connector, startedAt, endedAt, policyRevision } = run;
  const atMs = Date.parse(endedAt);
  const hosts = run.hosts.map((host) => ({
    ...host,
    met: [...host.met],
    chain: [...host.chain],
    settings:
      host.evidence === null
        ? []
        : assessTls(host.evidence, against, atMs).map((each) => ({ ...each })),
  }));
  return {
    formatVersion: 1,
    organization,
    connector,
    policyRevision,
    startedAt,
    endedAt,
    findings: [...run.findings],
    hosts,
    certificates: [...run.certificates],
  };
}
