/** The parameters of the cmdlets for policy objects, made from the keys of the schema. */
import type { ObjectField } from '../policy-objects/object-field.ts';
import { fieldsOf } from '../policy-objects/object-field.ts';
import type { PolicyKind, PolicyKindName } from '../policy-objects/policy-kind.ts';
import { policyKinds } from '../policy-objects/policy-kind.ts';
import type { Spelling } from '../policy-objects/spelling.ts';
import { listStyleOf } from '../policy-objects/split-list.ts';
import { changeParameters, lookParameters, makeParameters } from './common-parameters.ts';
import { exchangeNameOf, onlyOnSet } from './exchange-names.ts';
import type { Parameter, ParameterSet } from './parameter.ts';
import { refusedCommon, refusedOnLook, refusedParameters } from './refused-parameters.ts';

/** The verbs of cmdlets for policy objects. */
export type Verb = 'New' | 'Get' | 'Set' | 'Remove' | 'Enable' | 'Disable';

/** How sentences name keys and common parameters in the cmdlet spelling. */
export const cmdletSpelling: Spelling = {
  nameOf: ({ kind }, key) => `-${exchangeNameOf(kind, key).name}`,
  organization: '-Organization',
  reason: '-Reason',
  confirmed: '-Confirm:$false',
};

const priority: Parameter = {
  name: 'Priority',
  takes: 'text',
  isOurs: false,
  description: 'its place among the rules, counted from 0 (default: the last)',
};

/** Of one verb for one kind. */
export function policyParameters(verb: Verb, kind: PolicyKindName): ParameterSet {
  if (verb === 'New') return newParameters(kind);
  if (verb === 'Set') return setParameters(kind);
  if (verb === 'Get') {
    const parameters = [identity(kind, false), ...filters(kind), ...lookParameters];
    return { parameters, refused: [...refusedOnLook, ...refusedCommon] };
  }
  const mode = verb === 'Enable' && kind === 'rule' ? parametersOf(kind, ['mode']) : [];
  const parameters = [identity(kind, true), ...mode, ...changeParameters];
  return { parameters, refused: [...refusedOnLook, ...refusedCommon] };
}

function newParameters(kind: PolicyKindName): ParameterSet {
  const { nameKey } = policyKinds[kind];
  const own = fieldParameters(kind).map((parameter) =>
    parameter.key === nameKey && parameter.name === 'Name'
      ? { ...parameter, isPositional: true }
      : parameter,
  );
  const label = kind === 'accepted-domain' ? [domainLabel] : [];
  const place = kind === 'rule' ? [priority] : [];
  const refused = own
    .filter(({ name }) => onlyOnSet.includes(name))
    .map(({ name }) => ({ name, reason: 'is of Set-OutboundConnector: nothing new is validated' }));
  return {
    parameters: [
      ...own.filter(({ name }) => !onlyOnSet.includes(name)),
      ...label,
      ...place,
      ...makeParameters,
    ],
    refused: [...refused, ...refusedParameters[kind], ...refusedCommon],
  };
}

/** Exchange asks for it; here a domain is named by itself. */
const domainLabel: Parameter = {
  name: 'Name',
  takes: 'text',
  isOurs: false,
  isPositional: true,
  description: 'not kept, since an accepted domain is named by its domain; a warning says so',
};

function setParameters(kind: PolicyKindName): ParameterSet {
  const isDomain = kind === 'accepted-domain';
  const own = fieldParameters(kind)
    .filter(({ key }) => !isDomain || key !== policyKinds[kind].nameKey)
    .map((parameter) => ({ ...parameter, isRequired: false }));
  const fixed = 'cannot be changed: an accepted domain is named by its domain';
  const names = isDomain ? ['Name', 'DomainName'].map((name) => ({ name, reason: fixed })) : [];
  const place = kind === 'rule' ? [priority] : [];
  return {
    parameters: [identity(kind, true), ...own, ...place, ...changeParameters],
    refused: [...names, ...refusedParameters[kind], ...refusedCommon],
  };
}

/** One for each key of the schema, Exchange's first. */
export function fieldParameters(kind: PolicyKindName): readonly Parameter[] {
  const all = fieldsOf(policyKinds[kind]).map((field) => toParameter(policyKinds[kind], field));
  return [...all.filter(({ isOurs }) => !isOurs), ...all.filter(({ isOurs }) => isOurs)];
}

function parametersOf(kind: PolicyKindName, keys: readonly string[]): readonly Parameter[] {
  return fieldParameters(kind).filter(({ key }) => keys.includes(key!));
}

/** Help names other keys by their parameters, without the marks of a document. */
function inParameters(kind: PolicyKind, description: string): string {
  const known = new Set(fieldsOf(kind).map(({ key }) => key));
  return description.replaceAll(/`([^`]*)`/g, (_, word: string) =>
    known.has(word) ? cmdletSpelling.nameOf(kind, word) : word,
  );
}

function toParameter({ kind }: PolicyKind, field: ObjectField): Parameter {
  const { key, takes, words, isRequired } = field;
  const description = inParameters(policyKinds[kind], field.description);
  const { name, isOurs } = exchangeNameOf(kind, key);
  return {
    name,
    isOurs,
    key,
    description,
    takes: takes === 'one' ? 'text' : takes,
    style: listStyleOf(key),
    isRequired,
    ...(words === null || takes === 'flag' ? {} : { words }),
  };
}

function identity(kind: PolicyKindName, isRequired: boolean): Parameter {
  return {
    name: 'Identity',
    takes: 'text',
    isOurs: false,
    isPositional: true,
    isRequired,
    description: `the ${policyKinds[kind].words}, by name or Guid${isRequired ? '' : '; all without it'}`,
  };
}

/** Filters that only `Get` has. */
function filters(kind: PolicyKindName): readonly Parameter[] {
  if (kind === 'rule') {
    const words = ['Enabled', 'Disabled'];
    const description = 'only rules that are on, or off';
    return [{ name: 'State', takes: 'text', isOurs: false, words, description }];
  }
  if (kind !== 'outbound-connector') return [];
  return [
    {
      name: 'IsTransportRuleScoped',
      takes: 'flag',
      isOurs: false,
      description: 'only connectors that rules alone choose, or only others; both without it',
    },
    {
      name: 'IncludeTestModeConnectors',
      takes: 'flag',
      isOurs: false,
      description: 'false leaves out those that only observe; they are shown without it',
    },
  ];
}
