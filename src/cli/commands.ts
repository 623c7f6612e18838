/** Every command of `dtesn` with its flags. What is added here is parsed, stands in the help, and is completed by the shells. */
import type { faultKinds } from '../simulator/index.js';
import { type Command, type Flags, helpFlag } from './command.js';
import {
  classifiedArgument,
  modelFlag,
  networkFlags,
  outFlags,
  plotFlag,
  saveFlag,
  searchFlags,
  seriesArgument,
  targetFlag,
} from './model-flags.js';

const json = {
  type: 'boolean',
  about: 'one JSON object on standard output instead of the page; an error is one too: {"error":{"code","message"}}',
} as const;

const engineFlags = {
  engine: {
    type: 'string',
    value: 'URL',
    about:
      'an Aphrodite, vLLM, SGLang, llama.cpp, TGI or Ollama server, whose kind is detected (or DTESN_ENGINE_URL); without it an embedded simulation answers',
  },
  'api-key': { type: 'string', value: 'KEY', about: 'for servers that want one (or DTESN_API_KEY)' },
  'model-dir': {
    type: 'string',
    value: 'DIR',
    completes: 'folder',
    about: "folder of the model's config.json, or its .gguf file (or DTESN_MODEL_DIR)",
  },
  strict: { type: 'boolean', about: 'ends with 1 and a sentence when the named engine does not answer' },
  options: {
    type: 'string',
    value: 'FILE',
    completes: 'file',
    about:
      'an ES module whose default export are options of DtesnProcessor.create: additional sources, pipelines, providers, config ...; only a file you trust, for it is run',
  },
} as const satisfies Flags;

const bridgeFlags = {
  engine: {
    type: 'string',
    multiple: true,
    value: 'URL',
    about:
      'http://HOST:PORT, https://..., unix:/path or dns+http://name:port; may be given again. Without one an embedded simulation answers, and no model is running',
  },
  'engines-file': {
    type: 'string',
    value: 'FILE',
    completes: 'file',
    about: 'engines in the form of Prometheus file_sd, watched',
  },
  listen: {
    type: 'string',
    multiple: true,
    value: 'ADDRESS',
    about: 'HOST:PORT, [HOST]:PORT or unix:/path; may be given again (127.0.0.1:2250)',
  },
  'probe-listen': {
    type: 'string',
    value: 'ADDRESS',
    about: 'HOST:PORT of /livez and /readyz, answered by a thread (127.0.0.1:2251)',
  },
  config: {
    type: 'string',
    value: 'FILE',
    completes: 'file',
    about: 'JSON; flags override the environment, which overrides the file (docs/bridge-configuration.md)',
  },
  'state-dir': {
    type: 'string',
    value: 'DIR',
    completes: 'folder',
    about: 'keeps sessions over restarts and power loss; without it they live in memory',
  },
  'read-token-file': {
    type: 'string',
    value: 'FILE',
    completes: 'file',
    about: 'a token of 32 bytes or more, for looking',
  },
  'use-token-file': { type: 'string', value: 'FILE', completes: 'file', about: 'the same, for using' },
  'admin-token-file': {
    type: 'string',
    value: 'FILE',
    completes: 'file',
    about: 'the same, for changing the configuration',
  },
  'tls-cert': { type: 'string', value: 'FILE', completes: 'file', about: 'certificate; then it serves https' },
  'tls-key': { type: 'string', value: 'FILE', completes: 'file', about: 'key of the certificate' },
  'allowed-host': {
    type: 'string',
    multiple: true,
    value: 'NAME',
    about: 'a further name that the Host header may have; may be given again',
  },
  'log-level': {
    type: 'string',
    value: 'LEVEL',
    completes: ['debug', 'info', 'warn', 'error'],
    about: 'debug, info, warn or error (info)',
  },
  ...helpFlag,
} as const satisfies Flags;

/** Named here again, so that help and completion load no simulator; the compiler compares the two lists. */
const faults = Object.keys({
  hang: true,
  leak: true,
  'preemption-storm': true,
  drift: true,
  sleep: true,
  scaling: true,
  'metrics-freeze': true,
  '5xx': true,
  dead: true,
  crash: true,
  restart: true,
} satisfies Record<(typeof faultKinds)[number], true>);

