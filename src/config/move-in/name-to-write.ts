/** A name in the place of one that nobody knows yet. */

/**
 * No CA certifies it, since nobody can register it. Whoever turns the object on and forgets to write the
 * right name sees mail wait, and not go to a server that nothing was demanded of.
 */
export const nameToWrite = 'name-to-be-written.invalid';
