/** `docs/cli.md`, written from the commands themselves, so that it cannot differ from `--help`. */
import type { Command } from 'commander';
import { configPlaces } from './find-gateway.ts';

const exitCodes: readonly (readonly [number, string])[] = [
  [0, 'done; for `send --wait`: everybody has got the message'],
  [64, 'the command line is wrong'],
  [65, 'the data is refused'],
  [66, 'a file or an id does not exist'],
  [69, 'no gateway runs; for `send --wait`: somebody never gets it'],
  [70, 'a defect of the program'],
  [71, 'the system refused something, as a port'],
  [73, 'a file cannot be made'],
  [75, 'try again later; for `send --wait`: the message still waits'],
  [76, 'the gateway speaks another version'],
  [77, 'you may not'],
  [78, 'the configuration is wrong'],
];

function formatExitCodes(): string {
  const width = Math.max(...exitCodes.map(([, meaning]) => meaning.length));
  const rows = exitCodes.map(([code, meaning]) => [String(code), meaning] as const);
  const lines = [['code', 'meaning'], ['----', '-'.repeat(width)], ...rows];
  return lines
    .map(([code = '', text = '']) => `| ${code.padEnd(4)} | ${text.padEnd(width)} |`)
    .join('\n');
}

const introduction = `# The command line

Written from the commands' own help by \`POSTERN_WRITE_DOCS=1 node --test src/cli/manual.test.ts\`;
a test keeps it so.

Tables are for people; \`--json\` prints the same for programs, with a \`formatVersion\`. Nothing is
coloured, and without a terminal nothing is cut. Text that other servers wrote is shown without
control characters.

## Which gateway

Commands that need the running gateway open its Unix socket. \`--socket PATH\` names it; otherwise it
is \`run/api.sock\` in the data folder of the configuration, which is \`--config FILE\`, else
\`$POSTERN_CONFIG\`, else the first of ${configPlaces.map((place) => `\`${place}\``).join(', ')} that
exists, else the embedded default with its data in \`./data\`. The socket lies in a folder that only
the gateway's user and root may enter: who opens it is the gateway's administrator.

## Exit codes

They are those of sysexits(3). On failure one sentence on standard error says what happened, the
next what to do.

${formatExitCodes()}
`;

/** `helpOf` gives the help text of a command as a terminal of 80 columns shows it. */
export function formatManual(program: Command, helpOf: (command: Command) => string): string {
  const sections = leavesOf(program).map((command) => {
    const help = helpOf(command).trimEnd();
    return `\n## ${pathOf(command)}\n\n\`\`\`text\n${help}\n\`\`\`\n`;
  });
  return introduction + sections.join('');
}

function leavesOf(command: Command): readonly Command[] {
  if (command.commands.length === 0) return [command];
  const visible = new Set(command.createHelp().visibleCommands(command));
  return command.commands.filter((each) => visible.has(each)).flatMap(leavesOf);
}

function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}