const simulateFlags = {
  port: {
    type: 'string',
    value: 'PORT',
    about: 'where to listen, 0 for a free port (2242); further servers take the ports that follow',
  },
  host: { type: 'string', value: 'ADDRESS', about: 'the address to listen on (127.0.0.1)' },
  servers: {
    type: 'string',
    value: 'N',
    about: 'so many servers, 1 to 64, independent of each other, seeds SEED, SEED+1 ... (1)',
  },
  engines: { type: 'string', value: 'N', about: 'data-parallel engines in each server (1)' },
  trace: {
    type: 'string',
    value: 'FILE',
    completes: 'file',
    about: 'arrivals from a CSV of Azure or the JSON lines of Mooncake; then the engines idle',
  },
  loop: { type: 'boolean', about: 'the trace begins again when it has ended' },
  load: {
    type: 'string',
    value: 'SHARE',
    about: 'of what the engines can serve (0.5); with a trace, factor on its rate (1)',
  },
  speed: { type: 'string', value: 'FACTOR', about: 'virtual seconds a real second (1)' },
  seed: { type: 'string', value: 'N', about: 'of all that is drawn (0)' },
  fault: {
    type: 'string',
    multiple: true,
    value: 'KIND@SECONDS[:DURATION]',
    completes: faults.map((kind) => `${kind}@`),
    about: `a fault at a virtual time, to the end without a duration; may be given again; KIND is ${faults.join(', ')}`,
  },
  'api-key': { type: 'string', value: 'KEY', about: 'asked for on paths below /v1' },
  'dev-mode': { type: 'boolean', about: '/is_sleeping, /sleep and /wake_up are there' },
  json,
  ...helpFlag,
} as const satisfies Flags;

/** Named here so that help and completion load no simulator: replay.ts has a rule for each. */
export const replayPolicies = [
  'none',
  'admit',
  'oracle',
  'pick',
  'both',
  'least-in-flight',
  'queue=N',
  'tokens=N',
] as const;

const replayFlags = {
  policy: {
    type: 'string',
    multiple: true,
    value: 'RULE',
    completes: replayPolicies,
    about: `one row of the table; may be given again (none, admit and oracle, with several engines none and pick): ${replayPolicies.join(', ')}`,
  },
  load: { type: 'string', value: 'SHARE', about: 'of what the engines serve when flooded with that mix (0.7)' },
  seed: { type: 'string', value: 'N', about: 'chooses 70 % of the requests of a file, or draws those of mmpp (0)' },
  engines: { type: 'string', value: 'N|LIST', about: 'how many, or the speed of each: 1,1,0.7,0.5 (1)' },
  slo: { type: 'string', value: 'MS', about: 'within which a first token counts as good (2000)' },
  slowdown: { type: 'string', value: 'FACTOR', about: 'on all step times in the second half (1)' },
  visible: { type: 'string', value: 'SHARE', about: 'of the requests that the gateway sees (1)' },
  json,
  ...helpFlag,
} as const satisfies Flags;

const outlookFlags = {
  engine: {
    type: 'string',
    value: 'URL',
    about: 'watches this server instead of reading a trace (or DTESN_ENGINE_URL where no trace is named)',
  },
  'api-key': { type: 'string', value: 'KEY', about: 'for servers that want one (or DTESN_API_KEY)' },
  seconds: {
    type: 'string',
    value: 'SECONDS',
    about: 'how long --engine is watched, once a second, 60 to 86400 (600)',
  },
  step: {
    type: 'string',
    value: 'SECONDS',
    about: 'samples are averaged over so long, 0.1 to 3600 (10; 1 with --engine)',
  },
  horizon: {
    type: 'string',
    multiple: true,
    value: 'SECONDS',
    about:
      'how far ahead, a multiple of the step; may be given again (10, 60, 300 and 600; 1, 10, 30 and 60 with --engine)',
  },
  units: {
    type: 'string',
    value: 'N',
    about: 'of a reservoir that is trained beside the moving averages, 0 to 2000; 0 for none (100)',
  },
  plot: {
    type: 'string',
    value: 'FILE',
    completes: 'file',
    about: 'writes an SVG picture of the arrivals and of the best forecast of them at the second horizon',
  },
  json,
  ...helpFlag,
} as const satisfies Flags;

export const shells = ['bash', 'zsh', 'fish'] as const;

const names = [
  'process',
  'sources',
  'bridge',
  'simulate',
  'replay',
  'outlook',
  'fit',
  'predict',
  'forecast',
  'classify',
  'search',
  'doctor',
  'build',
  'help',
  'completion',
] as const;
export type CommandName = (typeof names)[number];

