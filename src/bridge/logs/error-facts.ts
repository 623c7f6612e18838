/** What the log holds of an error: its name, code and stack frames. Its message may quote what a client sent, and stays out. */
const maxFrames = 12;

export type ErrorFacts = {
  name: string;
  code: string | undefined;
  /** Frames, ` | ` between them; undefined for what is no error. */
  stack: string | undefined;
};

export function errorFacts(error: unknown): ErrorFacts {
  if (!(error instanceof Error)) return { name: typeof error, code: undefined, stack: undefined };
  const frames = (error.stack ?? '').split('\n').filter((line) => /^ {4}at /.test(line));
  const { code } = error as NodeJS.ErrnoException;
  return {
    name: error.name,
    code,
    stack: frames
      .slice(0, maxFrames)
      .map((frame) => frame.trim())
      .join(' | '),
  };
}
