/** Whose outbound connector is meant, where the command line does not say it. */
import type { ApiClient } from '../api/client.ts';
import { findNearest } from '../config/nearest.ts';
import { Failure } from '../mail/failure.ts';

/** As the API's paths name it. */
export interface OutboundConnectorName {
  readonly organization: string;
  readonly name: string;
}

interface Listed {
  readonly id: string;
  readonly names: readonly string[];
}

/**
 * The organization that is named, or the only one with such a connector; for a draft, which need not be
 * there yet, the only one. Throws `connector-unknown`, or `option-wrong` where several might be meant.
 */
export async function findOutboundConnector(
  client: Pick<ApiClient, 'readConfig'>,
  name: string,
  { organization, isDraft }: { readonly organization: string | null; readonly isDraft: boolean },
): Promise<OutboundConnectorName> {
  if (organization !== null) return { organization, name };
  const { config } = await client.readConfig({});
  const all = listOf(config);
  const having = all.filter(({ names }) => names.includes(name));
  const [only] = having;
  if (only !== undefined && having.length === 1) return { organization: only.id, name };
  const [single] = all;
  if (isDraft && having.length === 0 && single !== undefined && all.length === 1) {
    return { organization: single.id, name };
  }
  if (having.length > 1 || isDraft) {
    const ids = (having.length > 1 ? having : all).map(({ id }) => id).join(', ');
    throw new Failure('option-wrong', `say whose "${name}" it is: --organization, one of ${ids}`);
  }
  const nearest = findNearest(
    name,
    all.flatMap(({ names }) => names),
  );
  const hint = nearest === null ? '' : `; did you mean ${nearest}?`;
  throw new Failure('connector-unknown', `there is no outbound connector ${name}${hint}`);
}

/** From the configuration as it is shown. */
function listOf(config: unknown): readonly Listed[] {
  return entriesOf(config, 'organizations').flatMap((organization) => {
    const id = textOf(organization, 'id');
    if (id === null) return [];
    const names = entriesOf(organization, 'outboundConnectors').flatMap(
      (connector) => textOf(connector, 'name') ?? [],
    );
    return [{ id, names }];
  });
}

function entriesOf(value: unknown, key: string): readonly unknown[] {
  const entries = (value as Readonly<Record<string, unknown>> | null)?.[key];
  return Array.isArray(entries) ? entries : [];
}

function textOf(value: unknown, key: string): string | null {
  const text = (value as Readonly<Record<string, unknown>> | null)?.[key];
  return typeof text === 'string' ? text : null;
}
