/** What a cmdlet is. */
import type { CommandContext } from '../command-context.ts';
import type { Arguments } from './arguments.ts';
import type { ParameterSet } from './parameter.ts';

export interface Cmdlet {
  /** `New-OutboundConnector`. */
  readonly name: string;
  readonly summary: string;
  readonly set: ParameterSet;
  readonly run: (context: CommandContext, given: Arguments) => Promise<void>;
}
