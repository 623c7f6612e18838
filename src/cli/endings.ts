/** Ends the process at Ctrl-C, at a signal to a server, and when the reader of standard output has closed the pipe. */

const INTERRUPTED = 130; // 128 + SIGINT, as a shell says it

/**
 * Ends the process at Ctrl-C, whatever is under way, until what it returns is called; also as the first process of a container, where the
 * system's own rule ignores it.
 */
export function endAtInterrupt(): () => void {
  const end = () => {
    if (process.stderr.isTTY) process.stderr.write('\n'); // the prompt of the shell begins a line of its own
    process.exit(INTERRUPTED);
  };
  process.once('SIGINT', end);
  return () => process.off('SIGINT', end);
}

/** The first SIGINT or SIGTERM as the exit code of a server that ends in order; a second one ends the process at once. */
export function nextSignal(): Promise<number> {
  return new Promise((resolve) => {
    process.once('SIGINT', () => resolve(INTERRUPTED));
    process.once('SIGTERM', () => resolve(0));
  });
}

/** Ends the process quietly when the reader of its output is gone, as `head` is after its lines. */
export function endWithReader(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
    throw error;
  });
}
