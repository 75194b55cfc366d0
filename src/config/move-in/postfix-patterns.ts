/**
 * Domains as Postfix's tables write them: `contoso.com` is it alone, `.contoso.com` all below it,
 * `*` everything.
 */
import { parseDomain } from '../../mail/domain.ts';

export type MailPattern =
  | { readonly kind: 'exact'; readonly domain: string }
  | { readonly kind: 'below'; readonly domain: string }
  | { readonly kind: 'any' };

/** Null where the key is no domain. */
export function parseMailPattern(key: string): MailPattern | null {
  if (key === '*') return { kind: 'any' };
  const isBelow = key.startsWith('.');
  const domain = parseDomain(isBelow ? key.slice(1) : key);
  return domain === null ? null : { kind: isBelow ? 'below' : 'exact', domain };
}

export function formatMailPattern(pattern: MailPattern): string {
  if (pattern.kind === 'any') return '*';
  return pattern.kind === 'below' ? `.${pattern.domain}` : pattern.domain;
}

/** The pattern itself and those that hold for the same mail where it has no entry, the next first. */
export function widening(pattern: MailPattern): readonly string[] {
  if (pattern.kind === 'any') return ['*'];
  const labels = pattern.domain.split('.');
  const parents = labels.slice(1).map((_, place) => `.${labels.slice(place + 1).join('.')}`);
  const own = pattern.kind === 'exact' ? [pattern.domain] : [`.${pattern.domain}`];
  return [...own, ...parents, '*'];
}

/**
 * The domain that a regular expression means, where it is one of the usual forms: `^contoso\.com$`,
 * `\.contoso\.com$`, `(^|\.)contoso\.com$`. Null else.
 */
export function patternsOfExpression(key: string): readonly MailPattern[] | null {
  const body = /^\/(.*)\/i?$/.exec(key)?.[1];
  const match =
    body === undefined
      ? null
      : /^(\^|\\\.|\(\^\|\\\.\)|\^\(\.\*\\\.\)\?|\^\.\*\\\.|\.\*\\\.)((?:[a-z0-9-]+\\\.)+[a-z0-9-]+)\$$/i.exec(
          body,
        );
  if (match === null) return null;
  const [, start = '', escaped = ''] = match;
  const domain = parseDomain(escaped.replaceAll('\\.', '.'));
  if (domain === null) return null;
  const isBoth = start.startsWith('(') || start.includes('?');
  const exact = { kind: 'exact', domain } as const;
  const below = { kind: 'below', domain } as const;
  if (isBoth) return [exact, below];
  return start === '^' ? [exact] : [below];
}
