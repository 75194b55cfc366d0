/** Has the gateway look at the partner's servers by a draft, which is never put in force. */
import type { ApiClient } from '../../api/client.ts';
import { Failure } from '../../mail/failure.ts';
import type { ValidationRun, ValidationStep } from '../../policy/validation/run.ts';
import type { CommandContext } from '../command-context.ts';
import type { ObjectValue } from '../policy-objects/policy-objects-client.ts';
import { formatOutcome, formatStep } from '../validation-text.ts';
import { whoAsks } from '../who.ts';
import type { SeenServer } from './answers.ts';
import { say } from './ask-questions.ts';
import type { Prompter } from './prompter.ts';

/** Where an outbound connector would be. */
export interface DraftToTry {
  readonly organization: string;
  readonly value: ObjectValue;
}

/** `prompter` null: nobody can give up. `isQuiet`: steps are not shown. */
export interface Looking {
  readonly context: CommandContext;
  readonly client: ApiClient;
  readonly prompter: Prompter | null;
  readonly isQuiet: boolean;
}

/**
 * Up to TLS, nothing is sent; steps and what is in the way are shown. Null where the gateway would not look,
 * with the reason shown: the wizard goes on without.
 */
export async function tryDraft(
  { context, client, prompter, isQuiet }: Looking,
  { organization, value }: DraftToTry,
): Promise<ValidationRun | null> {
  const { err, width } = context;
  const of = { organization, name: String(value['name']) };
  const order = { recipients: [], draft: { ...value }, by: whoAsks(context) };
  let shown: Promise<void> = Promise.resolve();
  const onStep = (step: ValidationStep): void => {
    if (!isQuiet) shown = shown.then(() => err.print(formatStep(step)));
    shown.catch(() => undefined);
  };
  const work = (signal?: AbortSignal): Promise<ValidationRun> =>
    client.validateConnector(of, order, onStep, signal);
  try {
    const run = await (prompter === null ? work() : prompter.during(work));
    await shown;
    if (!isQuiet) await err.print(`\n${formatOutcome(run, width)}`);
    return run;
  } catch (error) {
    if (!(error instanceof Failure) || !notLooked.has(error.code)) throw error;
    await shown;
    await say({ err, width }, [`The gateway did not look: ${error.message}.`]);
    return null;
  }
}

/** After these the wizard can go on without having looked. */
const notLooked: ReadonlySet<string> = new Set([
  'draft-refused',
  'validation-busy',
  'api-not-permitted',
]);

/** A line for each certificate that was seen. */
export function describeSeen(seen: readonly SeenServer[]): readonly string[] {
  return seen.map(({ host, address, names, issuer, notAfter, isTrusted }) => {
    const where = address === null || address === host ? host : `${host} [${address}]`;
    const trust = isTrusted ? '' : '; it leads to NO trusted CA';
    const list = names.length === 0 ? 'no name' : names.slice(0, 10).join(', ');
    return `${where} shows a certificate for ${list}, issued by ${issuer}, until ${notAfter.slice(0, 10)}${trust}`;
  });
}
