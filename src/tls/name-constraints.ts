/**
 * Name constraints: which names a CA may certify, judged over one whole path.
 *
 * DNS, address, directory and mailbox names are processed; a name of another form under a
 * constraint of that form fails, since nobody here can say that it is allowed.
 * @see RFC 5280 §4.2.1.10
 */
import type { NameConstraints } from './certificate-extensions.ts';
import { isWithinName } from './distinguished-name.ts';
import type { GeneralName } from './general-name.ts';
import { isHostLike } from './host-like.ts';
import type { ParsedCertificate } from './parsed-certificate.ts';

/** Comparisons of one path at most: many names under many constraints cost the product. */
const comparisonsMax = 100_000;

/** SmtpUTF8Mailbox hides in an otherName and is bound by constraints on mailboxes. RFC 9598 */
const otherNameTag = 0xa0;

/**
 * Why the path breaks a constraint of one of its CAs; null where none is broken. `path` is leaf
 * first and ends with the anchor, whose constraints bind too. Self-issued CAs are passed over.
 */
export function nameConstraintViolation(path: readonly ParsedCertificate[]): string | null {
  let left = comparisonsMax;
  for (const [depth, certificate] of path.entries()) {
    if (depth > 0 && certificate.isSelfIssued) continue;
    const above = path.slice(depth + 1).map((ca) => ca.extensions.nameConstraints);
    const constraints = above.filter((each) => each !== null);
    if (constraints.length === 0) continue;
    const names = constrainedNames(certificate, depth === 0);
    for (const constraint of constraints) {
      left -= names.length * (constraint.permitted.length + constraint.excluded.length);
      if (left < 0) return 'too many names and constraints';
      const problem = violationOf(certificate, names, constraint);
      if (problem !== null) return `certificate ${depth}: ${problem}`;
    }
  }
  return null;
}

/**
 * All names of the certificate that a constraint may speak of. Common names of an end certificate
 * count as DNS names where it has no DNS name, since they are then used as such.
 */
function constrainedNames(certificate: ParsedCertificate, isLeaf: boolean): GeneralName[] {
  const { subject, extensions } = certificate;
  const names = [...(extensions.subjectAltName?.names ?? [])];
  if (subject.canonical.length > 0) names.push({ form: 'directory', name: subject });
  names.push(...subject.emails.map((text) => ({ form: 'email', text }) as const));
  if (isLeaf && !names.some((name) => name.form === 'dns')) {
    names.push(...subject.commonNames.filter(isHostLike).map(asDnsName));
  }
  return names;
}

const asDnsName = (text: string): GeneralName => ({ form: 'dns', text: text.replace(/\.$/, '') });

function violationOf(
  certificate: ParsedCertificate,
  names: readonly GeneralName[],
  constraint: NameConstraints,
): string | null {
  if (constraint.minimumOrMaximum) return 'a constraint with minimum or maximum';
  const bases = [...constraint.permitted, ...constraint.excluded];
  const hasDirectoryBase = bases.some((base) => base.form === 'directory');
  if (hasDirectoryBase && !certificate.subject.isComparable) return 'a subject of odd strings';
  for (const name of names) {
    const problem = isBound(name, bases) ? nameViolation(name, constraint) : null;
    if (problem !== null) return problem;
  }
  return null;
}

/** Whether some base speaks of names of this form. */
function isBound(name: GeneralName, bases: readonly GeneralName[]): boolean {
  return bases.some((base) => hasSameForm(name, base));
}

function hasSameForm(name: GeneralName, base: GeneralName): boolean {
  if (name.form === 'unprocessed') {
    if (base.form === 'unprocessed') return base.tag === name.tag;
    return base.form === 'email' && name.tag === otherNameTag;
  }
  return base.form === name.form;
}

