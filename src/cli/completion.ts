/**
 * `dtesn completion bash|zsh|fish`: a script that completes commands, flags and their values, written from the descriptions of the commands.
 *
 *     bash   source <(dtesn completion bash)
 *     zsh    source <(dtesn completion zsh)
 *     fish   dtesn completion fish | source
 */
import { argumentsOf } from './arguments.js';
import { type Command, type Flag, isAlternatives } from './command.js';
import { type CommandName, commandNames, commands, shells } from './commands.js';
import { UsageError } from './usage-error.js';

type Shell = (typeof shells)[number];
type Completes = Flag['completes'];

export function completion(args: string[]): number {
  const { positionals } = argumentsOf('completion', args);
  const shell = shells.find((known) => known === positionals[0]);
  if (shell === undefined) throw new UsageError(`Expected one of ${shells.join(', ')}`, 'completion');
  // A script is never broken to the width of a terminal.
  process.stdout.write(completionScript(shell));
  return 0;
}

export function completionScript(shell: Shell): string {
  return { bash: bashScript, zsh: zshScript, fish: fishScript }[shell]();
}

const flagsOf = (name: CommandName) => Object.entries((commands[name] as Command).flags);
const argumentOf = (name: CommandName): Completes => (commands[name] as Command).argument?.completes;

/** Words are separated by line breaks, for names of files may have spaces. */
function bashScript(): string {
  const lines = (words: readonly string[]) => `$'${words.join('\\n')}'`;
  const generated = (completes: Completes) => {
    if (completes === 'file') return 'COMPREPLY=($(compgen -f -- "$current"))';
    if (completes === 'folder') return 'COMPREPLY=($(compgen -d -- "$current"))';
    return `COMPREPLY=($(compgen -W ${lines(completes ?? [])} -- "$current"))`;
  };
  const values = commandNames.flatMap((name) =>
    flagsOf(name)
      .filter(([, { type }]) => type === 'string')
      .map(([long, { completes }]) => `    '${name} --${long}') ${generated(completes)}; return;;`),
  );
  const words = commandNames.map((name) => {
    const argument = argumentOf(name);
    const further = isAlternatives(argument) ? argument : [];
    const all = [...flagsOf(name).map(([long]) => `--${long}`), ...further];
    const files = argument === 'file' ? '; [[ $current == -* ]] || COMPREPLY=($(compgen -f -- "$current"))' : '';
    return `    ${name}) COMPREPLY=($(compgen -W ${lines(all)} -- "$current"))${files};;`;
  });
  return `# dtesn completion bash: source <(dtesn completion bash)
_dtesn() {
  local IFS=$'\\n' current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]}
  COMPREPLY=()
  if [[ $COMP_CWORD -eq 1 ]]; then
    COMPREPLY=($(compgen -W ${lines([...commandNames, '--help', '--version'])} -- "$current"))
    return
  fi
  case "\${COMP_WORDS[1]} $previous" in
${values.join('\n')}
  esac
  case "\${COMP_WORDS[1]}" in
${words.join('\n')}
  esac
}
complete -o filenames -o nosort -F _dtesn dtesn 2>/dev/null || complete -o filenames -F _dtesn dtesn
`;
}

function zshScript(): string {
  const action = (completes: Completes) => {
    if (completes === 'file') return '_files';
    if (completes === 'folder') return '_files -/';
    return completes === undefined ? ' ' : `(${completes.join(' ')})`;
  };
  const described = (text: string) => text.replace(/[\\[\]:]/g, '\\$&');
  const flag = ([long, { type, multiple, value, completes, about }]: [string, Flag]) =>
    quoted(
      `${multiple ? '*' : ''}--${long}[${described(about)}]` +
        (type === 'string' ? `:${described(value ?? 'value')}:${action(completes)}` : ''),
    );
  const cases = commandNames.map((name) => {
    const argument = argumentOf(name);
    const positional = argument === undefined ? [] : [quoted(`1:argument:${action(argument)}`)];
    return `    ${name}) _arguments ${[...flagsOf(name).map(flag), ...positional].join(' \\\n      ')};;`;
  });
  const list = commandNames.map((name) => `    ${quoted(`${name}:${described(commands[name].about)}`)}`);
  return `#compdef dtesn
# dtesn completion zsh: source <(dtesn completion zsh)
_dtesn() {
  local -a commands
  commands=(
${list.join('\n')}
  )
  if (( CURRENT == 2 )); then
    _describe -t commands command commands
    _arguments '--help[prints this page]' '--version[prints the version]'
    return
  fi
  shift words
  (( CURRENT-- ))
  case $words[1] in
${cases.join('\n')}
  esac
}
if [[ $funcstack[1] == _dtesn ]]; then _dtesn "$@"; else compdef _dtesn dtesn; fi
`;
}

function fishScript(): string {
  const of = (name: CommandName) => `-n '__fish_seen_subcommand_from ${name}'`;
  const values = (completes: Completes) => {
    if (completes === 'file') return ' -r -F';
    if (completes === 'folder') return " -x -a '(__fish_complete_directories)'";
    return completes === undefined ? ' -x' : ` -x -a ${fishQuoted(completes.join(' '))}`;
  };
  const none = `-n 'not __fish_seen_subcommand_from ${commandNames.join(' ')}'`;
  const lines = commandNames.flatMap((name) => {
    const argument = argumentOf(name);
    const positional =
      argument === 'file' ? ' -F' : isAlternatives(argument) ? ` -a ${fishQuoted(argument.join(' '))}` : null;
    return [
      `complete -c dtesn ${none} -a ${name} -d ${fishQuoted(commands[name].about)}`,
      ...(positional === null ? [] : [`complete -c dtesn ${of(name)}${positional}`]),
      ...flagsOf(name).map(([long, { type, short, completes, about }]) => {
        const option = `-l ${long}${short ? ` -s ${short}` : ''}`;
        return `complete -c dtesn ${of(name)} ${option}${type === 'string' ? values(completes) : ''} -d ${fishQuoted(about)}`;
      }),
    ];
  });
  return ['# dtesn completion fish: dtesn completion fish | source', 'complete -c dtesn -f', ...lines]
    .concat([`complete -c dtesn ${none} -l help -s h`, `complete -c dtesn ${none} -l version -s v`, ''])
    .join('\n');
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

function fishQuoted(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`;
}
