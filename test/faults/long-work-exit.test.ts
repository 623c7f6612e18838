/**
 * The end of an environment ends what its threads construct, train and measure: each of these takes much longer than the
 * time limit by itself.
 */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';

const root = path.resolve(import.meta.dirname, '../..');
const loader = path.join(root, 'test/threads/typescript.mjs');

const work: Record<string, string> = {
  construction: `
    const { Es2n } = await import(network);
    void Es2n.constructAsync({ units: 5000, inputs: 1, topology: 'cycle' });`,
  training: `
    const { Reservoir } = await import(network);
    const { trainReadoutAsync } = await import(readout);
    const series = new Float64Array(new SharedArrayBuffer(8 * 1_000_000)).fill(0.5);
    void trainReadoutAsync(new Reservoir({ units: 500, inputs: 1, topology: 'dense', dtype: 'f64' }), series, series);`,
  solving: `
    const { Ridge } = await import(readout);
    const sums = new Ridge({ states: 7000, outputs: 1, ridge: 1 });
    const row = (n) => new Float64Array(new SharedArrayBuffer(8 * n)).fill(1);
    await sums.addAsync(row(7000), row(1));
    void sums.solveAsync();`,
};

const sources = ['network', 'readout'].map(
  (room) => `const ${room} = ${JSON.stringify(pathToFileURL(path.join(root, `src/${room}/index.ts`)).href)};`,
);

test.each(
  Object.keys(work).flatMap((name) => [
    [name, 'process.exit()'],
    [name, 'worker.terminate()'],
  ]),
)('a %s under way does not outlive %s', { tags: ['slow'] }, (name, ending) => {
  const body = `${sources.join('\n')}${work[name]}`;
  const script =
    ending === 'process.exit()'
      ? `${body}\nsetTimeout(() => process.exit(0), 100);`
      : `import { Worker } from 'node:worker_threads';
         const body = ${JSON.stringify(`import { parentPort } from 'node:worker_threads';${body}parentPort.postMessage(1);`)};
         const worker = new Worker(new URL('data:text/javascript,' + encodeURIComponent(body)), {
           execArgv: ['--import', ${JSON.stringify(loader)}],
         });
         worker.once('message', () => setTimeout(() => worker.terminate(), 100));`;
  const { status, stderr, error } = spawnSync(
    process.execPath,
    ['--import', loader, '--input-type=module', '-e', script],
    { encoding: 'utf8', timeout: 20_000 },
  );
  expect(error).toBeUndefined();
  expect(stderr).toBe('');
  expect(status).toBe(0);
});
