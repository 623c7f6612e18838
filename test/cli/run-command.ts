/** The compiled command as a user runs it: through pipes, or on a terminal of some width. */
import { execFile, spawnSync } from 'node:child_process';
import path from 'node:path';

export const main = path.resolve(import.meta.dirname, '../../dist/cli/main.js');

export interface Ended {
  status: number | null;
  stdout: string;
  stderr: string;
}

const environment = { ...process.env, DTESN_UNITS: '32', DTESN_ENGINE_URL: '' };

export function dtesn(args: string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  return new Promise((resolve) => {
    const options = { env: { ...environment, ...env }, maxBuffer: 1 << 26 };
    const child = execFile(process.execPath, [main, ...args], options, (_error, stdout, stderr) =>
      resolve({ status: child.exitCode, stdout, stderr }),
    );
  });
}

/** Opens a terminal, runs the command, presses Ctrl-C when it wrote `until`, and prints the exit code and what it wrote as JSON. */
const terminal = `
import fcntl, json, os, pty, signal, struct, sys, termios
columns, until, command = int(sys.argv[1]), sys.argv[2], sys.argv[3:]
signal.alarm(60)
child, parent_end = None, None
main_end, terminal_end = pty.openpty()
fcntl.ioctl(terminal_end, termios.TIOCSWINSZ, struct.pack('HHHH', 24, columns, 0, 0))
child = os.fork()
if child == 0:
    os.setsid()
    fcntl.ioctl(terminal_end, termios.TIOCSCTTY, 0)
    for descriptor in range(3): os.dup2(terminal_end, descriptor)
    os.execv(command[0], command)
os.close(terminal_end)
output, pressed = b'', False
while True:
    try: part = os.read(main_end, 65536)
    except OSError: break
    if not part: break
    output += part
    if until and not pressed and until.encode() in output:
        pressed = True
        os.write(main_end, b'\\x03')
code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
print(json.dumps({'status': code, 'output': output.decode()}))
`;

export const hasPython = spawnSync('python3', ['--version']).status === 0;

export function onTerminal(
  columns: number,
  args: string[],
  until = '',
): Promise<{ status: number; lines: string[]; output: string }> {
  const command = ['-c', terminal, String(columns), until, process.execPath, main, ...args];
  return new Promise((resolve, reject) => {
    execFile('python3', command, { env: environment, maxBuffer: 1 << 26 }, (error, stdout) => {
      if (error) return reject(error);
      const { status, output } = JSON.parse(stdout) as { status: number; output: string };
      // biome-ignore lint/suspicious/noControlCharactersInRegex: what controls the terminal takes no column
      const shown = output.replace(/\u001b\[[0-9;]*[A-Za-z]/g, '');
      return resolve({ status, output, lines: shown.split(/[\r\n]+/) });
    });
  });
}
