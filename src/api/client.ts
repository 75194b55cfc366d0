/**
 * The typed client of the API over the gateway's Unix socket; for `cli`.
 *
 * Every call is one connection, bounded in time and size; every answer is held against the contract.
 */
import type { IncomingMessage } from 'node:http';
import { request } from 'node:http';
import type { z } from 'zod';
import type { FailureMeaning } from '../mail/failure.ts';
import { Failure } from '../mail/failure.ts';
import type {
  ExplainAnswer,
  ExplainQuestion,
  QueueListView,
  Reloaded,
  StatusView,
  Submission,
  Submitted,
  TraceView,
} from './contract.ts';
import type {
  QueuedMessageView,
  QueueOrderAnswer,
  QueueOrderInput,
  QueueQuery,
} from './contract/queue-orders.ts';
import type { ConfigProblemView } from './contract/config-problem.ts';
import type { ConfigCheck, ConfigCheckOrder, ConfigQuery, ConfigView } from './contract/config.ts';
import { configCheckSchema, configViewSchema } from './contract/config.ts';
import type { DomainListView, DomainView } from './contract/domains.ts';
import { domainListSchema, domainSchema } from './contract/domains.ts';
import type { TraceListView, TraceQueryInput } from './contract/trace-search.ts';
import type { RecordPage, RecordQueryInput } from './contract/records.ts';
import { recordPageSchema } from './contract/records.ts';
import { traceListSchema } from './contract/trace-search.ts';
import { queuedMessageSchema, queueOrderAnswerSchema } from './contract/queue-orders.ts';
import {
  explainAnswerSchema,
  problemSchema,
  queueListSchema,
  reloadedSchema,
  statusSchema,
  submittedSchema,
  traceViewSchema,
} from './contract.ts';
import { apiFailures } from './failures.ts';

/** Throws a Failure; `meaningOfFailure` tells its exit code and what to do. */
export interface ApiClient {
  status(): Promise<StatusView>;
  listQueue(query: QueueQuery): Promise<QueueListView>;
  /** Throws `queue-match-empty` where neither a filter nor `all` is given. */
  orderQueue(order: QueueOrderInput): Promise<QueueOrderAnswer>;
  /** Throws `message-not-queued`. */
  showQueued(id: string): Promise<QueuedMessageView>;
  /** Hands the content over piece by piece. Throws `message-not-queued`. */
  readContent(id: string, by: string, write: (part: Buffer) => Promise<void>): Promise<void>;
  /** Throws `trace-unknown` where the gateway knows nothing of the id. */
  readTrace(id: string): Promise<TraceView>;
  searchTraces(query: TraceQueryInput): Promise<TraceListView>;
  readRecords(query: RecordQueryInput): Promise<RecordPage>;
  submit(message: Submission): Promise<Submitted>;
  explain(question: ExplainQuestion): Promise<ExplainAnswer>;
  /**
   * `reason`: why the policy is to ask for less; absent where it is not. Throws `config-refused`;
   * `problemsOfFailure` tells everything that is wrong.
   */
  reloadConfig(reason?: string): Promise<Reloaded>;
  readConfig(query: ConfigQuery): Promise<ConfigView>;
  /** Without `text` the file as it is. Changes nothing. */
  checkConfig(order?: ConfigCheckOrder): Promise<ConfigCheck>;
  listDomains(): Promise<DomainListView>;
  /** Throws `domain-unknown`. */
  verifyDomain(domain: string): Promise<DomainView>;
}

export interface ClientSettings {
  readonly socketPath: string;
  /** From the first byte out to the last byte in; 35 s where absent. */
  readonly timeoutMs?: number;
}

const answerBytesMax = 64 * 1024 * 1024;

