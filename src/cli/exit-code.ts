/** The exit codes that the command line uses, as sysexits(3) names them. */

/** `tempFail` is also a message that is not delivered yet, `unavailable` one that cannot be. */
export const exitCode = {
  ok: 0,
  usage: 64,
  data: 65,
  noInput: 66,
  unavailable: 69,
  software: 70,
  tempFail: 75,
  config: 78,
} as const;
