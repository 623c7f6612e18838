/** `dtesn help`: the pages of all commands and of each, written from their descriptions. */
import { didYouMean } from '../errors/index.js';
import { argumentsOf } from './arguments.js';
import { type Command, type Flag, isAlternatives } from './command.js';
import { type CommandName, commandNames, commands, isCommandName } from './commands.js';
import { columnsOf, printPage } from './output.js';
import { UsageError } from './usage-error.js';
import { cut, fitted, widthOf } from './wrap.js';

export function help(args: string[]): number {
  const { positionals } = argumentsOf('help', args);
  const [name] = positionals;
  if (name !== undefined && !isCommandName(name)) {
    throw new UsageError(`Unknown command ${name}${didYouMean(name, commandNames)}`);
  }
  printHelp(name);
  return 0;
}

export function printHelp(name?: CommandName): void {
  const columns = columnsOf(process.stdout);
  printPage(name === undefined ? overview(columns) : pageOf(name, columns));
}

export function overview(columns: number): string {
  const rows = commandNames.map((name) => [usageOf(name), commands[name].about] as const);
  return [
    'dtesn: reservoir computing beside an inference engine',
    '',
    ...listed(rows, columns),
    '',
    ...listed(
      [
        ['dtesn COMMAND --help', 'the page of a command'],
        ['dtesn --version', 'the version of the package'],
      ],
      columns,
    ),
    '',
    'Exit codes: 0 done, 1 failed, 2 wrong usage, 130 ended by Ctrl-C; those of the bridge are in docs/bridge.md.',
  ].join('\n');
}

export function pageOf(name: CommandName, columns: number): string {
  const { about, argument, flags }: Command = commands[name];
  const rows = Object.entries(flags).map(([long, flag]) => [flagText(long, flag), flag.about] as const);
  return [
    `dtesn ${name}: ${about}`,
    '',
    `Usage: ${usageOf(name)} [flags]`,
    '',
    ...(argument ? [...listed([[argument.name, argument.about]], columns), ''] : []),
    ...listed(rows, columns),
  ].join('\n');
}

function usageOf(name: CommandName): string {
  const { argument }: Command = commands[name];
  return `dtesn ${name}${argument ? ` ${argument.name}` : ''}`;
}

function flagText(long: string, { type, short, value, completes }: Flag): string {
  const shown = value ?? (isAlternatives(completes) ? completes.join('|') : 'VALUE');
  return `--${long}${short ? `, -${short}` : ''}${type === 'string' ? ` ${shown}` : ''}`;
}

/** What is explained to the left, its explanation to the right; below it where the terminal is narrow. */
function listed(rows: readonly (readonly [string, string])[], columns: number): string[] {
  const most = Math.max(...rows.map(([left]) => widthOf(left)));
  if (columns >= most + 40) {
    const margin = most + 4;
    return rows.flatMap(([left, right]) => {
      const [first = '', ...rest] = fitted(right, columns - margin).split('\n');
      return [`  ${left.padEnd(most)}  ${first}`, ...rest.map((line) => ' '.repeat(margin) + line.trimStart())];
    });
  }
  return rows.flatMap(([left, right]) => [
    cut(`  ${left}`, columns),
    ...fitted(right, Math.max(1, columns - 6))
      .split('\n')
      .map((line) => `      ${line.trimStart()}`),
  ]);
}
