/** The parameter that a name means: in any case, and as short as it is unique. */
import { findNearest } from '../../config/nearest.ts';
import type { Parameter, ParameterSet } from './parameter.ts';
import { usage } from './parameter.ts';

/** `name` without the dash. Throws a usage Failure where it is unknown, ambiguous or refused. */
export function findParameter(name: string, { parameters, refused }: ParameterSet): Parameter {
  const lower = name.toLowerCase();
  const exact = parameters.find(
    (each) => each.name.toLowerCase() === lower || each.aliases?.includes(lower) === true,
  );
  if (exact !== undefined) return exact;
  const isLonger = (each: { readonly name: string }): boolean =>
    each.name.toLowerCase().startsWith(lower);
  const banned = refused.find((each) => each.name.toLowerCase() === lower);
  const theirs = [...parameters.filter(({ isOurs }) => !isOurs), ...refused].filter(isLonger);
  const ours = parameters.filter((each) => each.isOurs && isLonger(each));
  const matches = banned !== undefined ? [banned] : theirs.length > 0 ? theirs : ours;
  if (matches.length > 1) throw ambiguous(name, matches);
  const [only] = matches;
  if (only === undefined) throw unknown(name, [...parameters, ...refused]);
  if ('reason' in only) throw usage(`-${only.name} ${only.reason}`);
  return only;
}

function ambiguous(name: string, matches: readonly { readonly name: string }[]): Error {
  const list = matches.slice(0, 8).map((each) => `-${each.name}`);
  const rest = matches.length > list.length ? ' and others' : '';
  return usage(`-${name} may be ${list.join(', ')}${rest}; write more of it`);
}

function unknown(name: string, known: readonly { readonly name: string }[]): Error {
  const nearest = findNearest(
    name,
    known.map((each) => each.name),
  );
  const hint = nearest === null ? '' : `; did you mean -${nearest}?`;
  return usage(`there is no parameter -${name}${hint}`);
}