function nameViolation(name: GeneralName, constraint: NameConstraints): string | null {
  if (name.form === 'unprocessed' || name.form === 'uri') return 'a constrained form of name';
  const excluding = constraint.excluded.filter((base) => hasSameForm(name, base));
  const permitting = constraint.permitted.filter((base) => hasSameForm(name, base));
  if ([...excluding, ...permitting].some(isBrokenBase)) return 'a constraint that is broken';
  if (isBrokenName(name)) return 'a name that no constraint can be held against';
  if (excluding.some((base) => mayBeWithin(name, base))) return 'a name that is excluded';
  if (permitting.length === 0) return null;
  return permitting.some((base) => isWithin(name, base)) ? null : 'a name that is not permitted';
}

/** Address bases have a mask of the same length; text bases are plain ASCII without spaces. */
function isBrokenBase(base: GeneralName): boolean {
  switch (base.form) {
    case 'ip':
      return base.octets.length !== 8 && base.octets.length !== 32;
    case 'dns':
      return !/^[\x21-\x7e]*$/.test(base.text) || base.text.includes('*');
    case 'email':
      return !/^[\x21-\x7e]*$/.test(base.text);
    case 'directory':
      return !base.name.isComparable;
    case 'uri':
    case 'unprocessed':
      return true;
  }
}

function isBrokenName(name: GeneralName): boolean {
  switch (name.form) {
    case 'ip':
      return name.octets.length !== 4 && name.octets.length !== 16;
    case 'dns':
      return !/^(?:\*\.)?[\x21-\x29\x2b-\x7e]+$/.test(name.text);
    case 'email':
      return !/^[\x21-\x7e]+@[\x21-\x3f\x41-\x7e]+$/.test(name.text);
    case 'directory':
      return !name.name.isComparable;
    case 'uri':
    case 'unprocessed':
      return true;
  }
}

/** Whether every host or mailbox that the name stands for lies within the base. */
function isWithin(name: GeneralName, base: GeneralName): boolean {
  if (name.form === 'dns' && base.form === 'dns') return isDnsWithin(name.text, base.text);
  if (name.form === 'email' && base.form === 'email') return isEmailWithin(name.text, base.text);
  if (name.form === 'ip' && base.form === 'ip') return isAddressWithin(name.octets, base.octets);
  if (name.form === 'directory' && base.form === 'directory') {
    return isWithinName(name.name, base.name);
  }
  return false;
}

/** Whether any host that the name stands for lies within: a wildcard reaches below its base. */
function mayBeWithin(name: GeneralName, base: GeneralName): boolean {
  if (isWithin(name, base)) return true;
  if (name.form !== 'dns' || base.form !== 'dns' || !name.text.startsWith('*.')) return false;
  return isDnsWithin(base.text.replace(/^\./, ''), name.text.slice(2));
}

/** An empty base covers all; one with a leading dot only what lies below it. */
function isDnsWithin(name: string, base: string): boolean {
  if (base === '') return true;
  const [host, tree] = [name.toLowerCase(), base.toLowerCase()];
  return host === tree || host.endsWith(tree.startsWith('.') ? tree : `.${tree}`);
}

/** A base is a mailbox, a host, or with a leading dot all hosts below. */
function isEmailWithin(name: string, base: string): boolean {
  const at = name.lastIndexOf('@');
  const host = name.slice(at + 1).toLowerCase();
  const baseAt = base.lastIndexOf('@');
  if (baseAt === -1) {
    const tree = base.toLowerCase();
    return tree === '' || (tree.startsWith('.') ? host.endsWith(tree) : host === tree);
  }
  const isSameHost = host === base.slice(baseAt + 1).toLowerCase();
  const local = base.slice(0, baseAt);
  return isSameHost && (local === '' || local === name.slice(0, at));
}

function isAddressWithin(address: Buffer, base: Buffer): boolean {
  const { length } = address;
  if (base.length !== 2 * length) return false;
  return address.every((octet, index) => ((octet ^ base[index]!) & base[length + index]!) === 0);
}
