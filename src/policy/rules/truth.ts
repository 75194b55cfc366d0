/** Three-valued logic: what the bounds kept us from seeing is neither true nor false. */

/** Completes "it cannot be known, because …". */
export interface Unknown {
  readonly unknown: string;
  /** The gateway was busy or hindered: at another time it may be known. */
  readonly isPassing?: boolean;
}

export type Truth = boolean | Unknown;

export function isUnknown(truth: Truth): truth is Unknown {
  return typeof truth !== 'boolean';
}

/** False with anything is false; else unknown with anything is unknown. */
export function and(a: Truth, b: Truth): Truth {
  if (a === false || b === false) return false;
  return isUnknown(a) ? a : b;
}

/** True with anything is true; else unknown with anything is unknown. */
export function or(a: Truth, b: Truth): Truth {
  if (a === true || b === true) return true;
  return isUnknown(a) ? a : b;
}

export function not(truth: Truth): Truth {
  return isUnknown(truth) ? truth : !truth;
}
