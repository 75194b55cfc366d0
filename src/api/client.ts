/**
 * The typed client of the API over the gateway's Unix socket, or over TLS from elsewhere; for `cli`.
 *
 * Every call is one connection, bounded in time and size; every answer is held against the contract.
 */
import type { FailureMeaning } from '../mail/failure.ts';
import type { Failure } from '../mail/failure.ts';
import type { ConfigClient } from './client/config.ts';
import { configClient } from './client/config.ts';
import type { DomainsClient } from './client/domains.ts';
import { domainsClient } from './client/domains.ts';
import type { ExplainClient } from './client/explain.ts';
import { explainClient } from './client/explain.ts';
import type { MessagesClient } from './client/messages.ts';
import { messagesClient } from './client/messages.ts';
import type { PolicyClient } from './client/policy.ts';
import { policyClient } from './client/policy.ts';
import type { PeopleClient } from './client/people.ts';
import { peopleClient } from './client/people.ts';
import type { QueueClient } from './client/queue.ts';
import { queueClient } from './client/queue.ts';
import type { RecordedMailClient } from './client/recorded-mail.ts';
import { recordedMailClient } from './client/recorded-mail.ts';
import type { HttpsSettings } from './client/https-caller.ts';
import { httpsCaller } from './client/https-caller.ts';
import type { SocketSettings } from './client/socket-caller.ts';
import { socketCaller } from './client/socket-caller.ts';
import type { StatusClient } from './client/status.ts';
import { statusClient } from './client/status.ts';
import type { RevisionsClient } from './client/revisions.ts';
import { revisionsClient } from './client/revisions.ts';
import type { SuggestionsClient } from './client/suggestions.ts';
import { suggestionsClient } from './client/suggestions.ts';
import type { TracesClient } from './client/traces.ts';
import { tracesClient } from './client/traces.ts';
import type { ValidationClient } from './client/validation.ts';
import { validationClient } from './client/validation.ts';
import type { ConfigProblemView } from './contract/config-problem.ts';
import { problemSchema } from './contract.ts';
import { apiFailures } from './failures.ts';

/** Throws a Failure; `meaningOfFailure` tells its exit code and what to do. */
export interface ApiClient
  extends
    StatusClient,
    QueueClient,
    TracesClient,
    SuggestionsClient,
    RecordedMailClient,
    RevisionsClient,
    MessagesClient,
    ExplainClient,
    ConfigClient,
    DomainsClient,
    PolicyClient,
    ValidationClient,
    PeopleClient {}

/** Throws `gateway-url-wrong`. */
export function createApiClient(settings: SocketSettings | HttpsSettings): ApiClient {
  const caller = 'url' in settings ? httpsCaller(settings) : socketCaller(settings);
  return {
    ...statusClient(caller),
    ...queueClient(caller),
    ...tracesClient(caller),
    ...suggestionsClient(caller),
    ...recordedMailClient(caller),
    ...revisionsClient(caller),
    ...messagesClient(caller),
    ...explainClient(caller),
    ...configClient(caller),
    ...domainsClient(caller),
    ...policyClient(caller),
    ...validationClient(caller),
    ...peopleClient(caller),
  };
}

/** What a failure of the client means: by the gateway's own answer, else by the API's table. */
export function meaningOfFailure(failure: Failure): FailureMeaning | null {
  const problem = problemSchema.safeParse(failure.cause);
  if (problem.success) {
    const { status, exitCode, whatToDo } = problem.data;
    return { httpStatus: status, exitCode, whatToDo };
  }
  const table: Readonly<Record<string, FailureMeaning>> = apiFailures;
  return table[failure.code] ?? null;
}

/** What is wrong with a configuration that the gateway refused; empty for any other failure. */
export function problemsOfFailure(failure: Failure): readonly ConfigProblemView[] {
  const problem = problemSchema.safeParse(failure.cause);
  return (problem.success ? problem.data.problems : undefined) ?? [];
}

/** What a refused change would have asked less, in words; empty for any other failure. */
export function weakerOfFailure(failure: Failure): readonly string[] {
  const problem = problemSchema.safeParse(failure.cause);
  return (problem.success ? problem.data.weaker : undefined) ?? [];
}
