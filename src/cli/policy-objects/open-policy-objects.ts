/** The policy objects of the running gateway, by its API. */
import { Failure } from '../../mail/failure.ts';
import type { CommandContext, GatewayOptions } from '../command-context.ts';
import { connectGateway } from '../command-context.ts';
import type { PolicyObjectsClient } from './policy-objects-client.ts';

export async function openPolicyObjects(
  context: CommandContext,
  options: GatewayOptions,
): Promise<PolicyObjectsClient> {
  const client = await connectGateway(context, options);
  await client.status();
  throw new Failure('option-wrong', 'this gateway does not serve its policy objects');
}
