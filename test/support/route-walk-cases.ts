/** The requests that every route must refuse, made from its description. */

/** The part of JSON schema that is looked at. */
export interface Schema {
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
  readonly minimum?: number;
  readonly minLength?: number;
  readonly minItems?: number;
  readonly format?: string;
}

export interface Parameter {
  readonly in: 'query' | 'path' | 'header' | 'cookie';
  readonly name: string;
  readonly required?: boolean;
  readonly schema?: Schema;
}

export interface Operation {
  readonly method: string;
  readonly path: string;
  readonly 'x-permission'?: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: {
    readonly required?: boolean;
    readonly content: Readonly<Record<string, { readonly schema?: Schema }>>;
  };
}

export interface WalkedRequest {
  readonly what: string;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Null sends none. */
  readonly body: string | null;
  /** The one that it must be answered with; null: any 4xx. */
  readonly status: number | null;
  /** The field or parameter that the answer must name; null: it need not. */
  readonly names: string | null;
}

type Case = Partial<WalkedRequest> & Pick<WalkedRequest, 'what'>;

export function refusableRequests(operation: Operation): readonly WalkedRequest[] {
  const base = {
    method: operation.method,
    path: fillPath(operation, () => null) + requiredQuery(operation),
    headers: {},
    body: null,
    status: null,
    names: null,
    ...sampleBody(operation),
  };
  const cases = [
    ...queryCases(operation),
    ...pathCases(operation),
    ...methodCases(operation),
    ...(operation.method === 'GET' ? [] : typeCases()),
    ...bodyCases(operation),
  ];
  return cases.map((each) => ({ ...base, ...each }));
}

const json = { 'content-type': 'application/json' };

/** What is needed for a request to be looked at at all. */
function sampleBody(operation: Operation): Partial<WalkedRequest> {
  const type = bodyType(operation);
  if (type === null) return {};
  const schema = operation.requestBody?.content[type]?.schema ?? {};
  return { headers: { 'content-type': type }, body: JSON.stringify(sample(schema)) };
}

function bodyType(operation: Operation): string | null {
  return Object.keys(operation.requestBody?.content ?? {})[0] ?? null;
}

/** A value that the schema would take, as far as it tells. */
export function sample(schema: Schema): unknown {
  if (schema.examples?.[0] !== undefined) return schema.examples[0];
  if (schema.const !== undefined) return schema.const;
  if (schema.enum !== undefined) return schema.enum[0];
  if (schema.default !== undefined) return schema.default;
  const branch = schema.anyOf?.[0] ?? schema.oneOf?.[0] ?? schema.allOf?.[0];
  if (branch !== undefined) return sample(branch);
  const { required = [], properties = {}, items, minItems = 0, minimum = 1 } = schema;
  const type = typeOf(schema) ?? 'string';
  if (type === 'object') {
    return Object.fromEntries(required.map((name) => [name, sample(properties[name] ?? {})]));
  }
  if (type === 'array') return minItems > 0 && items !== undefined ? [sample(items)] : [];
  if (type === 'integer' || type === 'number') return Math.max(1, minimum);
  if (type === 'boolean') return false;
  if (type === 'null') return null;
  return schema.format === 'date-time' ? '2026-11-22T10:00:00.000Z' : 'sample';
}

function typeOf({ type }: Schema): string | undefined {
  return typeof type === 'string' ? type : type?.[0];
}

/** `choose` null: the usual value. */
function fillPath(operation: Operation, choose: (name: string) => string | null): string {
  const numbers = (operation.parameters ?? []).filter(
    (each) => each.in === 'path' && typeOf(each.schema ?? {}) !== 'string',
  );
  const fill = (name: string): string =>
    numbers.some((each) => each.name === name) ? '1' : 'sample';
  return operation.path.replaceAll(/\{([^}]+)\}/g, (_, name: string) => choose(name) ?? fill(name));
}

function queryOf({ parameters }: Operation): readonly Parameter[] {
  return (parameters ?? []).filter((parameter) => parameter.in === 'query');
}

function requiredQuery(operation: Operation, without?: string): string {
  const query = new URLSearchParams();
  for (const { name, required, schema } of queryOf(operation)) {
    if (required === true && name !== without) query.set(name, String(sample(schema ?? {})));
  }
  const text = query.toString();
  return text === '' ? '' : `?${text}`;
}

const unknownName = 'noSuchField';
/** OAuth wants what a provider says besides to be ignored. */
const takesAnything = new Set(['/v1/sign-in/oidc/callback']);

function queryCases(operation: Operation): Case[] {
  const known = queryOf(operation);
  const ask = (name: string, ...values: readonly string[]): string => {
    const query = new URLSearchParams(requiredQuery(operation, name));
    for (const value of values) query.append(name, value);
    return `${fillPath(operation, () => null)}?${query.toString()}`;
  };
  const of = (name: string, what: string, ...values: readonly string[]): Case => ({
    what: `parameter ${name} ${what}`,
    path: ask(name, ...values),
    status: 400,
    names: name,
  });
  const strange = [
    of(unknownName, 'that nobody knows', '1'),
    of('__proto__', 'of JavaScript', '1'),
  ];
  return [
    ...(takesAnything.has(operation.path) ? [] : strange),
    ...known.flatMap(({ name, schema = {}, required }) => [
      of(name, 'twice', String(sample(schema)), String(sample(schema))),
      of(name, 'far too long', 'x'.repeat(9000)),
      ...(typeOf(schema) === 'string' && schema.enum === undefined
        ? []
        : [of(name, 'of another type', 'no such value')]),
      ...(required === true ? [{ ...of(name, 'missing'), path: ask(name) }] : []),
    ]),
  ];
}

