/** `dtesn process`: one input, the whole way, as a page or as one JSON object. */
import { argumentsOf } from './arguments.js';
import { readText } from './files.js';
import { judgeEngine, openProcessor } from './open-processor.js';
import { printJson, printPage } from './output.js';
import { printable } from './printable.js';
import { ProgressLine } from './progress.js';
import { resultPage } from './result-page.js';
import { Paint } from './terminal.js';
import { UsageError } from './usage-error.js';

export async function processInput(args: string[]): Promise<number> {
  const { values, positionals } = argumentsOf('process', args);
  const { text, title } = await readInput(values.text, positionals[0]);
  const line = new ProgressLine();
  const processor = await openProcessor(values, 'process', line);
  try {
    const result = await processor.process(text, { onProgress: (progress) => line.show(progress) });
    line.end();
    judgeEngine(processor, result.context, values.strict);
    if (values.json) printJson(result);
    else printPage(resultPage(printable(result), printable(title), new Paint(process.stdout)));
    return 0;
  } finally {
    line.end();
    await processor.close();
  }
}

async function readInput(text: string | undefined, file: string | undefined): Promise<{ text: string; title: string }> {
  if (text !== undefined && file !== undefined) throw new UsageError('Expected a file or --text, not both', 'process');
  if (text !== undefined) return { text, title: '--text' };
  if (file === undefined) throw new UsageError('Expected a file, - for standard input, or --text', 'process');
  if (file !== '-') return { text: await readText(file, 'the input'), title: file };
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return { text: Buffer.concat(chunks).toString('utf8'), title: 'standard input' };
}
