/** The flags and the argument of a command, read by its description; what is wrong is said in a sentence (UsageError). */
import { parseArgs } from 'node:util';
import { didYouMean } from '../errors/index.js';
import type { Command, Flag, Flags } from './command.js';
import { type CommandName, commands } from './commands.js';
import { UsageError } from './usage-error.js';

type ValueOf<One extends Flag> = One['type'] extends 'boolean'
  ? boolean
  : One extends { readonly multiple: true }
    ? string[]
    : string;

export interface Arguments<Given extends Flags> {
  /** What was given, by flag. */
  values: { [Name in keyof Given]?: ValueOf<Given[Name]> };
  positionals: string[];
}

export function argumentsOf<Name extends CommandName>(
  name: Name,
  args: string[],
): Arguments<(typeof commands)[Name]['flags']> {
  const command: Command = commands[name];
  check(name, command, args);
  const parsed = parseArgs({ args, options: command.flags, allowPositionals: true });
  return parsed as Arguments<(typeof commands)[Name]['flags']>;
}

/** Before parseArgs, whose sentences are for programmers. */
function check(name: CommandName, command: Command, args: string[]): void {
  const { tokens } = parseArgs({ args, options: command.flags, allowPositionals: true, strict: false, tokens: true });
  const shorts = Object.entries(command.flags).map(([long, { short }]) => [short, long]);
  let positionals = 0;
  for (const token of tokens) {
    if (token.kind === 'positional') {
      positionals += 1;
      if (positionals > (command.argument ? 1 : 0)) throw new UsageError(`Unexpected argument ${token.value}`, name);
    } else if (token.kind === 'option') {
      const flag = Object.hasOwn(command.flags, token.name) ? command.flags[token.name] : undefined;
      if (flag === undefined) {
        const known = [
          ...Object.keys(command.flags).map((long) => `--${long}`),
          ...shorts.map(([short]) => `-${short}`),
        ];
        throw new UsageError(`Unknown flag ${token.rawName}${didYouMean(token.rawName, known)}`, name);
      }
      checkValue(name, flag, token);
    }
  }
}

function checkValue(
  name: CommandName,
  { type, value: expected = 'a value' }: Flag,
  { rawName, value, inlineValue }: { rawName: string; value: string | undefined; inlineValue: boolean | undefined },
): void {
  if (type === 'boolean' && value !== undefined) throw new UsageError(`Expected no value for ${rawName}`, name);
  if (type === 'boolean') return;
  const isFlag = value !== undefined && !inlineValue && value.length > 1 && value.startsWith('-');
  if (value === undefined) throw new UsageError(`Expected ${expected} after ${rawName}`, name);
  if (isFlag)
    throw new UsageError(`Expected ${expected} after ${rawName} but received ${value} (or ${rawName}=${value})`, name);
}