const badPathValues: readonly (readonly [string, string])[] = [
  ['far too long', 'x'.repeat(2000)],
  ['with a NUL', 'a%00b'],
  ['that climbs', '..%2f..%2fetc%2fpasswd'],
  ['that is no UTF-8', '%ff%fe'],
  ['that ends within an escape', 'a%2'],
  ['of blanks', '%20'],
  ['of JavaScript', '__proto__'],
  ['that is none', 'no-such-thing'],
];

/** A PUT makes what is not there yet. */
function makes({ method, path }: Operation, name: string, what: string): boolean {
  return method === 'PUT' && path.endsWith(`{${name}}`) && what === 'that is none';
}

function pathCases(operation: Operation): Case[] {
  const names = Array.from(operation.path.matchAll(/\{([^}]+)\}/g), ([, name]) => name!);
  return names.flatMap((name) =>
    badPathValues
      .filter(([what]) => !makes(operation, name, what))
      .map(([what, value]) => ({
        what: `{${name}} ${what}`,
        path:
          fillPath(operation, (each) => (each === name ? value : null)) + requiredQuery(operation),
      })),
  );
}

function methodCases(operation: Operation): Case[] {
  return [
    { what: 'method TRACE', method: 'TRACE', status: null, body: null, headers: {} },
    { what: 'a preflight', method: 'OPTIONS', status: 405, body: null, headers: {} },
  ].map((each) => ({ ...each, path: fillPath(operation, () => null) }));
}

/** Of every route that may change something, whether it takes a body or not. */
function typeCases(): Case[] {
  const body = '{"a":1}';
  return [
    { what: 'text', headers: { 'content-type': 'text/plain' }, body, status: 415 },
    {
      what: 'a form',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: 'a=1',
      status: 415,
    },
    {
      what: 'a form with parts',
      headers: { 'content-type': 'multipart/form-data; boundary=x' },
      body: '--x--',
      status: 415,
    },
    { what: 'a body of no type', headers: {}, body, status: 415 },
    {
      what: 'a body that is far too large',
      headers: { ...json, 'content-length': '1000000000' },
      body: '{',
      status: 413,
    },
  ];
}

const notJson: readonly (readonly [string, string])[] = [
  ['that ends too soon', '{"a":'],
  ['of another language', 'a: 1'],
  ['with a comma too many', '{"a":1,}'],
  ['that is nested too deep', '['.repeat(50_000)],
  ['that is a list', '[]'],
  ['that is a text', '"x"'],
  ['that is a number', '7'],
  ['that is null', 'null'],
];

function bodyCases(operation: Operation): Case[] {
  const type = bodyType(operation);
  if (type === null) return [];
  const headers = { 'content-type': type };
  const schema = operation.requestBody?.content[type]?.schema ?? {};
  const good = sample(schema) as Readonly<Record<string, unknown>>;
  const send = (what: string, body: unknown, names: string | null): Case => ({
    what,
    headers,
    body: JSON.stringify(body),
    names,
    status: 400,
  });
  const properties = Object.entries(schema.properties ?? {});
  return [
    ...notJson.map(([what, body]) => ({ what: `a body ${what}`, headers, body, status: 400 })),
    ...(schema.properties === undefined
      ? []
      : [send('a field that nobody knows', { ...good, [unknownName]: 1 }, unknownName)]),
    ...(schema.required ?? []).map((name) =>
      send(`without ${name}`, { ...good, [name]: undefined }, name),
    ),
    ...properties.flatMap(([name, property]) =>
      wrongValues(property).map((value) =>
        send(`${name} of another type`, { ...good, [name]: value }, name),
      ),
    ),
  ];
}

/** Of a type that the schema does not take; none where it takes anything. */
function wrongValues(schema: Schema): readonly unknown[] {
  const types = typesOf(schema);
  if (types.size === 0) return [];
  return [
    ...(types.has('object') ? [] : [{ no: 'such value' }]),
    ...(types.has('array') ? [] : [[[['x']]]]),
    ...(types.has('number') || types.has('integer') ? [] : [4711]),
    ...(types.has('boolean') ? [] : [true]),
  ];
}

/** Empty where any would do, or it is not told. */
function typesOf(schema: Schema): ReadonlySet<string> {
  if (schema.const !== undefined) return new Set([typeof schema.const]);
  if (schema.enum !== undefined) return new Set(schema.enum.map((each) => typeof each));
  const branches = schema.anyOf ?? schema.oneOf;
  if (branches !== undefined) {
    const each = branches.map(typesOf);
    return each.some(({ size }) => size === 0)
      ? new Set()
      : new Set(each.flatMap((types) => [...types]));
  }
  if (schema.type === undefined) return new Set();
  return new Set(typeof schema.type === 'string' ? [schema.type] : schema.type);
}
