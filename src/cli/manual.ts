/** `docs/cli.md`, written from the commands themselves, so that it cannot differ from `--help`. */
import type { Command } from 'commander';
import { exitCodeMeanings } from './exit-code.ts';
import { configPlaces } from './find-gateway.ts';

function formatExitCodes(): string {
  const width = Math.max(...exitCodeMeanings.map(([, meaning]) => meaning.length));
  const rows = exitCodeMeanings.map(([code, meaning]) => [String(code), meaning] as const);
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

A gateway elsewhere is asked over TLS: \`postern profile add NAME\` keeps its address and the file with
your token in \`~/.config/postern/profiles.yaml\`; \`--profile NAME\` or \`$POSTERN_PROFILE\` means it. Its
certificate is verified always. \`--socket\` and \`--config\` mean a gateway here, whatever the variable says.

## Exit codes

They are those of sysexits(3). On failure one sentence on standard error says what happened, the
next what to do.

${formatExitCodes()}

[errors.md](errors.md) has the code of each failure. Besides: \`send --wait\` ends with 69 where somebody
never gets the message; \`config check\` with 78 where the gateway would refuse the file; \`doctor\` with
78 or 69 where something failed, by whether the configuration is what is wrong; \`tls probe\` with 69
where no server was reached or \`--require\` is not met; orders on the queue with 66 where the id is not
queued, and with 65 where mail was withheld because its policy is weaker now. A search that finds
nothing has been done: 0.
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
