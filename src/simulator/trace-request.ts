/** One recorded request, of whatever format, and the error for a line that holds none. */
import { DtesnError } from '../errors/index.js';

export interface TraceRequest {
  /** Seconds after the first request of the trace. */
  time: number;
  contextTokens: number;
  generatedTokens: number;
}

/** DtesnError ERR_DTESN_TRACE. `name` is what errors call the text: usually its file. */
export function wrongTrace(
  name: string,
  { line, expected, received }: { line: number; expected: string; received: string },
): DtesnError {
  return new DtesnError(
    'ERR_DTESN_TRACE',
    `Expected ${expected} in line ${line} of ${name} but received ${JSON.stringify(received.slice(0, 80))}`,
  );
}
