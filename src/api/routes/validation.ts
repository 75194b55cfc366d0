/** Routes: validation of outbound connectors, and the alarms that it opens. */
import { createRoute, z } from '@hono/zod-openapi';
import {
  alarmListSchema,
  alarmQuerySchema,
  connectorParamSchema,
  validationListSchema,
  validationOrderSchema,
  validationParamSchema,
  validationQuerySchema,
  validationRunSchema,
} from '../contract/validation.ts';
import { probeOrderSchema, probeSchema } from '../contract/probe.ts';
import { json, needs, problem } from './route-parts.ts';

const connectorPath = '/v1/organizations/{organization}/outbound-connectors/{name}';

export const validateRoute = createRoute({
  method: 'post',
  path: `${connectorPath}/validate`,
  operationId: 'validateConnector',
  ...needs('validate'),
  summary: 'Tries a connector, in force or a draft, by the path of its mail, and changes nothing',
  description:
    'With `Accept: text/event-stream` each step is told as it is done (`event: step`, a ValidationStep), then the run (`event: run`, a ValidationRun) or why there is none (`event: problem`). Otherwise the answer comes at the end, within about five minutes. What is refused is refused before anything is dialled.',
  request: {
    params: connectorParamSchema,
    body: { content: { 'application/json': { schema: validationOrderSchema } } },
  },
  responses: {
    200: {
      description: 'The run',
      content: {
        'application/json': { schema: validationRunSchema },
        'text/event-stream': { schema: z.string() },
      },
    },
    default: problem,
  },
});

export const probeRoute = createRoute({
  method: 'post',
  path: `${connectorPath}/probe`,
  operationId: 'probeConnector',
  ...needs('validate'),
  summary: "Looks at the TLS of a connector's hosts, and what each TLS setting would say of it",
  description:
    'A validation that stops before MAIL and is kept nowhere: the same hosts, the same bounds in number and time, and nothing is sent. For a domain whose mail does not take the connector the answer is `address-not-allowed`, and no name is looked up; so it is, host by host, for addresses that the connector must not reach.',
  request: {
    params: connectorParamSchema,
    body: { content: { 'application/json': { schema: probeOrderSchema } } },
  },
  responses: { 200: json('What was seen', probeSchema), default: problem },
});

export const validationsRoute = createRoute({
  method: 'get',
  path: `${connectorPath}/validations`,
  operationId: 'listValidations',
  ...needs('policy.read'),
  summary: 'Whether the connector in force is validated, and its runs, newest first',
  request: { params: connectorParamSchema, query: validationQuerySchema },
  responses: { 200: json('One page', validationListSchema), default: problem },
});

export const validationRoute = createRoute({
  method: 'get',
  path: `${connectorPath}/validations/{id}`,
  operationId: 'readValidation',
  ...needs('policy.read'),
  summary: 'One run whole: steps, findings, transcripts and certificates',
  request: { params: validationParamSchema },
  responses: { 200: json('The run', validationRunSchema), default: problem },
});

export const alarmsRoute = createRoute({
  method: 'get',
  path: '/v1/alarms',
  operationId: 'listAlarms',
  ...needs('alarm.read'),
  summary: 'The alarms that are open, oldest first',
  request: { query: alarmQuerySchema },
  responses: { 200: json('The alarms', alarmListSchema), default: problem },
});
