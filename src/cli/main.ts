#!/usr/bin/env node
import { didYouMean } from '../errors/index.js';
import { type CommandName, commandNames, isCommandName } from './commands.js';
import { endAtInterrupt, endWithReader } from './endings.js';
/**
 * The `dtesn` command.
 *
 * Answers go to stdout (a page, or one JSON object with --json), notes and errors to stderr; with --json an error is an object on stdout,
 * { error: { code, message } }. The reason is the last line; help is printed when it is asked for. Exit codes: 0 done, 1 failed, 2 wrong
 * usage, 130 ended by Ctrl-C; the bridge has its own (bridge.ts).
 */
import { readText } from './files.js';
import { help, printHelp } from './help.js';
import { fail, printPage } from './output.js';
import { packageFile } from './package-file.js';
import { UsageError } from './usage-error.js';

type Run = (args: string[]) => number | Promise<number>;

// What loads the addon, the simulator or the bridge is loaded by the commands that use it: `build` must run where there is no addon.
const runs: Record<CommandName, Run> = {
  process: async (args) => (await import('./process-input.js')).processInput(args),
  sources: async (args) => (await import('./show-sources.js')).showSources(args),
  bridge: async (args) => (await import('./bridge.js')).runBridge(args),
  simulate: async (args) => (await import('./simulate.js')).simulate(args),
  replay: async (args) => (await import('./replay.js')).replay(args),
  outlook: async (args) => (await import('./outlook.js')).showOutlook(args),
  fit: async (args) => (await import('./fit-model.js')).fitModel(args),
  predict: async (args) => (await import('./predict-series.js')).predictSeries(args),
  forecast: async (args) => (await import('./forecast-series.js')).forecastSeries(args),
  classify: async (args) => (await import('./classify-series.js')).classifySeries(args),
  search: async (args) => (await import('./search-model.js')).searchModel(args),
  doctor: async (args) => (await import('./doctor.js')).doctor(args),
  build: async (args) => (await import('./build.js')).build(args),
  help,
  completion: async (args) => (await import('./completion.js')).completion(args),
};

/** They serve until a signal, which they handle themselves. */
const servers: readonly CommandName[] = ['bridge', 'simulate'];

async function main(args: string[]): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined || name === '--help' || name === '-h') {
    printHelp();
    return 0;
  }
  if (name === '--version' || name === '-v') {
    printPage(JSON.parse(await readText(packageFile('package.json'), 'of this package')).version);
    return 0;
  }
  if (!isCommandName(name)) throw new UsageError(wrongCommand(name, rest));
  if (asksForHelp(rest)) {
    printHelp(name);
    return 0;
  }
  if (!servers.includes(name)) {
    endWithReader();
    endAtInterrupt();
  }
  return runs[name](rest);
}

function asksForHelp(args: string[]): boolean {
  const end = args.indexOf('--');
  const flags = end < 0 ? args : args.slice(0, end);
  return flags.includes('--help') || flags.includes('-h');
}

function wrongCommand(name: string, rest: string[]): string {
  if (!name.startsWith('-')) return `Unknown command ${name}${didYouMean(name, commandNames)}`;
  const later = rest.find(isCommandName);
  return later === undefined ? `Expected a command before ${name}` : `Expected ${later} before its options`;
}

const args = process.argv.slice(2);
main(args)
  .catch((error: unknown) => fail(error, args.includes('--json')))
  .then((code) => {
    process.exitCode = code;
  });
