/** Progress on stderr: one line that is rewritten on a terminal, one line a stage elsewhere. */
import type { Progress } from '../native/index.js';
import { bar } from './terminal.js';

export class ProgressLine {
  readonly #stream: NodeJS.WriteStream;
  #stage = '';

  constructor(stream: NodeJS.WriteStream = process.stderr) {
    this.#stream = stream;
  }

  show({ stage, done, total }: Progress): void {
    if (this.#stream.isTTY) {
      const share = total !== null && total > 1 ? `  ${bar(done / total, 24)} ${done}/${total}` : ' ...';
      this.#stream.write(`\r\u001b[2Kdtesn: ${stage}${share}`);
    } else if (stage !== this.#stage) {
      this.#stream.write(`dtesn: ${stage} ...\n`);
    }
    this.#stage = stage;
  }

  /** Takes the line away: the page follows. */
  end(): void {
    if (this.#stream.isTTY) this.#stream.write('\r\u001b[2K');
  }
}
