/**
 * What never stands in the log, whoever logs it: secrets, by the name of their key, and where the
 * administrator wants it so, the local-parts of mail addresses.
 */

/**
 * Fields of a line whose values are secrets or content of mail. For pino's `redact`, at the top alone:
 * a wildcard for deeper ones costs 30 µs a line.
 */
export const redactedPaths: readonly string[] = [
  'password',
  'passwordHash',
  'authorization',
  'token',
  'secret',
  'key',
  'keyPem',
  'subject',
  'content',
  'body',
  'header',
];

export const redacted = '[redacted]';

/** `ann@a.test` becomes `a…@a.test`; the domain stays, since connectors are about domains. */
export function maskAddresses(text: string): string {
  return text.replaceAll(/([^\s<>"',;:@[\]()])[^\s<>"',;:@[\]()]*@(?=[\w[])/g, '$1…@');
}

type Fields = Readonly<Record<string, unknown>>;

/** The same fields with masked texts; objects and lists down to a few levels. */
export function maskFields(fields: Fields): Fields {
  return maskValue(fields, 0) as Fields;
}

const depthMax = 4;

function maskValue(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return maskAddresses(value);
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Error) return maskError(value);
  if (depth >= depthMax) return redacted;
  if (Array.isArray(value)) return value.map((item: unknown) => maskValue(item, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, maskValue(inner, depth + 1)] as const),
  );
}

function maskError(error: Error): object {
  const { code } = error as { readonly code?: unknown };
  const shown = { type: error.name, message: maskAddresses(error.message), code };
  return error.stack === undefined ? shown : { ...shown, stack: maskAddresses(error.stack) };
}