export const commands = {
  process: {
    about: 'one input, the whole way: sources, plan, Deep Tree ESN, features',
    argument: {
      name: '[FILE | -]',
      about: 'UTF-8 text of at most 1,048,576 characters, or - for standard input',
      completes: 'file',
    },
    flags: {
      text: {
        type: 'string',
        value: 'TEXT',
        about: 'the input itself instead of a file, of at most 1,048,576 characters',
      },
      ...engineFlags,
      json,
      ...helpFlag,
    },
  },
  sources: {
    about: 'the sources, their quality, and the plan they lead to',
    flags: {
      watch: { type: 'boolean', about: 'shows them and what they cost again and again, until Ctrl-C' },
      interval: { type: 'string', value: 'SECONDS', about: 'of --watch, 0.1 to 3600 (1)' },
      ...engineFlags,
      json: { ...json, about: `${json.about}; with --watch one a line` },
      ...helpFlag,
    },
  },
  bridge: {
    about: 'the server beside an inference engine that tells what it does and processes inputs',
    flags: bridgeFlags,
  },
  outlook: {
    about: 'forecasts of load, evaluated walk-forward on a trace or on an engine that is watched',
    argument: {
      name: '[TRACE]',
      about: 'a CSV of Azure or the JSON lines of Mooncake',
      completes: 'file',
    },
    flags: outlookFlags,
  },
  simulate: { about: 'an Aphrodite server with no model behind it, for tests', flags: simulateFlags },
  replay: {
    about: 'what rules of admission and routing make of a trace, in virtual time',
    argument: {
      name: 'TRACE',
      about: 'a CSV of Azure, the JSON lines of Mooncake, or mmpp for an hour of bursty synthetic arrivals',
      completes: 'file',
    },
    flags: replayFlags,
  },
  fit: {
    about: 'trains an echo state network on a series',
    argument: seriesArgument,
    flags: { ...targetFlag, ...saveFlag, ...networkFlags, json, ...helpFlag },
  },
  predict: {
    about: 'outputs of a saved network for every row of a series',
    argument: seriesArgument,
    flags: { ...modelFlag, ...targetFlag, ...outFlags, ...plotFlag, json, ...helpFlag },
  },
  forecast: {
    about: 'the steps after the end of a series',
    argument: seriesArgument,
    flags: {
      steps: { type: 'string', value: 'N', about: 'to forecast (100)' },
      model: {
        ...modelFlag.model,
        about: 'a file that fit --save wrote; without it a network is trained on the series',
      },
      ...networkFlags,
      ...outFlags,
      ...plotFlag,
      json,
      ...helpFlag,
    },
  },
  classify: {
    about: 'labels of whole series',
    argument: classifiedArgument,
    flags: {
      test: {
        type: 'string',
        value: 'FILE',
        completes: 'file',
        about: 'series to label, in the same form; without it every fifth of FILE, which is then not learned',
      },
      model: {
        ...modelFlag.model,
        about: 'a file that classify --save wrote: labels the series of FILE, and learns none',
      },
      ...saveFlag,
      ...networkFlags,
      ...outFlags,
      plot: {
        ...plotFlag.plot,
        about: 'draws the confusion matrix (needs the packages @observablehq/plot and linkedom)',
      },
      json,
      ...helpFlag,
    },
  },
  search: {
    about: 'hyper-parameters of an echo state network that suit a series',
    argument: seriesArgument,
    flags: { ...targetFlag, ...searchFlags, json, ...helpFlag },
  },
  doctor: {
    about: 'the binary, the instruction sets, and a check of every kernel',
    flags: { json, ...helpFlag },
  },
  build: {
    about: 'builds the addon from source (CMake, or make and python3)',
    flags: { json, ...helpFlag },
  },
  help: {
    about: 'the page of a command',
    argument: { name: '[COMMAND]', about: 'the command; all of them when left out', completes: names },
    flags: helpFlag,
  },
  completion: {
    about: 'a script for your shell that completes commands and flags',
    argument: { name: shells.join('|'), about: 'the shell', completes: shells },
    flags: helpFlag,
  },
} as const satisfies Record<CommandName, Command>;

export const commandNames: readonly CommandName[] = names;

export function isCommandName(name: string): name is CommandName {
  return Object.hasOwn(commands, name);
}
