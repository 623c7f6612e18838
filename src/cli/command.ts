/** What a command and its flags are: one description from which parsing, help and completion follow. */

export interface Flag {
  readonly type: 'string' | 'boolean';
  readonly short?: string;
  /** Whether it may be given again. */
  readonly multiple?: boolean;
  /** The value as help names it, such as URL; only of a string. */
  readonly value?: string;
  /** What a shell completes as its value: names of files or folders, or one of these. */
  readonly completes?: 'file' | 'folder' | readonly string[];
  /** One sentence for help, with defaults, bounds and the variable of the environment. */
  readonly about: string;
}

export type Flags = Readonly<Record<string, Flag>>;

export interface Command {
  /** What it does, in one line. */
  readonly about: string;
  /** What follows it beside flags. */
  readonly argument?: {
    readonly name: string;
    readonly about: string;
    readonly completes: 'file' | readonly string[];
  };
  readonly flags: Flags;
}

/** Every command has it. */
export const helpFlag = { help: { type: 'boolean', short: 'h', about: 'prints this page' } } as const satisfies Flags;

export function isAlternatives(completes: Flag['completes']): completes is readonly string[] {
  return typeof completes === 'object';
}
