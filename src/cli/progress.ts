/** Progress on stderr: one line that is rewritten on a terminal, one line a stage elsewhere. */
import { bar } from './terminal.js';

export class Progress {
  readonly #stream: NodeJS.WriteStream;
  #stage = '';

  constructor(stream: NodeJS.WriteStream = process.stderr) {
    this.#stream = stream;
  }

  say(stage: string, done = 0, total = 1): void {
    if (this.#stream.isTTY) {
      const share = total > 1 ? `  ${bar(done / total, 24)} ${done}/${total}` : ' ...';
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
