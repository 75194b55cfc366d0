/** The exit codes that the command line uses, as sysexits(3) names them. */

/** `changes` is no failure: what was asked about would change, is not ready, or could not be carried over. `tempFail` is also a message that is not delivered yet, `unavailable` one that cannot be. */
export const exitCode = {
  ok: 0,
  changes: 2,
  usage: 64,
  data: 65,
  noInput: 66,
  unavailable: 69,
  software: 70,
  tempFail: 75,
  config: 78,
} as const;

/** Every code that a command can end with, and what it means here; the tables of failures have the rest. */
export const exitCodeMeanings: readonly (readonly [number, string])[] = [
  [0, 'done; for `send --wait`: everybody has got the message'],
  [
    2,
    '`replay`, `plan`: something would change; `connector readiness`: it is not ready; `connector validate`: only some hosts would take the mail; `alarms`: one is open; `import`, `export postfix`: something was not possible',
  ],
  [64, 'the command line is wrong'],
  [65, 'what was given is refused: an address, a message, a certificate, a password'],
  [66, 'a file, an id or an entry does not exist, or a file cannot be read'],
  [67, 'a user or an account does not exist'],
  [69, 'no gateway runs; what was asked of another server or of the machine is not there'],
  [70, 'a defect of the program'],
  [71, 'the system refused something'],
  [73, 'a file cannot be made'],
  [74, 'reading or writing failed: disk, standard output'],
  [75, 'try again later; for `send --wait`: the message still waits'],
  [76, 'the gateway speaks another version'],
  [77, 'you may not'],
  [78, 'the configuration is wrong'],
];
