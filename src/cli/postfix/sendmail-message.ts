/** What a program writes to sendmail's standard input, as a message with CR LF. */

const field = /^[!-9;-~]+[ \t]*:/;

/**
 * Lines may end in LF, CR LF or CR. Without `ignoresDots` a dot alone on its line ends the message. An
 * mbox "From " line at the top is left out; where no field begins the text, it is all body.
 */
export function toMessage(input: Buffer, ignoresDots: boolean): Buffer {
  const lines = input.toString('latin1').split(/\r\n|\n|\r/);
  if (lines.at(-1) === '') lines.pop();
  const end = ignoresDots ? -1 : lines.indexOf('.');
  const kept = end === -1 ? lines : lines.slice(0, end);
  if (/^>?From /.test(kept[0] ?? '')) kept.shift();
  if (!field.test(kept[0] ?? '')) kept.unshift('');
  // A line that is no field ends the header: what follows is the text, as its writer meant it.
  const last = kept.findIndex((line) => line === '' || !(field.test(line) || /^[ \t]/.test(line)));
  if (last === -1) kept.push('');
  else if (kept[last] !== '') kept.splice(last, 0, '');
  return Buffer.from(`${kept.join('\r\n')}\r\n`, 'latin1');
}

/** Whether the header has the field. */
export function hasField(message: Buffer, name: string): boolean {
  const end = message.indexOf('\r\n\r\n');
  const header = `\r\n${message.subarray(0, Math.max(0, end)).toString('latin1')}`.toLowerCase();
  return header.includes(`\r\n${name.toLowerCase()}:`);
}
