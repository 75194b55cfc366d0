/** Whether recorded requests and their answers are what an OpenAPI document says, and of which operations. */
import { z } from 'zod';
import type { RecordedExchange } from './recording-door.ts';

type Content = Readonly<Record<string, { readonly schema: object }>>;

interface Operation {
  readonly operationId: string;
  readonly parameters?: readonly {
    readonly in: string;
    readonly name: string;
    readonly required?: boolean;
    readonly schema: object;
  }[];
  readonly requestBody?: { readonly required?: boolean; readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly content?: Content }>>;
}

export interface ApiDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, object>> };
}

export function operationIds({ paths }: ApiDocument): readonly string[] {
  return Object.values(paths).flatMap((item) =>
    Object.values(item).map(({ operationId }) => operationId),
  );
}

/** `operationId` null where no operation is asked so. */
export interface Judgement {
  readonly operationId: string | null;
  readonly findings: readonly string[];
}

export function judgeExchange(document: ApiDocument, exchange: RecordedExchange): Judgement {
  const url = new URL(exchange.url, 'https://gateway');
  const operation = findOperation(document, exchange.method, url.pathname);
  if (operation === null) return { operationId: null, findings: ['there is no such operation'] };
  const findings = [
    ...judgeQuery(document, operation, url.searchParams),
    // A request that is to be refused for what it says is wrong on purpose.
    ...(exchange.status === 400 ? [] : judgeBody(document, operation, exchange)),
    ...judgeAnswer(document, operation, exchange),
  ];
  return { operationId: operation.operationId, findings };
}

function findOperation(document: ApiDocument, method: string, path: string): Operation | null {
  const steps = path.split('/');
  const fits = (template: string): boolean => {
    const wanted = template.split('/');
    return (
      wanted.length === steps.length &&
      wanted.every((step, index) => step.startsWith('{') || step === steps[index])
    );
  };
  // Those with fewer names to fill in come first: /v1/queue/events before /v1/queue/{id}.
  const found = Object.keys(document.paths)
    .filter(fits)
    .sort((a, b) => a.split('{').length - b.split('{').length)
    .map((template) => document.paths[template]![method.toLowerCase()]);
  return found.find((operation) => operation !== undefined) ?? null;
}

function judgeQuery(
  document: ApiDocument,
  { parameters = [] }: Operation,
  query: URLSearchParams,
): string[] {
  const known = new Map(
    parameters.filter((each) => each.in === 'query').map((each) => [each.name, each]),
  );
  const missing = [...known.values()].filter(
    ({ name, required }) => required === true && !query.has(name),
  );
  return [
    ...missing.map(({ name }) => `parameter ${name} is missing`),
    ...[...query].flatMap(([name, value]) => {
      const parameter = known.get(name);
      if (parameter === undefined) return [`parameter ${name} is unknown`];
      const fits = [value, Number(value)].some(
        (each) => judge(document, parameter.schema, each) === null,
      );
      return fits ? [] : [`parameter ${name} is not ${value}`];
    }),
  ];
}

function judgeBody(
  document: ApiDocument,
  { requestBody }: Operation,
  exchange: RecordedExchange,
): string[] {
  if (exchange.body === '') return requestBody?.required === true ? ['the body is missing'] : [];
  if (requestBody === undefined) return ['a body where none is taken'];
  return judgeContent(document, requestBody.content, {
    what: 'the body',
    type: String(exchange.headers['content-type'] ?? ''),
    text: exchange.body,
  });
}

function judgeAnswer(
  document: ApiDocument,
  { responses }: Operation,
  exchange: RecordedExchange,
): string[] {
  const response = responses[exchange.status] ?? responses['default'];
  if (exchange.status === 0 || response === undefined) return [`answered ${exchange.status}`];
  if (response.content === undefined)
    return exchange.answer === '' ? [] : ['an answer with a body'];
  return judgeContent(document, response.content, {
    what: 'the answer',
    type: exchange.contentType,
    text: exchange.answer,
  });
}

function judgeContent(
  document: ApiDocument,
  content: Content,
  { what, type, text }: { readonly what: string; readonly type: string; readonly text: string },
): string[] {
  const [name = ''] = type.split(';');
  const described = content[name];
  if (described === undefined) return [`${what} is ${type}`];
  if (!name.endsWith('json')) return [];
  const finding = judge(document, described.schema, JSON.parse(text));
  return finding === null ? [] : [`${what}: ${finding}`];
}

/** What is wrong with the value; null where it is as the schema says. */
function judge(document: ApiDocument, schema: object, value: unknown): string | null {
  const whole = JSON.stringify({ ...schema, $defs: document.components.schemas });
  const inPlace = whole.replaceAll('#/components/schemas/', '#/$defs/');
  const judged = z
    .fromJSONSchema(JSON.parse(inPlace) as Parameters<typeof z.fromJSONSchema>[0])
    .safeParse(value);
  return judged.success ? null : z.prettifyError(judged.error);
}
