/** Progress on stderr: one line that is rewritten on a terminal, one line a stage elsewhere. */
import type { Progress } from '../native/index.js';
import { columnsOf } from './output.js';
import { bar } from './terminal.js';
import { cut } from './wrap.js';

export class ProgressLine {
  readonly #stream: NodeJS.WriteStream;
  #stage = '';

  constructor(stream: NodeJS.WriteStream = process.stderr) {
    this.#stream = stream;
  }

  show({ stage, done, total }: Progress): void {
    if (this.#stream.isTTY) {
      const share = total !== null && total > 1 ? `  ${bar(done / total, 24)} ${done}/${total}` : ' ...';
      this.#stream.write(`\r\u001b[2K${cut(`dtesn: ${stage}${share}`, columnsOf(this.#stream) - 1)}`);
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
