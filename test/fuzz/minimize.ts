/** Makes an input that fails small: what is left is what matters. */

const attemptsMax = 4000;

/**
 * Leaves out pieces, then makes octets plain, as long as `fails` holds; bounded. `fails` is asked
 * about candidates only: the input itself is known to fail.
 */
export async function minimize(
  input: Buffer,
  fails: (candidate: Buffer) => Promise<boolean>,
): Promise<Buffer> {
  let best = input;
  let attempts = 0;
  const tryOut = async (candidate: Buffer): Promise<boolean> => {
    if (attempts++ >= attemptsMax || !(await fails(candidate))) return false;
    best = candidate;
    return true;
  };
  for (let size = Math.ceil(best.length / 2); size >= 1; size = Math.floor(size / 2)) {
    let at = 0;
    while (at < best.length) {
      const without = Buffer.concat([best.subarray(0, at), best.subarray(at + size)]);
      if (!(await tryOut(without))) at += size;
    }
  }
  for (let at = 0; at < best.length; at++) {
    if (best[at] === 0x61) continue;
    const plain = Buffer.from(best);
    plain[at] = 0x61;
    await tryOut(plain);
  }
  return best;
}