export function createApiClient(settings: ClientSettings): ApiClient {
  const call = <View>(method: string, path: string, schema: z.ZodType<View>, body?: unknown) =>
    callApi(settings, { method, path, body }, schema);
  return {
    status: () => call('GET', '/v1/status', statusSchema),
    listQueue: (query) => call('GET', `/v1/queue${formatQuery(query)}`, queueListSchema),
    orderQueue: (order) => call('POST', '/v1/queue/orders', queueOrderAnswerSchema, order),
    showQueued: (id) => call('GET', `/v1/queue/${encodeURIComponent(id)}`, queuedMessageSchema),
    readContent: async (id, by, write) => {
      const path = `/v1/queue/${encodeURIComponent(id)}/content${formatQuery({ by })}`;
      const answer = await exchange(settings, { method: 'GET', path, body: undefined }, write);
      if (answer.status >= 400) throw failureOf(answer.status, parseJson(answer.text));
    },
    readTrace: (id) => call('GET', `/v1/traces/${encodeURIComponent(id)}`, traceViewSchema),
    searchTraces: (query) => call('GET', `/v1/traces${formatQuery(query)}`, traceListSchema),
    readRecords: (query) => call('GET', `/v1/records${formatQuery(query)}`, recordPageSchema),
    submit: (message) => call('POST', '/v1/messages', submittedSchema, message),
    readConfig: (query) => call('GET', `/v1/config${formatQuery(query)}`, configViewSchema),
    checkConfig: (order = {}) => call('POST', '/v1/config/check', configCheckSchema, order),
    listDomains: () => call('GET', '/v1/domains', domainListSchema),
    verifyDomain: (domain) =>
      call('POST', `/v1/domains/${encodeURIComponent(domain)}/verify`, domainSchema, {}),
    explain: (question) => call('POST', '/v1/explain', explainAnswerSchema, question),
    reloadConfig: (reason) =>
      call('POST', '/v1/config/reload', reloadedSchema, reason === undefined ? {} : { reason }),
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

interface Call {
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
}

async function callApi<View>(
  settings: ClientSettings,
  call: Call,
  schema: z.ZodType<View>,
): Promise<View> {
  const answer = await exchange(settings, call);
  const body = parseJson(answer.text);
  if (answer.status >= 400) throw failureOf(answer.status, body);
  const view = schema.safeParse(body);
  if (view.success) return view.data;
  const issue = view.error.issues[0];
  const where = `${call.path}: ${issue?.path.map(String).join('.') ?? ''}: ${issue?.message ?? ''}`;
  throw new Failure(
    'gateway-answer-unreadable',
    `the gateway's answer is not understood: ${where}`,
  );
}

function failureOf(status: number, body: unknown): Failure {
  const problem = problemSchema.safeParse(body);
  if (!problem.success) {
    const message = `the gateway answered ${status} without saying why`;
    return new Failure('gateway-answer-unreadable', message);
  }
  const { code, detail } = problem.data;
  return new Failure(code, detail, { wireText: detail, cause: problem.data });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const message = "the gateway's answer is not JSON";
    throw new Failure('gateway-answer-unreadable', message, { cause: error });
  }
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

/** With `write` a good answer is handed over as it comes, and `text` is empty. */
function exchange(
  settings: ClientSettings,
  call: Call,
  write: ((part: Buffer) => Promise<void>) | null = null,
): Promise<Answer> {
  const { socketPath, timeoutMs = 35_000 } = settings;
  const payload = call.body === undefined ? null : Buffer.from(JSON.stringify(call.body));
  return new Promise((resolve, reject) => {
    const refuse = (error: unknown): void => reject(classify(error, socketPath, timeoutMs));
    const outgoing = request(
      {
        socketPath,
        method: call.method,
        path: call.path,
        agent: false,
        signal: AbortSignal.timeout(timeoutMs),
        headers: {
          host: 'localhost',
          accept: 'application/json, application/problem+json',
          ...(payload === null
            ? {}
            : { 'content-type': 'application/json', 'content-length': payload.length }),
        },
      },
      (incoming) => void readAnswer(incoming, write).then(resolve, refuse),
    );
    // A gateway that refuses a body early closes while we still write; its answer is what counts.
    outgoing.on('error', (error) => setImmediate(refuse, error));
    outgoing.end(payload ?? undefined);
  });
}

async function readAnswer(
  incoming: IncomingMessage,
  write: ((part: Buffer) => Promise<void>) | null,
): Promise<Answer> {
  const { statusCode: status = 0 } = incoming;
  if (write !== null && status < 400) {
    for await (const chunk of incoming as AsyncIterable<Buffer>) await write(chunk);
    return { status, text: '' };
  }
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > answerBytesMax) {
      const message = `the gateway's answer is larger than ${answerBytesMax} bytes`;
      throw new Failure('gateway-answer-unreadable', message);
    }
    chunks.push(chunk);
  }
  return { status, text: Buffer.concat(chunks).toString('utf8') };
}

function classify(error: unknown, socketPath: string, timeoutMs: number): Failure {
  if (error instanceof Failure) return error;
  const { code, name, message } = error as NodeJS.ErrnoException;
  const cause = { cause: error };
  if (name === 'AbortError' || name === 'TimeoutError') {
    const text = `the gateway did not answer within ${timeoutMs / 1000} s on ${socketPath}`;
    return new Failure('gateway-timeout', text, cause);
  }
  if (code !== undefined && absentCodes.has(code)) {
    return new Failure('gateway-not-running', `no gateway answers on ${socketPath}`, cause);
  }
  if (code === 'EACCES' || code === 'EPERM') {
    return new Failure('gateway-not-allowed', `you may not open ${socketPath}`, cause);
  }
  const text = `the connection to the gateway on ${socketPath} was lost: ${message}`;
  return new Failure('gateway-connection-lost', text, cause);
}

const absentCodes: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR', 'ECONNREFUSED']);

/** What is absent is left out. */
function formatQuery(query: Readonly<Record<string, string | number | undefined>>): string {
  const parts = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) parts.set(name, String(value));
  }
  const text = parts.toString();
  return text === '' ? '' : `?${text}`;
}
