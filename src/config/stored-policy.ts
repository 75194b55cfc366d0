/** A file's static part joined with a policy that is kept elsewhere, read as if it were one file. */
import type { ObjectValue, PolicyObject } from './policy-object.ts';
import type { Composed } from './compose-policy.ts';
import { composePolicy } from './compose-policy.ts';
import type { Path } from './problem.ts';
import type { Place, YamlFile } from './read-yaml.ts';

/**
 * Whose policy is meant: what the file says, in place of what is `known`, or these objects in its place;
 * or neither, in words that follow the key `organizations`.
 */
export type PolicyChoice =
  | { readonly kind: 'file'; readonly known: readonly PolicyObject[] }
  | { readonly kind: 'stored'; readonly objects: readonly PolicyObject[] }
  | { readonly kind: 'refused'; readonly text: string };

/** Decides once it is known what stands in the file. */
export type ChoosePolicy = (file: ObjectValue) => PolicyChoice;

/** Without a choice the file is all there is. */
export function chooseFile(): PolicyChoice {
  return { kind: 'file', known: [] };
}

/** `yaml` holds a mapping. Places in objects have no line, but the object. */
export function joinStored(yaml: YamlFile, objects: readonly PolicyObject[]): YamlFile {
  const composed = composePolicy(yaml.value as ObjectValue, objects);
  return {
    ...yaml,
    value: composed.value,
    locate: (path, at) => placeIn(composed, path) ?? yaml.locate(path, at),
    existing: (path) => existingIn(composed.value, path),
  };
}

function placeIn({ objectAt }: Composed, path: Path): Place | null {
  const within = objectAt(path);
  return within === null ? null : { line: 0, column: 0, within };
}

function existingIn(value: unknown, path: Path): Path {
  let current = value;
  let length = 0;
  for (const part of path) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, part)) break;
    current = (current as Record<string | number, unknown>)[part];
    length++;
  }
  return path.slice(0, length);
}
