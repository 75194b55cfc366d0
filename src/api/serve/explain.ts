/** Explains what would become of a message. */
import { parseAddress } from '../../mail/address.ts';
import { Failure } from '../../mail/failure.ts';
import { explainRoute } from '../routes/explain.ts';
import type { ApiServices } from '../services.ts';
import { isInReach, organizationsInReach } from './reach.ts';
import type { ApiRequest, Serving } from './serving.ts';

export function serveExplain({ app, services }: Serving): void {
  app.openapi(explainRoute, async (c) => {
    const question = c.req.valid('json');
    refuseForeign(
      c,
      [question.from, question.to].map((text) => ownerOf(services, text)),
    );
    return c.json(await services.explain(question, organizationsInReach(c)), 200);
  });
}

/** Null where the address is of nobody here. */
function ownerOf(services: ApiServices, text: string | null): string | null {
  const address = text === null ? null : parseAddress(text);
  return address === null ? null : services.organizationOf(address.domain);
}

/** The answer tells the policy of the sender's and of the recipient's organization. */
function refuseForeign(c: ApiRequest, owners: readonly (string | null)[]): void {
  if (organizationsInReach(c) === null) return;
  const known = owners.filter((owner) => owner !== null);
  if (known.length > 0 && known.every((owner) => isInReach(c, owner))) return;
  const text =
    'sender or recipient must be of an organization of yours, and neither of another one';
  throw new Failure('api-not-permitted', text, { wireText: text });
}
