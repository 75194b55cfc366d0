/** The client's calls about validations, told live, and alarms. */
import { z } from 'zod';
import { Failure } from '../../mail/failure.ts';
import type { ValidationRun, ValidationStep } from '../../policy/validation/run.ts';
import { problemSchema } from '../contract.ts';
import type { ProbeAnswer, ProbeOrderInput } from '../contract/probe.ts';
import { probeSchema } from '../contract/probe.ts';
import type {
  AlarmListView,
  AlarmQuery,
  ValidationListView,
  ValidationOrderInput,
  ValidationQueryInput,
} from '../contract/validation.ts';
import {
  alarmListSchema,
  validationListSchema,
  validationRunSchema,
  validationStepSchema,
} from '../contract/validation.ts';
import type { Caller } from './caller.ts';
import { formatQuery } from './caller.ts';
import { EventReader } from './event-reader.ts';

/** A connector of an organization. */
interface Of {
  readonly organization: string;
  readonly name: string;
}

export interface ValidationClient {
  /** Tells the steps as they are done; `signal` ends the listening, not the run. Throws `outbound-connector-unknown`, `draft-refused`, `validation-busy`. */
  validateConnector(
    of: Of,
    order: ValidationOrderInput,
    onStep: (step: ValidationStep) => void,
    signal?: AbortSignal,
  ): Promise<ValidationRun>;
  /** Throws `outbound-connector-unknown`, `address-not-allowed`, `validation-busy`. */
  probeConnector(of: Of, order: ProbeOrderInput): Promise<ProbeAnswer>;
  listValidations(of: Of, query?: ValidationQueryInput): Promise<ValidationListView>;
  /** Throws `validation-unknown`. */
  readValidation(of: Of, id: string): Promise<ValidationRun>;
  listAlarms(query?: AlarmQuery): Promise<AlarmListView>;
}

/** A run takes 5 minutes at most. */
const runWithinMs = 345_000;

export function validationClient({ ask, stream }: Caller): ValidationClient {
  return {
    validateConnector: async (of, order, onStep, signal) => {
      const path = `${pathOf(of)}/validate`;
      let run: ValidationRun | null = null;
      const reader = new EventReader((event, data) => {
        if (event === 'step') onStep(understood(validationStepSchema, data));
        if (event === 'run') run = understood(validationRunSchema, data);
        if (event === 'problem') throw failureOf(data);
      });
      const call = {
        method: 'POST',
        path,
        body: order,
        accept: 'text/event-stream, application/problem+json',
        timeoutMs: runWithinMs,
        signal,
      } as const;
      await stream(call, async (part) => reader.take(part));
      if (run !== null) return run;
      throw new Failure('gateway-connection-lost', 'the gateway ended before the validation did');
    },
    probeConnector: (of, body) => {
      const path = `${pathOf(of)}/probe`;
      return ask({ method: 'POST', path, body, timeoutMs: runWithinMs }, probeSchema);
    },
    listValidations: (of, query = {}) => {
      const path = `${pathOf(of)}/validations${formatQuery({ ...query } as Query)}`;
      return ask({ method: 'GET', path }, validationListSchema);
    },
    readValidation: (of, id) => {
      const path = `${pathOf(of)}/validations/${encodeURIComponent(id)}`;
      return ask({ method: 'GET', path }, validationRunSchema);
    },
    listAlarms: (query = {}) =>
      ask({ method: 'GET', path: `/v1/alarms${formatQuery(query)}` }, alarmListSchema),
  };
}

type Query = Readonly<Record<string, string | number | undefined>>;

function pathOf({ organization, name }: Of): string {
  const [of, connector] = [organization, name].map(encodeURIComponent);
  return `/v1/organizations/${of}/outbound-connectors/${connector}`;
}

function understood<View>(schema: z.ZodType<View>, data: unknown): View {
  const view = schema.safeParse(data);
  if (view.success) return view.data;
  const text = `the gateway's answer is not understood: ${z.prettifyError(view.error).slice(0, 300)}`;
  throw new Failure('gateway-answer-unreadable', text);
}

function failureOf(data: unknown): Failure {
  const problem = understood(problemSchema, data);
  return new Failure(problem.code, problem.detail, { wireText: problem.detail, cause: problem });
}
