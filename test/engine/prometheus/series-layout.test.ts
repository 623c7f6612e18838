/** Bodies of one engine one after the other: what is read by the layout of the body before is what the whole reader reads. */
import { describe, expect, test } from 'vitest';
import { parsePrometheus, RepeatedReader } from '../../../src/engine/prometheus/index.js';
import { metricsBody } from '../../faults/engine-server.js';

const read = (reader: RepeatedReader, body: string | Buffer) => reader.read(Buffer.from(body));
const samples = (families: Awaited<ReturnType<RepeatedReader['read']>>) =>
  [...families.values()].map(({ name, type, help, samples, bounds }) => ({ name, type, help, samples, bounds }));
const layouts = (families: Awaited<ReturnType<RepeatedReader['read']>>) =>
  [...families.values()].map(({ layout }) => layout);

/** The same text with other numbers, some of another length. */
const later = metricsBody
  .replace(/ 152\.0$/m, ' 12345.0')
  .replace(/ 0\.5$/m, ' NaN')
  .replace(/ 4\.0$/m, ' 1e3');

describe('a body like the one before', () => {
  test('has its own values under the names, labels and helps of the layout', async () => {
    const reader = new RepeatedReader();
    const first = await read(reader, metricsBody);
    const second = await read(reader, later);
    expect(samples(second)).toEqual(samples(parsePrometheus(later)));
    expect(samples(first)).toEqual(samples(parsePrometheus(metricsBody)));
    expect(layouts(second)).toEqual(layouts(first));
    expect(layouts(second)[0]).toBe(layouts(first)[0]);
  });

  const torn = metricsBody.replace(
    '_count{engine="0",model_name="m"} 2500.0',
    '_count{engine="0",model_name="m"} 2499.0',
  );
  const lines = metricsBody.split('\n');
  test.each<[string, string | Buffer]>([
    ['a histogram whose count is not its last bucket', torn],
    ['a histogram whose buckets decrease', metricsBody.replace(' 568.0', ' 2501.0')],
    ['a value that is none', metricsBody.replace(' 19.0', ' 19.O')],
    ['no value', metricsBody.replace(' 19.0', ' ')],
    ['a number beyond the doubles', metricsBody.replace(' 19.0', ' 1e999')],
    ['its last line cut', metricsBody.slice(0, -2)],
    ['its second half cut', metricsBody.slice(0, metricsBody.length / 2)],
    ['nothing', ''],
    ['one byte that is no text', Buffer.from(metricsBody.replace('model_name="m"', 'model_name="\xff"'), 'latin1')],
    ['a series twice', metricsBody.replace('engine="1",model_name="m"} 5.0', 'engine="0",model_name="m"} 5.0')],
    ['a line more at its end', `${metricsBody}${lines[2]}\n`],
    ['a line more at its start', `x 1\n${metricsBody}`],
    ['a line less', lines.toSpliced(4, 1).join('\n')],
    ['another label', metricsBody.replaceAll('engine="1"', 'engine="2"')],
    ['a timestamp', metricsBody.replace(' 19.0', ' 19.0 1700000000000')],
    ['a blank behind a value', metricsBody.replace(' 19.0', ' 19.0 ')],
    ['the ends of lines of another system', metricsBody.replaceAll('\n', '\r\n')],
    ['the end of OpenMetrics', `${metricsBody}# EOF\n`],
  ])('but with %s is read, or refused, as by itself', async (_, body) => {
    const reader = new RepeatedReader();
    await read(reader, metricsBody);
    const attempt = async () => samples(await read(reader, body));
    let expected: ReturnType<typeof samples> | Error;
    try {
      expected = samples(parsePrometheus(Buffer.from(body)));
    } catch (error) {
      expected = error as Error;
    }
    if (expected instanceof Error) await expect(attempt()).rejects.toThrow(expected.message);
    else expect(await attempt()).toEqual(expected);
    expect(samples(await read(reader, later))).toEqual(samples(parsePrometheus(later)));
  });

  test.each([
    ['blanks behind values', 'a{x="y"} 1 \nb 2\n'],
    ['values without a blank before them', 'a{x="} 7"}1\nb\t2\n'],
    ['timestamps', 'a 1 1000\nb 2 2000\n'],
    ['a family in two places', 'a 1\nb 2\na{x="y"} 3\n'],
    ['empty lines and comments', '\n# a note\n  \n a 1\n\n'],
  ])('is read twice alike where it has %s', async (_, body) => {
    const reader = new RepeatedReader();
    for (let turn = 0; turn < 3; turn++)
      expect(samples(await read(reader, body))).toEqual(samples(parsePrometheus(body)));
  });
});
